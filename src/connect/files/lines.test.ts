import { deepEqual, equal } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../../testing/times.ts'
import type { Origin } from '../origin.ts'
import { lines } from './lines.ts'
import type { FileSourceOptions } from './source.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'sluice-lines-'))
const FILE = join(FOLDER, 'some.txt')

interface Read {
  readonly values: string[]
  readonly places: string[]
  readonly dead: string[]
  readonly counts: [read: number, blank: number, invalidUtf8: number]
}

/** All of the file, split by split; `max` at a time. */
async function readAll(max: number, options: FileSourceOptions): Promise<Read> {
  const source = lines(FILE, options)
  const read: Read = { values: [], places: [], dead: [], counts: [0, 0, 0] }
  for (const split of await source.splits()) {
    const reader = await source.open(split, undefined)
    for (let some = await reader.read(max); some !== undefined; some = await reader.read(max)) {
      const { events, rejected } = some
      read.values.push(...events.values())
      for (const { letter } of rejected) read.dead.push(`${placeOf(letter.origin)}: ${letter.reason}`)
      for (const at of events.values().keys()) read.places.push(placeOf(events.origin(at) as Origin))
    }
    const { read: all, blank, invalidUtf8 } = reader.counts
    for (const [at, count] of [all, blank, invalidUtf8].entries()) read.counts[at] = (read.counts[at] ?? 0) + count
    await reader.close()
  }
  return read
}

function placeOf({ line, offset, raw }: Origin): string {
  return `${line} ${offset} ${raw}`
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

  it('gives the same lines at the same places, whatever stands in the file, in ranges or as a whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        content,
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 60 }),
        async (text, max, splitBytes) => {
          writeFileSync(FILE, text)
          const whole = await readAll(100, { splitBytes: Number.POSITIVE_INFINITY, maxLineBytes: 50 })
          deepEqual(await readAll(max, { splitBytes, maxLineBytes: 50 }), whole)
        },
      ),
      { numRuns: times(150) },
    )
  })

  it('gives bytes that are no text as such, and counts them', async () => {
    writeFileSync(FILE, Buffer.from([0x61, 0xff, 0x0a, 0x62, 0x0a]))
    const { values, counts } = await readAll(10, {})
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
