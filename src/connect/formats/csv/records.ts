// The records of CSV files: header, dialect and rows, detected for each file.

import { describeValue } from '../../../base/check.ts'
import { SluiceError } from '../../../base/errors.ts'
import type { Columns } from '../../column.ts'
import { Rejection } from '../../format.ts'
import { corruptFile, quotePath } from '../../kits/files/errors.ts'
import { HEAD_LINES_BYTES } from '../../kits/files/records/head-lines.ts'
import { markBytes } from '../../kits/files/records/open-line.ts'
import type { Malformed } from '../../kits/files/records/raw.ts'
import { RecordCutter } from '../../kits/files/records/record-cutter.ts'
import type { OpenRecords, RecordStart, Records } from '../../kits/files/records/records.ts'
import { tellDelimiter } from './delimiter.ts'
import { type Dialect, tellLineEnd } from './dialect.ts'
import { CsvEnds } from './ends.ts'
import { type Fields, fieldCutter } from './fields.ts'
import { columnNames, numberedNames } from './names.ts'
import { type MakeRow, type Row, type RowOptions, rowMaker } from './rows.ts'
import { csvScan } from './scan.ts'

/** How the files of a source are read. */
export interface CsvReading extends Omit<RowOptions, 'names' | 'columns'> {
  readonly dialect: Omit<Dialect, 'delimiter'>
  /** `auto` detects it in each file; undefined takes a line `sep=`, or `,`. */
  readonly delimiter: string | undefined
  /** How many lines precede the first record. */
  readonly skip: number
  readonly malformed: Malformed
  /** Whether the first record names the columns, they are numbered, or their names. */
  readonly header: boolean | readonly string[]
  readonly columns: Columns | undefined
}

/** How many records are examined to detect a delimiter. */
const LOOKED_AT = 20

/** The first bytes of a file. */
interface FirstBytes {
  readonly path: string
  readonly bytes: Buffer
  readonly isWhole: boolean
}

/** What they reveal. */
interface Look {
  readonly head: FirstBytes
  readonly dialect: Dialect
  readonly lineEnd: number
  /** Where the first record begins. */
  readonly begin: RecordStart
  /** The first records: up to one that names the columns, or from which they can be numbered. */
  readonly first: readonly FirstRecord[]
}

interface FirstRecord {
  readonly text: string
  readonly fields: Fields | Rejection
  readonly offset: number
  /** What follows it. */
  readonly end: RecordStart
}

/** The records of CSV files. */
export function csvRecords(reading: CsvReading): Records<Row> {
  return {
    name: 'csv',
    hint: 'see the options delimiter, quote, escape, skip, encoding and columns',
    malformed: reading.malformed,
    isEnough: (bytes) => isLookedAt(reading, lookAt(reading, { path: '', bytes, isWhole: false })),
    open: ({ path, bytes, isWhole }) => openText(reading, lookAt(reading, { path, bytes: bytes(), isWhole })),
  }
}

/** Whether the records so far determine the columns. */
function isLookedAt({ header }: CsvReading, { first }: Look): boolean {
  return header === false ? first.some(({ fields }) => !(fields instanceof Rejection)) : first.length > 0
}

function openText(reading: CsvReading, look: Look): OpenRecords<Row> {
  const { head, dialect, lineEnd } = look
  const { start, names } = readHeader(reading, look)
  const cutFields = fieldCutter(dialect)
  const rows = names && { ...reading, names, columns: wanted(reading, head, names) }
  const makeRow = rows === undefined ? noHeader : rowMaker(rows)
  return {
    start,
    lineEnd,
    cut: (from) => {
      const ends = new CsvEnds(dialect, lineEnd)
      return new RecordCutter({
        ...from,
        path: head.path,
        ends,
        maxRecordBytes: dialect.maxRecordBytes,
        malformed: reading.malformed,
      })
    },
    parse: (text) => {
      const fields = cutFields(text)
      return fields instanceof Rejection ? fields : makeRow(fields)
    },
    scan: () => rows && csvScan(dialect, lineEnd, rows),
  }
}

/** For content written to a file after it was opened. */
const noHeader: MakeRow = () => new Rejection('no record determined the columns when the file was opened')

/** Where rows begin, and the names of their columns; no names for a file without a record. */
function readHeader(
  { header }: CsvReading,
  { head, begin, first }: Look,
): { start: RecordStart; names: readonly string[] | undefined } {
  if (Array.isArray(header)) return { start: begin, names: header }
  if (header === false) {
    // A malformed record affects only itself: the columns are numbered by the next one.
    const sound = first.map(({ fields }) => fields).find((fields) => !(fields instanceof Rejection))
    return { start: begin, names: sound === undefined ? undefined : numberedNames((sound as Fields).length) }
  }
  const record = first[0]
  if (record === undefined) {
    if (head.isWhole) return { start: begin, names: undefined }
    throw headerError(
      head.path,
      begin.offset,
      `its first record is over ${HEAD_LINES_BYTES.toLocaleString('en-US')} bytes`,
    )
  }
  const { fields, offset, end } = record
  if (fields instanceof Rejection) throw headerError(head.path, offset, `in its header, ${fields.reason}`)
  return { start: end, names: columnNames(fields) }
}

/** The requested columns, all of which must be in the file. */
function wanted({ columns }: CsvReading, head: FirstBytes, names: readonly string[]): RowOptions['columns'] {
  if (columns === undefined) return undefined
  const there = new Set(names)
  const missing = Object.keys(columns).filter((name) => !there.has(name))
  if (missing.length === 0) return Object.entries(columns)
  const [one, ...others] = missing
  const more = others.length === 0 ? '' : ` and ${others.length} more of the requested ones`
  const allowed = names.slice(0, 20).map(describeValue).join(', ') + (names.length > 20 ? ', …' : '')
  const message = `Cannot read ${quotePath(head.path)}: it has no column ${describeValue(one)}${more}, found ${allowed}`
  throw new SluiceError('CONFIG_INVALID', message, { key: 'columns', value: one, allowed })
}

function headerError(path: string, offset: number, found: string): SluiceError {
  return corruptFile(path, found, offset)
}

function lookAt(reading: CsvReading, head: FirstBytes): Look {
  const { dialect, header, skip } = reading
  const lineEnd = tellLineEnd(head.bytes, skip > 0 ? {} : dialect, head.isWhole)
  const after = afterPreamble(head, lineEnd, skip)
  const stated = statedDelimiter(head, after, lineEnd, reading)
  const begin = stated === undefined ? after : lineAfter(head, after, lineEnd)
  const cut = (tried: Dialect, isEnough: IsEnough) => firstRecords(head, begin, tried, lineEnd, isEnough)
  const delimiter =
    stated ??
    (reading.delimiter === 'auto'
      ? tellDelimiter(dialect, (tried) => cut(tried, ({ length }) => length === LOOKED_AT).map(({ text }) => text))
      : (reading.delimiter ?? ','))
  const told: Dialect = { ...dialect, delimiter }
  const isNamed: IsEnough = (records) =>
    header === true || records.length === LOOKED_AT_TO_NUMBER || !(records.at(-1)?.fields instanceof Rejection)
  return { head, dialect: told, lineEnd, begin, first: cut(told, isNamed) }
}

/** Whether records are sufficient, at least one. */
type IsEnough = (records: readonly FirstRecord[]) => boolean

/** How many records are tried to number the columns. */
const LOOKED_AT_TO_NUMBER = 1000

/** After a byte order mark, and the lines to skip. */
function afterPreamble(head: FirstBytes, lineEnd: number, skip: number): RecordStart {
  let start: RecordStart = { offset: markBytes(head.bytes), line: 1, isRest: false }
  for (let line = 0; line < skip; line += 1) start = lineAfter(head, start, lineEnd)
  return start
}

function lineAfter({ bytes }: FirstBytes, { offset, line }: RecordStart, lineEnd: number): RecordStart {
  const end = bytes.indexOf(lineEnd, offset)
  return { offset: end === -1 ? bytes.length : end + 1, line: line + 1, isRest: false }
}

/** The delimiter that a spreadsheet wrote before the header: `sep=;`. */
function statedDelimiter(head: FirstBytes, at: RecordStart, lineEnd: number, reading: CsvReading): string | undefined {
  const end = head.bytes.indexOf(lineEnd, at.offset)
  const line = head.bytes.toString('utf8', at.offset, end === -1 ? at.offset : Math.min(end, at.offset + 40))
  const stated = /^"?sep=([^\r\n"])"?\r?$/i.exec(line)?.[1]
  if (stated === undefined) return undefined
  const { delimiter, dialect } = reading
  const isOther = delimiter !== undefined && delimiter !== 'auto' && delimiter !== stated
  if (!isOther && stated !== dialect.quote && stated !== dialect.escape) return stated
  const found = `its first line says that the delimiter is ${describeValue(stated)}, and the options say another: omit delimiter, or skip the line with skip`
  throw headerError(head.path, at.offset, found)
}

/** The first records of a file, from `begin`; the last one of a file only if it is complete. */
function firstRecords(
  head: FirstBytes,
  begin: RecordStart,
  dialect: Dialect,
  lineEnd: number,
  isEnough: IsEnough,
): FirstRecord[] {
  const records: FirstRecord[] = []
  const cutFields = fieldCutter(dialect)
  const cutter = new RecordCutter({
    path: head.path,
    ends: new CsvEnds(dialect, lineEnd),
    offset: begin.offset,
    line: begin.line,
    maxRecordBytes: HEAD_LINES_BYTES,
    malformed: 'escape',
  })
  const take = (): boolean => {
    for (let line = cutter.next(); line !== undefined; line = cutter.next()) {
      const end = { offset: cutter.offset, line: cutter.line, isRest: cutter.isPartial }
      records.push({ text: line.text, fields: cutFields(line.text), offset: line.offset, end })
      if (isEnough(records)) return true
    }
    return false
  }
  cutter.push(head.bytes.subarray(begin.offset))
  if (take() || !head.isWhole) return records
  cutter.end()
  take()
  return records
}
