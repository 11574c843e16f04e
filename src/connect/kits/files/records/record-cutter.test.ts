import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../../../../testing/times.ts'
import type { Dialect } from '../../../formats/csv/dialect.ts'
import { CsvEnds } from '../../../formats/csv/ends.ts'
import { ElementEnds } from '../../../formats/json/elements.ts'
import type { CutterStart, Line } from './cutter.ts'
import { RecordCutter, type RecordEnds } from './record-cutter.ts'

const DIALECT: Dialect = {
  delimiter: ',',
  quote: '"',
  escape: undefined,
  comment: '#',
  trim: false,
  nulls: undefined,
  quotedNewlines: true,
  maxFields: 100,
  maxRecordBytes: 40,
}

interface Cut {
  readonly lines: Line[]
  /** Where the cutter stood behind each of them, and the bytes before it. */
  readonly places: { offset: number; line: number; before: string }[]
  readonly counts: object
  readonly isPartial: boolean
  readonly failed: string | undefined
}

/** All records of blocks, each block put into the same memory as the one before, as readers do. */
function cut(ends: RecordEnds, blocks: readonly Buffer[], start: CutterStart = {}, asText = false): Cut {
  const cutter = new RecordCutter({
    path: 'a.csv',
    ends,
    maxRecordBytes: DIALECT.maxRecordBytes,
    malformed: 'replace',
    ...start,
  })
  const lines: Line[] = []
  const places: Cut['places'] = []
  let failed: string | undefined
  const note = (line: Line): void => {
    lines.push(line)
    places.push({ offset: cutter.offset, line: cutter.line, before: cutter.lastBytes().toString('latin1') })
  }
  const take = (): void => {
    for (;;) {
      const run = asText ? cutter.run() : undefined
      if (run === undefined) {
        const line = cutter.next()
        if (line === undefined) return
        note(line)
        continue
      }
      for (let text = run.next(); text !== undefined; text = run.next()) {
        note({ text, offset: run.offset, line: run.line, fault: undefined })
        deepEqual(run.placeOf(run.given - 1), { offset: run.offset, line: run.line, raw: text })
      }
    }
  }
  const memory = Buffer.alloc(Math.max(0, ...blocks.map(({ length }) => length)))
  try {
    for (const block of blocks) {
      memory.fill(0x22)
      block.copy(memory)
      cutter.push(memory.subarray(0, block.length))
      take()
    }
    memory.fill(0x22)
    cutter.end()
    take()
  } catch (error) {
    failed = (error as Error).message
  }
  return { lines, places, counts: { ...cutter.counts }, isPartial: cutter.isPartial, failed }
}

/** A text cut into blocks at some of its bytes. */
const inBlocks = (text: fc.Arbitrary<string>) =>
  fc.tuple(text, fc.array(fc.nat(200), { maxLength: 12 })).map(([content, cuts]) => {
    const bytes = Buffer.from(content)
    const at = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort((a, b) => a - b)
    return { bytes, blocks: at.slice(1).map((to, index) => bytes.subarray(at[index], to)) }
  })

const csvText = fc
  .array(fc.constantFrom('"', '"', ',', '\n', '\r\n', '\r', 'a', 'bc', ' ', '#', 'é', '\0', 'x'.repeat(45)), {
    maxLength: 40,
  })
  .map((parts) => parts.join(''))
const jsonText = fc
  .array(fc.constantFrom('[', ']', '{', '}', '"', '\\', ',', ':', '1', 'true', ' ', '\n', 'é', 'x'.repeat(45)), {
    maxLength: 40,
  })
  .map((parts) => `[${parts.join('')}`)

describe('RecordCutter', () => {
  for (const [name, text, ends] of [
    ['CSV', csvText, () => new CsvEnds(DIALECT, 0x0a)],
    ['JSON', jsonText, () => new ElementEnds([], false)],
  ] as const) {
    it(`cuts the same records of ${name} however its bytes come, as texts or with their places`, () => {
      fc.assert(
        fc.property(inBlocks(text), ({ bytes, blocks }) => {
          const whole = cut(ends(), [bytes])
          deepEqual(cut(ends(), blocks), whole)
          deepEqual(cut(ends(), blocks, {}, true), whole)
        }),
        { numRuns: times(2000) },
      )
    })

    it(`goes on after every record of ${name} with the same ones`, () => {
      const resumed = name === 'CSV' ? ends : () => new ElementEnds([], true)
      fc.assert(
        fc.property(inBlocks(text), ({ bytes }) => {
          const whole = cut(ends(), [bytes])
          for (const [index, { offset, line, before }] of whole.places.entries()) {
            // What follows a record without its end is the rest of it.
            if (whole.isPartial && index === whole.places.length - 1) continue
            const start = { offset, line, before: Buffer.from(before, 'latin1') }
            const rest = cut(resumed(), [bytes.subarray(offset)], start)
            deepEqual([rest.lines, rest.failed], [whole.lines.slice(index + 1), whole.failed])
            deepEqual(rest.places, whole.places.slice(index + 1))
          }
        }),
        { numRuns: times(500) },
      )
    })
  }

  it('loses no byte of CSV: records, blank ones and line ends make up the whole', () => {
    fc.assert(
      fc.property(inBlocks(csvText), ({ bytes, blocks }) => {
        const { places, lines } = cut(
          new CsvEnds({ ...DIALECT, comment: undefined, maxRecordBytes: 1000 }, 0x0a),
          blocks,
          {
            fault: 'all are given',
          },
        )
        const texts = places.map(({ offset }, index) =>
          bytes.subarray(index === 0 ? 0 : places[index - 1]?.offset, offset),
        )
        deepEqual(Buffer.concat(texts), bytes)
        for (const [index, { offset }] of lines.entries()) equal(offset, index === 0 ? 0 : places[index - 1]?.offset)
      }),
    )
  })

  it('S5: needs a time that grows with the text, whatever quotes stand in it', () => {
    const ends = () => new CsvEnds({ ...DIALECT, maxRecordBytes: 1 << 20 }, 0x0a)
    for (const line of ['a",b,"c\n', 'a"b,"c\n', ',"""c\n', '"""\n', '"\n', ',""",\n', '"a\n""\n', '"",""",x\n']) {
      const bytes = Buffer.from(line.repeat(Math.ceil(1_500_000 / line.length)))
      const begin = performance.now()
      const cutter = new RecordCutter({ path: '', ends: ends(), maxRecordBytes: 1 << 20, malformed: 'reject' })
      cutter.push(bytes)
      while (cutter.next() !== undefined);
      cutter.end()
      while (cutter.next() !== undefined);
      // A square of it would take minutes.
      ok(performance.now() - begin < 5000, JSON.stringify(line))
    }
  })

  it('S5: holds no more of a record over the limit than the limit', () => {
    const cutter = new RecordCutter({
      path: '',
      ends: new ElementEnds([], false),
      maxRecordBytes: 1000,
      malformed: 'reject',
    })
    const before = process.memoryUsage().arrayBuffers
    cutter.push(Buffer.from('["'))
    const block = Buffer.alloc(64 * 1024, 'x')
    for (let blocks = 0; blocks < 2000; blocks += 1) {
      equal(cutter.next(), undefined)
      cutter.push(block)
    }
    equal(cutter.next(), undefined)
    cutter.push(Buffer.from('", 2]'))
    equal(cutter.next()?.fault, 'element of 131,072,002 bytes, limit 1,000')
    equal(cutter.next()?.text, '2')
    ok(process.memoryUsage().arrayBuffers - before < 8 * 1024 * 1024)
  })
})
