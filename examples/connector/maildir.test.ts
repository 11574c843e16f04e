import { deepEqual } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { checkpointed, pipeline, startPipeline } from 'sluice'
import { sourceConformance, twoPhaseSinkConformance } from 'sluice/testing'
import { type Mail, maildirSink, maildirSource } from './index.ts'

sourceConformance<Mail>({
  name: 'maildir',
  make: () => {
    const { path, close } = maildir()
    const expected: Mail[] = []
    for (let number = 10; number < 40; number += 1) {
      const mail = { name: `17000000${number}.sender`, text: `mail ${number}\n` }
      writeFileSync(join(path, 'new', mail.name), mail.text)
      expected.push(mail)
    }
    writeFileSync(join(path, 'new', '1700000099.sender'), Buffer.from([0xff, 0xfe]))
    return { source: maildirSource(path), expected, deadLetters: 1, cleanup: close }
  },
})

twoPhaseSinkConformance({
  name: 'maildir',
  row: (number) => ({ text: String(number) }),
  refused: { text: 'half a pair: \ud800' },
  make: () => {
    const { path, close } = maildir()
    return { sink: maildirSink(path), visible: () => textsIn(path).map(Number), close }
  },
})

describe('a pipeline between maildirs', () => {
  it('delivers each mail once, also those that come later', async () => {
    const [from, into] = [maildir(), maildir()]
    try {
      const job = pipeline('archive', {
        from: () => maildirSource(from.path),
        flow: (mails) => mails.map(({ text }) => ({ text: text.toUpperCase() })),
        into: () => checkpointed(maildirSink(into.path), { store: join(into.path, 'archive.db') }),
      })
      for (const text of ['a', 'b', 'c']) {
        writeFileSync(join(from.path, 'new', `${text}.sender`), text)
        await (await startPipeline(job)).done
      }
      deepEqual(textsIn(into.path), ['A', 'B', 'C'])
    } finally {
      from.close()
      into.close()
    }
  })
})

function maildir(): { readonly path: string; readonly close: () => void } {
  const path = mkdtempSync(join(tmpdir(), 'maildir-'))
  mkdirSync(join(path, 'new'))
  return { path, close: () => rmSync(path, { recursive: true }) }
}

function textsIn(path: string): string[] {
  const folder = join(path, 'new')
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'))
}
