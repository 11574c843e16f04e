// A file that is followed under another name, or by another pattern, than in the run before.

import { deepEqual } from 'node:assert/strict'
import { appendFileSync, linkSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { pipeline, sqliteSink, startPipeline, tailSource, textLines } from 'sluice'
import { until } from './support/until.ts'

let folder = ''
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-tail-names-')))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const at = (name: string): string => join(folder, name)

function linesLoaded(): string[] {
  const db = new DatabaseSync(at('out.db'), { readOnly: true })
  try {
    return db
      .prepare('select text from lines order by rowid')
      .all()
      .map(({ text }) => String(text))
  } catch {
    return [] // The table is not there yet.
  } finally {
    db.close()
  }
}

/** Follows until a line is loaded that is written last, then drains; gives all that is loaded. */
async function follow(pattern: string, last: string): Promise<string[]> {
  const job = pipeline('followed', {
    from: () => tailSource(at(pattern), textLines(), { pollMs: 10, graceMs: 30 }),
    flow: (lines) => lines.map((text) => ({ text })),
    into: () => sqliteSink(at('out.db'), { table: 'lines', columns: { text: 'text' } }),
  })
  const run = await startPipeline(job, { epochMs: 10 })
  await until(() => linesLoaded().includes(last), last)
  const { overall } = await run.drain('all is there')
  // What was read twice under one name is one row, and two that were loaded.
  deepEqual(overall.loaded, linesLoaded().length)
  return linesLoaded()
}

const LONG = 'a line that is long enough to tell this file from others by what it begins with'

describe('a file that is followed', () => {
  it('C92: goes on under a link to it, in one run after the other', async () => {
    writeFileSync(at('m.log'), `${LONG}\n1\n`)
    await follow('*.log', '1')
    for (const [n, name] of ['a.log', 'z.log'].entries()) {
      linkSync(at('m.log'), at(name))
      appendFileSync(at(name), `${n + 2}\n`)
      await follow('*.log', `${n + 2}`)
    }
    deepEqual(linesLoaded(), [LONG, '1', '2', '3'])
  })

  it('C92: goes on by another pattern, by its link, and by the first pattern again', async () => {
    writeFileSync(at('m.log'), `${LONG}\n`)
    writeFileSync(at('other.txt'), `other ${LONG}\n`)
    const expected = [LONG]
    await follow('m.log', LONG)
    linkSync(at('m.log'), at('z.log'))
    for (const [n, pattern] of ['*.log', 'z.log', 'm.log', '{m,z}.log', 'm.log', '*.log'].entries()) {
      appendFileSync(at('m.log'), `${n}\n`)
      expected.push(`${n}`)
      deepEqual(await follow(pattern, `${n}`), expected)
    }
    deepEqual(await follow('*.{log,txt}', `other ${LONG}`), [...expected, `other ${LONG}`])
  })

  it('C92: is read from its start where it has the inode of one that another pattern named', async (t) => {
    writeFileSync(at('a.log'), `${LONG}\n1\n2\n`)
    const { ino } = statSync(at('a.log'))
    await follow('a.log', '2')
    rmSync(at('a.log'))
    writeFileSync(at('b.log'), `new ${LONG}\n`)
    if (statSync(at('b.log')).ino !== ino) return t.skip('this file system gives no inode again at once')
    await follow('*.log', `new ${LONG}`)
    appendFileSync(at('b.log'), '3\n')
    deepEqual(await follow('*.log', '3'), [LONG, '1', '2', `new ${LONG}`, '3'])
  })
})
