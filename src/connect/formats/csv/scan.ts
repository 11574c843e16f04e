// Reads many plain records of CSV at once: no quote, escape or comment is in them, and each has all fields.

import type { ColumnType } from '../../column.ts'
import { type FieldVector, fieldOf } from '../../column-batch.ts'
import { Rejection } from '../../format.ts'
import { rowsMaker } from '../../kits/rows/rows-maker.ts'
import { plainIntegerOf, plainNumberOf } from '../../kits/text/plain-number.ts'
import { copyOf, endOfScan, type Scan } from '../../scan.ts'
import type { Spans } from '../../spans.ts'
import { TextField, wholeText } from '../../text-field.ts'
import { TextTable } from '../../text-table.ts'
import { cutVector, type Vector } from '../../vector.ts'
import { type Convert, converterOf, MISFIT } from './convert.ts'
import { CR, codeOf, type Dialect, LF } from './dialect.ts'
import type { Row, RowOptions } from './rows.ts'

/** Of more columns than this, a block holds too few rows to read them side by side. */
const MOST_COLUMNS = 200

/** One column of the rows. */
interface ScannedColumn {
  readonly name: string
  /** Which field of a record it is. */
  readonly place: number
  readonly type: ColumnType
  readonly convert: Convert
  readonly texts: TextTable
}

/** A reader of plain records; undefined for a dialect in which few are plain. */
export function csvScan(dialect: Dialect, lineEnd: number, options: RowOptions): Scan<Row> | undefined {
  const { delimiter, quote, escape: escapeMark, trim, nulls, maxFields } = dialect
  const comment = codeOf(dialect.comment)
  const { names, columns, values, keepsNulls } = options
  const delimiterCode = delimiter.length === 1 ? delimiter.charCodeAt(0) : 0x80
  if (lineEnd !== LF || delimiterCode >= 0x80 || trim || nulls !== undefined || keepsNulls) return undefined
  if (names.length === 0 || names.length > Math.min(maxFields, MOST_COLUMNS)) return undefined
  const scanned = (columns ?? names.map((name) => [name, 'text'] as const)).map(([name, type]): ScannedColumn => {
    const convert = converterOf(name, type, values)
    return { name, place: names.indexOf(name), type, convert, texts: new TextTable() }
  })
  const make = rowsMaker(scanned.map(({ name }) => name))
  const hasMarks = values.marks !== undefined
  const stride = names.length

  return {
    odd: [codeOf(quote), codeOf(escapeMark)].filter((code) => code !== -1),
    read(bytes, from, to, max) {
      const {
        bounds,
        count: most,
        lineGap,
        isAtOdd,
      } = cutLines(bytes, from, endOfScan(bytes, from, to), { max, stride, delimiter: delimiterCode, comment })
      const startOf = (index: number): number => bounds[index * stride] as number
      const copy = copyOf(bytes, from, from + startOf(most))
      const all = { bytes: copy, bounds, stride, isEmptyNull: columns !== undefined }
      const gapAt = (place: number): number => (place === stride - 1 ? lineGap : 1)
      const typed = scanned.map(({ type, place, convert }) =>
        type === 'text'
          ? undefined
          : valuesOf({ ...all, place, gap: gapAt(place), count: most }, type, convert, hasMarks),
      )
      const count = typed.reduce((least, one) => Math.min(least, one?.count ?? most), most)
      const whole = wholeText(copy)
      const fields = new Map(
        scanned.map(({ name, place, texts }, at): [string, FieldVector] => {
          const vector = typed[at]?.vector
          const text = (): FieldVector => new TextField({ ...all, place, gap: gapAt(place), count }, texts, whole)
          return [name, vector === undefined ? text() : fieldOf(cutVector(vector, 0, count))]
        }),
      )
      return { count, isAtOdd: isAtOdd || count < most, startOf, lineGap, bytes: copy, whole, fields, make }
    },
  }
}

interface CutOptions {
  readonly max: number
  /** How many fields a record has. */
  readonly stride: number
  readonly delimiter: number
  readonly comment: number
}

/**
 * Where the fields of records begin, one after the other, and where the next record would; up to the first record that
 * has more or fewer of them, or is blank.
 */
function cutLines(
  bytes: Buffer,
  from: number,
  to: number,
  { max, stride, delimiter, comment }: CutOptions,
): { readonly count: number; readonly bounds: Int32Array; readonly lineGap: number; readonly isAtOdd: boolean } {
  const most = Math.min(max, Math.ceil((to - from) / stride))
  const bounds = new Int32Array(most * stride + 1)
  let count = 0
  let at = from
  // All lines end as the first one does.
  const lineGap = bytes[bytes.indexOf(LF, from) - 1] === CR ? 2 : 1
  for (let next = 1; count < most && at < to; count += 1, next += stride) {
    if (bytes[at + lineGap - 1] === LF || bytes[at] === comment) break
    const last = next + stride - 1
    let field = next
    let byte = bytes[at] as number
    for (;;) {
      if (byte === delimiter) {
        if (field === last) break
        bounds[field] = at + 1 - from
        field += 1
      } else if (byte === LF) break
      at += 1
      byte = bytes[at] as number
    }
    if (field !== last || byte !== LF || (bytes[at - 1] === CR) !== (lineGap === 2)) break
    at += 1
    bounds[last] = at - from
  }
  return { count, bounds, lineGap, isAtOdd: from === to || (count < most && at < to) }
}

interface Values {
  readonly vector: Vector
  /** How many there are, up to the first that is not of its type. */
  readonly count: number
}

function valuesOf(spans: Spans, type: ColumnType, convert: Convert, hasMarks: boolean): Values {
  if (type !== 'integer' && type !== 'real' && type !== 'time') return others(spans, convert)
  return numbers(spans, hasMarks ? undefined : READ[type], convert)
}

type ReadNumber = (bytes: Buffer, from: number, to: number) => number

/** The fast way for what is written plainly. */
const READ: Readonly<Record<'integer' | 'real' | 'time', ReadNumber | undefined>> = {
  integer: plainIntegerOf,
  real: plainNumberOf,
  time: undefined,
}

function numbers(spans: Spans, read: ReadNumber | undefined, convert: Convert): Values {
  const { bytes, bounds, stride, place, gap, count } = spans
  const values = new Float64Array(count)
  let nulls: Uint8Array | undefined
  for (let i = 0, at = place; i < count; i += 1, at += stride) {
    const from = bounds[at] as number
    const to = (bounds[at + 1] as number) - gap
    if (from === to) {
      nulls ??= new Uint8Array(count)
      nulls[i] = 1
      continue
    }
    let value = read === undefined ? Number.NaN : read(bytes, from, to)
    if (Number.isNaN(value)) {
      const converted = convert(bytes.toString('utf8', from, to))
      if (typeof converted !== 'number') return { vector: { kind: 'numbers', values, nulls }, count: i }
      value = converted
    }
    values[i] = value
  }
  return { vector: { kind: 'numbers', values, nulls }, count }
}

function others({ bytes, bounds, stride, place, gap, count }: Spans, convert: Convert): Values {
  const values: unknown[] = []
  for (let i = 0, at = place; i < count; i += 1, at += stride) {
    const from = bounds[at] as number
    const to = (bounds[at + 1] as number) - gap
    const value = from === to ? null : convert(bytes.toString('utf8', from, to))
    if (value === MISFIT || value instanceof Rejection) return { vector: { kind: 'values', values }, count: i }
    values.push(value)
  }
  return { vector: { kind: 'values', values }, count }
}
