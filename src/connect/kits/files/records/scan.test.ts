import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../../../../testing/times.ts'
import { recordsOf } from '../../../batch.ts'
import { type AccessLogOptions, accessLog } from '../../../formats/access-log/format.ts'
import { csvRecords } from '../../../formats/csv/records.ts'
import { textLines } from '../../../formats/text.ts'
import type { Origin, SourceRecord } from '../../../origin.ts'
import { columnTimes } from '../../time/columns.ts'
import { timeRules } from '../../time/rules.ts'
import type { Cutter } from './cutter.ts'
import { RecordParser } from './record-parser.ts'
import { lineRecords, type OpenRecords, type Records } from './records.ts'

/** What is read, and where the cutter is after it. */
interface State {
  readonly entries: number
  readonly offset: number
  readonly line: number
}

interface Reading {
  readonly entries: readonly SourceRecord<unknown>[]
  readonly states: readonly State[]
  readonly end: { readonly offset: number; readonly line: number }
  readonly counts: object
}

/** How bytes are read: in which blocks, how many records at once, and up to which byte records may begin. */
interface Way {
  readonly sizes: readonly number[]
  readonly max: number
  readonly until: number
}

/** Reads bytes in blocks, each put into the memory of the one before, as files are read. */
function read(opened: OpenRecords<unknown>, bytes: Buffer, { sizes, max, until }: Way, isScanned: boolean): Reading {
  const { start } = opened
  const cutter = opened.cut({ offset: start.offset, line: start.line, isFileStart: start.offset === 0, until })
  const scan = isScanned ? opened.scan?.() : undefined
  const parser = new RecordParser({ source: 'f', step: 's', parse: opened.parse, cutter, scan })
  const entries: SourceRecord<unknown>[] = []
  const states: State[] = []
  const take = (): void => {
    for (let some = parser.take(max); some !== undefined; some = parser.take(max)) {
      entries.push(...recordsOf(some).map(copied))
      states.push({ entries: entries.length, offset: cutter.offset, line: cutter.line })
    }
  }
  pushAll(cutter, bytes.subarray(start.offset), sizes, take)
  if (!cutter.isOver) cutter.end()
  take()
  return { entries, states, end: { offset: cutter.offset, line: cutter.line }, counts: { ...cutter.counts } }
}

function pushAll(cutter: Cutter, bytes: Buffer, sizes: readonly number[], take: () => void): void {
  const memory = Buffer.alloc(Math.max(1, bytes.length))
  for (let at = 0, i = 0; at < bytes.length && !cutter.isOver; i += 1) {
    const size = Math.min(sizes[i % sizes.length] as number, bytes.length - at)
    bytes.copy(memory, 0, at, at + size)
    cutter.push(memory.subarray(0, size))
    take()
    at += size
  }
}

function copied(entry: SourceRecord<unknown>): SourceRecord<unknown> {
  const { source, line, offset, raw } = entry.origin
  const origin: Origin = { source, line, offset, raw }
  return entry.kind === 'event' ? { ...entry, value: { ...(entry.value as object) }, origin } : { ...entry, origin }
}

/** By columns and one by one, the same is read, and the cutter stands at a place at which it would have stood. */
function alike(records: Records<unknown>, bytes: Buffer, way: Way): void {
  const open = (): OpenRecords<unknown> =>
    records.open({ path: 'f', start: bytes, bytes: () => bytes.subarray(0, 256 * 1024), isWhole: true })
  const plain = read(open(), bytes, { ...way, max: 1 }, false)
  const scanned = read(open(), bytes, way, true)
  deepEqual(scanned.entries, plain.entries)
  deepEqual(scanned.counts, plain.counts)
  deepEqual(scanned.end, plain.end)
  const stood = new Map(plain.states.map((state) => [state.entries, state]))
  for (const state of scanned.states) {
    // Of blank lines after a record some may have been passed.
    const next = plain.entries[state.entries]?.origin ?? plain.end
    const own = stood.get(state.entries) as State
    if (state.offset > own.offset && state.offset < next.offset) ok(state.line > own.line && state.line < next.line)
    else equal(state.line, state.offset === own.offset ? own.line : next.line)
    ok(state.offset >= own.offset && state.offset <= next.offset)
  }
}

const sizes = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1, maxLength: 20 }),
  fc.constant([256 * 1024]),
)
const ways = fc.record<Way>({
  sizes,
  max: fc.constantFrom(1, 3, 4096),
  until: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 1, max: 1500 })),
})

function content(...usual: fc.Arbitrary<string | Buffer>[]): fc.Arbitrary<Buffer> {
  const parts = fc.array(fc.oneof(...usual.map((arbitrary, i) => ({ weight: usual.length - i, arbitrary }))), {
    maxLength: 60,
  })
  return parts.map((some) => Buffer.concat(some.map((part) => Buffer.from(part as string))))
}

const number = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.integer().map(String),
  fc.constantFrom(
    '0.1',
    '-0',
    '-0.0',
    '+5',
    '.5',
    '5.',
    '1e400',
    '123456789012345678',
    '1234567890.12345',
    '',
    '-',
    '1.2.3',
  ),
)
const integer = fc.oneof(
  fc.integer().map(String),
  fc.constantFrom('-0', '007', '9007199254740991', '9007199254740993', '1.0', '', '+1', '-'),
)
const text = fc.constantFrom('a', 'b', '', 'é', 'München', 'x'.repeat(40), '2024-03-01T10:00:00Z', ' a ')
const dirt = fc.oneof(
  fc.constantFrom('\n', '\r\n', ',', '"', '"a,b"', '""', '\0', '#c\n', '\\', 'a,b,c,d,e,f\n', 'a\n', '"open,1,2\n'),
  fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes)),
)
const time = fc.constantFrom('2024-03-01T10:00:00Z', '2024-03-01', 'soon', '', '2024-02-30T00:00:00Z')
const row = fc
  .tuple(text, integer, number, time, fc.constantFrom('true', 'no', 'x', ''))

  .chain((fields) => fc.constantFrom(`${fields.join(',')}\n`, `${fields.join(',')}\r\n`))

const rules = timeRules({})
const COLUMNS = { a: 'text', b: 'integer', c: 'real', d: 'time', e: 'boolean' } as const

function csv(columns: typeof COLUMNS | undefined, comment?: string, maxRecordBytes = 200): Records<unknown> {
  return csvRecords({
    dialect: {
      quote: '"',
      escape: undefined,
      comment,
      trim: false,
      quotedNewlines: true,
      nulls: undefined,
      maxFields: 10,
      maxRecordBytes,
    },
    delimiter: ',',
    skip: 0,
    malformed: 'escape',
    header: ['a', 'b', 'c', 'd', 'e'],
    columns,
    onRagged: 'pad',
    values: { bigints: 'bigint', marks: undefined, timeOf: columnTimes(undefined, rules) },
    keepsNulls: false,
  })
}

const request = fc
  .tuple(
    fc.constantFrom('::1', '10.0.0.1', 'host-é'),
    fc.constantFrom(
      '[17/May/2015:10:05:03 +0200]',
      '[31/Feb/2015:10:05:03 +0000]',
      '[17/May/2015:10:05:04 -0130]',
      '[',
    ),
    fc.constantFrom(
      'GET /a?b=1 HTTP/1.1',
      'GET /a',
      'x',
      '',
      '\\"',
      'GET ?x HTTP/1.1',
      'M-SEARCH * HTTP/1.1',
      'GET /a\tb HTTP/2',
      'é',
    ),
    fc.constantFrom('200', '20', '404'),
    fc.constantFrom('12', '-', '', '9007199254740993', 'x'),
    fc.constantFrom(' "-" "curl"', '', ' "r\\"" "a"', ' "-" "b" "c"', ' "-"', ' "-" "b" ', ' "-" "b'),
  )
  .map(([host, at, line, status, bytes, rest]) => `${host} - ada ${at} "${line}" ${status} ${bytes}${rest}\n`)

const good = '::1 - ada [17/May/2015:10:05:03 +0200] "GET /a?b=1 HTTP/1.1" 404 12 "-" "curl/8.5.0"\n'

describe('reading many plain lines at once', () => {
  it('R34: gives of CSV what reading record by record gives, however bytes come', () => {
    fc.assert(
      fc.property(content(row, row, dirt), ways, fc.constantFrom(undefined, '#'), (bytes, way, comment) => {
        alike(csv(COLUMNS, comment), bytes, way)
        alike(csv(undefined, comment), bytes, way)
      }),
      { numRuns: times(300) },
    )
  })

  it('R34: gives of CSV with CR LF what reading record by record gives', () => {
    const ended = row.map((text) => text.replace(/\r?\n$/, '\r\n'))
    fc.assert(
      fc.property(content(ended, ended, ended, dirt), ways, (bytes, way) => {
        alike(csv(COLUMNS), bytes, way)
        alike(csv(undefined, undefined, 1024 * 1024), bytes, way)
      }),
      { numRuns: times(200) },
    )
  })

  it('R34: gives of access logs what reading line by line gives, however bytes come', () => {
    const dialect = fc.constantFrom<NonNullable<AccessLogOptions['dialect']>>('auto', 'common', 'combined', 'any')
    fc.assert(
      fc.property(content(fc.constant(good), request, dirt), ways, dialect, (bytes, way, form) => {
        alike(lineRecords(accessLog({ dialect: form }), 300) as Records<unknown>, bytes, way)
      }),
      { numRuns: times(300) },
    )
  })

  it('R34: gives of text what reading line by line gives, however bytes come', () => {
    const line = fc.constantFrom('to be', 'or', ' not', '\t', '', 'é', 'x'.repeat(70)).map((one) => `${one}\n`)
    fc.assert(
      fc.property(content(line, line, dirt), ways, (bytes, way) => {
        alike(lineRecords(textLines({ rows: true }), 60) as Records<unknown>, bytes, way)
      }),
      { numRuns: times(300) },
    )
  })

  it('R34: reads lines that are longer than what is scanned at once, and those around them', () => {
    const some = Array.from({ length: 9000 }, (_, i) => `${i},${i},0.5,,yes\n`).join('')
    const bytes = Buffer.from(`${some}${'x'.repeat(100_000)},1,2.5,,no\n${some}`)
    const way = { sizes: [256 * 1024], max: 4096, until: Number.POSITIVE_INFINITY }
    alike(csv(COLUMNS, undefined, 1024 * 1024), bytes, way)
    alike(lineRecords(textLines({ rows: true }), 1024 * 1024) as Records<unknown>, bytes, way)
    const request = (rest: string): string => good.replace('/a?b=1', rest)
    const log = `${good.repeat(2000)}${request(`/${'x'.repeat(100_000)}`)}${good.repeat(2000)}`
    alike(lineRecords(accessLog(), 1024 * 1024) as Records<unknown>, Buffer.from(log), way)
  })

  it('R34: comes back to many at once after a stretch of lines that are not plain', () => {
    const rows = Array.from({ length: 5000 }, (_, i) => `${i % 7 === 0 && i < 2000 ? '"q"' : 'p'},${i},1.5,,yes\n`)
    const bytes = Buffer.from(rows.join(''))
    for (const most of [100, 4096])
      alike(csv(COLUMNS), bytes, { sizes: [4096], max: most, until: Number.POSITIVE_INFINITY })
    const opened = csv(COLUMNS).open({ path: 'f', start: bytes, bytes: () => bytes, isWhole: true })
    ok(read(opened, bytes, { sizes: [4096], max: 4096, until: Number.POSITIVE_INFINITY }, true).states.length < 2500)
  })
})
