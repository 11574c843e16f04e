import { deepEqual, equal } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../../testing/times.ts'
import type { DeadLetter } from '../origin.ts'
import type { FilesOptions } from './files.ts'
import { lines } from './lines.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'sluice-lines-'))
const FILE = join(FOLDER, 'some.txt')

interface Read {
  readonly values: string[]
  readonly dead: string[]
  readonly counts: readonly [read: number, blank: number, invalidUtf8: number]
}

/** All of the file, split by split; `max` at a time. */
async function readAll(how: 'read' | 'values', max: number, options: FilesOptions): Promise<Read> {
  const source = lines(FILE, options)
  const values: string[] = []
  const dead: string[] = []
  const letter = ({ reason, origin }: DeadLetter): number => dead.push(`${origin.offset}: ${reason}`)
  const counts: [number, number, number] = [0, 0, 0]
  for (const split of await source.splits()) {
    const reader = await source.open(split, undefined, { isForValues: how === 'values' })
    for (;;) {
      const some = how === 'values' ? await reader.values?.(max, letter) : await reader.read(max)
      if (some === undefined) break
      for (const one of some) {
        if (typeof one === 'string') values.push(one)
        else if (one.kind === 'dead') letter(one)
        else values.push(one.value)
      }
    }
    const { read, blank, invalidUtf8 } = reader.counts
    for (const [at, count] of [read, blank, invalidUtf8].entries()) counts[at] = (counts[at] ?? 0) + count
    await reader.close()
  }
  return { values, dead, counts }
}

const line = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', ' ', '\t', '\r', 'a\rb', 'nul\0l', 'x'.repeat(60), '\ufeffmark', 'é', '€ and 😀'),
)
const content = fc
  .array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\n\n')), { maxLength: 40 })
  .chain((all) => fc.constantFrom(...['', 'no end', '\n'].map((end) => all.flat().join('') + end)))

describe('lines', () => {
  after(() => rmSync(FOLDER, { recursive: true }))

  it('gives values as it gives events, whatever stands in the file, in ranges or as a whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        content,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 60 }),
        async (text, max, splitBytes) => {
          writeFileSync(FILE, text)
          const whole = await readAll('read', 100, { splitBytes: Number.POSITIVE_INFINITY, maxLineBytes: 50 })
          for (const how of ['read', 'values'] as const) {
            deepEqual(await readAll(how, max, { splitBytes, maxLineBytes: 50 }), whole)
          }
        },
      ),
      { numRuns: times(150) },
    )
  })

  it('gives bytes that are no text as such, and counts them', async () => {
    writeFileSync(FILE, Buffer.from([0x61, 0xff, 0x0a, 0x62, 0x0a]))
    const { values, counts } = await readAll('values', 10, {})
    deepEqual(
      [values, counts],
      [
        ['a\\xff', 'b'],
        [2, 0, 1],
      ],
    )
  })

  it('cuts a file into ranges', async () => {
    writeFileSync(FILE, 'line\n'.repeat(2_000_000))
    equal((await lines(FILE).splits()).length, 3)
  })
})
