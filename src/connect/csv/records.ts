// The records of CSV files: header, dialect and rows, found out for each file.

import { describeValue } from '../../base/check.ts'
import { SluiceError } from '../../base/errors.ts'
import type { Columns } from '../column.ts'
import { tellUtf16 } from '../files/encoding.ts'
import { HEAD_LINES_BYTES } from '../files/head-lines.ts'
import { RecordCutter } from '../files/record-cutter.ts'
import type { ContentHead, OpenRecords, RecordStart, Records } from '../files/records.ts'
import { quotePath, tellUtf16Fault } from '../files/trouble.ts'
import { Rejection } from '../format.ts'
import { tellDelimiter } from './delimiter.ts'
import { type Dialect, LF, tellLineEnd } from './dialect.ts'
import { CsvEnds } from './ends.ts'
import { fieldCutter } from './fields.ts'
import { columnNames, numberedNames } from './names.ts'
import { type MakeRow, type Row, type RowOptions, rowMaker } from './rows.ts'

/** How the files of a source are read. */
export interface CsvReading extends Omit<RowOptions, 'names' | 'columns'> {
  /** The dialect, but for the delimiter; that is found out from each file if undefined. */
  readonly dialect: Omit<Dialect, 'delimiter'>
  readonly delimiter: string | undefined
  /** Whether the first record names the columns, they are numbered, or what they are. */
  readonly header: boolean | readonly string[]
  readonly columns: Columns | undefined
}

/** How many records are looked at to find out a delimiter. */
const LOOKED_AT = 20

/** The first bytes of a file, and what they tell. */
interface Look {
  readonly head: ContentHead
  readonly dialect: Dialect
  readonly lineEnd: number
  /** The first records, one at least if there is one. */
  readonly first: readonly FirstRecord[]
}

interface FirstRecord {
  readonly text: string
  readonly offset: number
  /** What follows it. */
  readonly end: RecordStart
}

/** The records of CSV files. */
export function csvRecords(reading: CsvReading): Records<Row> {
  return {
    name: 'csv',
    usesOrigin: false,
    usesHead: true,
    isEnough: (head) => tellUtf16(head) !== undefined || lookAt(reading, partOf(head)).first.length > 0,
    open: (head) =>
      tellUtf16(head.bytes) === undefined ? openText(reading, lookAt(reading, head)) : openOther(reading, head),
  }
}

function partOf(bytes: Buffer): ContentHead {
  return { path: '', bytes, isWhole: false }
}

/** Of a text that cannot be read every line is a dead letter that says so. */
function openOther(reading: CsvReading, { path, bytes }: ContentHead): OpenRecords<Row> {
  const { maxRecordBytes } = reading.dialect
  const dialect: Dialect = { ...reading.dialect, delimiter: ',', quotedNewlines: false }
  const fault = tellUtf16Fault(bytes)
  return {
    start: { offset: 0, line: 1, isRest: false },
    lineEnd: LF,
    cut: (start) => new RecordCutter({ ...start, path, maxRecordBytes, fault, ends: new CsvEnds(dialect, LF) }),
    parse: () => new Rejection(fault ?? ''),
  }
}

function openText(reading: CsvReading, look: Look): OpenRecords<Row> {
  const { head, dialect, lineEnd } = look
  const { start, names } = readHeader(reading, look)
  const cutFields = fieldCutter(dialect)
  const makeRow =
    names === undefined ? noHeader : rowMaker({ ...reading, names, columns: wanted(reading, head, names) })
  return {
    start,
    lineEnd,
    cut: (from) => {
      const ends = new CsvEnds(dialect, lineEnd)
      return new RecordCutter({ ...from, path: head.path, ends, maxRecordBytes: dialect.maxRecordBytes })
    },
    parse: (text) => {
      const fields = cutFields(text)
      return fields instanceof Rejection ? fields : makeRow(fields)
    },
  }
}

/** For what is written into a file between its opening and its reading. */
const noHeader: MakeRow = () => new Rejection('there was no header when the file was opened')

/** Where rows begin, and the names of their columns; none in a file without a record. */
function readHeader(reading: CsvReading, look: Look): { start: RecordStart; names: readonly string[] | undefined } {
  const { header } = reading
  const { head, dialect, first } = look
  const begin: RecordStart = { offset: markBytes(head.bytes), line: 1, isRest: false }
  if (Array.isArray(header)) return { start: begin, names: header }
  const record = first[0]
  if (record === undefined) {
    if (head.isWhole) return { start: begin, names: undefined }
    throw headerError(
      head.path,
      begin.offset,
      `its first record is over ${HEAD_LINES_BYTES.toLocaleString('en-US')} bytes`,
    )
  }
  const fields = fieldCutter(dialect)(record.text)
  if (fields instanceof Rejection) {
    if (header === false) return { start: begin, names: undefined }
    throw headerError(head.path, record.offset, `in its header, ${fields.reason}`)
  }
  if (header === false) return { start: begin, names: numberedNames(fields.length) }
  return { start: record.end, names: columnNames(fields) }
}

/** The columns of rows, all of which must be in the file. */
function wanted({ columns }: CsvReading, head: ContentHead, names: readonly string[]): RowOptions['columns'] {
  if (columns === undefined) return undefined
  const there = new Set(names)
  const missing = Object.keys(columns).filter((name) => !there.has(name))
  if (missing.length === 0) return Object.entries(columns)
  const [one, ...others] = missing
  const more = others.length === 0 ? '' : ` and ${others.length} more of those asked for`
  const allowed = names.slice(0, 20).map(describeValue).join(', ') + (names.length > 20 ? ', …' : '')
  const message = `Cannot read ${quotePath(head.path)}: it has no column ${describeValue(one)}${more}, found ${allowed}`
  throw new SluiceError('CONFIG_INVALID', message, { key: 'columns', value: one, allowed })
}

function headerError(path: string, offset: number, found: string): SluiceError {
  return new SluiceError('SOURCE_CORRUPT', `Cannot read ${quotePath(path)}: ${found}`, { source: path, offset, found })
}

function lookAt(reading: CsvReading, head: ContentHead): Look {
  const lineEnd = tellLineEnd(head.bytes, reading.dialect.quote, head.isWhole)
  const first = (dialect: Dialect, most: number) => firstRecords(head, dialect, lineEnd, most)
  const textsOf = (dialect: Dialect) => first(dialect, LOOKED_AT).map((record) => record.text)
  const delimiter = reading.delimiter ?? tellDelimiter(reading.dialect, textsOf)
  const dialect: Dialect = { ...reading.dialect, delimiter }
  return { head, dialect, lineEnd, first: first(dialect, 1) }
}

/** The first records of a file; the last one of a file only if that is whole. */
function firstRecords(head: ContentHead, dialect: Dialect, lineEnd: number, most: number): FirstRecord[] {
  const records: FirstRecord[] = []
  const cutter = new RecordCutter({
    path: head.path,
    ends: new CsvEnds(dialect, lineEnd),
    offset: markBytes(head.bytes),
    maxRecordBytes: HEAD_LINES_BYTES,
  })
  const take = (): void => {
    while (records.length < most) {
      const line = cutter.next()
      if (line === undefined) return
      const end = { offset: cutter.offset, line: cutter.line, isRest: cutter.isPartial }
      records.push({ text: line.text, offset: line.offset, end })
    }
  }
  cutter.push(head.bytes.subarray(markBytes(head.bytes)))
  take()
  if (!head.isWhole || records.length === most) return records
  cutter.end()
  take()
  return records
}

/** How long the byte order mark is that a file opens with. */
function markBytes(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}
