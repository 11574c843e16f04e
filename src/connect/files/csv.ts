// The source of CSV files: rows with the columns of a header, as text or typed.

import { checkChoice, describeValue } from '../../base/check.ts'
import {
  anything,
  type Check,
  type Checks,
  checkOptions,
  choice,
  fitting,
  integer,
  trueOrFalse,
} from '../../base/options.ts'
import { COLUMN_TYPES, type Columns, type ColumnType } from '../column.ts'
import type { BigInts, ValueRules } from '../formats/csv/convert.ts'
import type { Dialect } from '../formats/csv/dialect.ts'
import { numberMarks } from '../formats/csv/numbers.ts'
import { csvRecords } from '../formats/csv/records.ts'
import type { OnRagged } from '../formats/csv/rows.ts'
import { MAX_RECORD_BYTES } from '../kits/files/records/record-cutter.ts'
import { columnTimes, type TimeForms } from '../kits/time/columns.ts'
import { TIME_OPTIONS, type TimeOptions, timeRules } from '../kits/time/rules.ts'
import type { Json, Source } from '../source.ts'
import { READ_FILES_OPTIONS, RECORD_BYTES, type ReadFilesOptions, readFilesOptions, recordFiles } from './source.ts'

export interface CsvSourceOptions<
  C extends Columns | undefined = Columns | undefined,
  B extends BigInts = BigInts,
  N extends readonly string[] | undefined = readonly string[] | undefined,
> extends ReadFilesOptions,
    TimeOptions {
  /**
   * The field separator: one character or several, `,` by default, or what a first line `sep=;` says; `auto` detects
   * which of `,` `;` TAB `|` it is.
   */
  readonly delimiter?: string
  /**
   * The quote character: one ASCII character, `"` by default; false for no quoting. It is doubled inside of quoted
   * fields.
   */
  readonly quote?: string | false
  /**
   * The escape character, in quotes and outside: `\\` as MySQL and PostgreSQL write it. `\\n`, `\\t` and the like are
   * control characters then. False if a backslash is text; by default, a backslash before a quote in an unquoted field
   * makes a dead letter.
   */
  readonly escape?: string | false
  /**
   * Whether the first record names the columns: true by default. False numbers them, `column1` and so on; an array
   * names those of a file without a header.
   */
  readonly header?: boolean | readonly string[]
  /** How many lines precede the header, or the first record. 0 by default. */
  readonly skip?: number
  /** The columns of the rows, with their types. All columns of the file, as text, by default. */
  readonly columns?: C
  /** How times are written, for all columns or one by one: `iso` (the default), `s`, `ms`, `us`, `ns`, or a pattern. */
  readonly time?: TimeForms
  /** Unquoted texts that stand for null: `NULL`, `\\N`. `['']` by default, and none without `columns`. */
  readonly nulls?: N
  /** The decimal separator. `.` by default. */
  readonly decimal?: '.' | ','
  /** The thousands separator: one character. None by default. */
  readonly thousands?: string
  /** What becomes of an `integer` beyond 2^53: a dead letter by default, or a bigint of up to 64 bits. */
  readonly bigints?: B
  /** Whether spaces and tabs around fields are dropped; false by default. Those inside of quotes always stay. */
  readonly trim?: boolean
  /** Lines that start with it are skipped: one ASCII character. None by default. */
  readonly comment?: string
  /**
   * What becomes of records with too few or too many fields: `dead` makes dead letters of them (the default), `pad`
   * treats missing ones as empty, and drops surplus ones if they are empty, `cut` drops them in any case.
   */
  readonly onRagged?: OnRagged
  /** Whether quoted fields may hold line ends; true by default. False lets `splitBytes` cut a file. */
  readonly quotedNewlines?: boolean
  /** Longest record in bytes, without its line end; a longer one becomes a dead letter. 1 MiB by default. */
  readonly maxRecordBytes?: number
  /** Most fields of a record; one with more becomes a dead letter. 10,000 by default. */
  readonly maxFields?: number
}

/** A row: each value of typed columns is null if the field was empty. */
export type CsvRow<
  C extends Columns | undefined,
  B extends BigInts = 'reject',
  N extends readonly string[] | undefined = undefined,
> = C extends Columns
  ? { readonly [K in keyof C]: CsvValue<C[K], B> | null }
  : Readonly<Record<string, [N] extends [readonly string[]] ? string | null : string>>

type CsvValue<T extends ColumnType, B extends BigInts> = {
  text: string
  integer: B extends 'bigint' ? number | bigint : number
  real: number
  decimal: string
  boolean: boolean
  time: number
  json: Json
  bytes: never
}[T]

const CHARACTER = fitting(
  (value) => typeof value === 'string' && /^[\t\x20-\x7e]$/.test(value),
  'one printable ASCII character, or TAB',
)
const CHARACTER_OR_NONE: Check = (name, value) => {
  if (value !== false) CHARACTER(name, value)
}
const OPTIONS: Checks<CsvSourceOptions> = {
  delimiter: fitting(
    (value) => typeof value === 'string' && /^[^\r\n\0]{1,20}$/.test(value) && value.isWellFormed(),
    'one character or several, none of them a line end',
  ),
  quote: CHARACTER_OR_NONE,
  escape: CHARACTER_OR_NONE,
  header: (_name, value) => checkHeader(value),
  skip: integer(0, 10_000),
  columns: (_name, value) => checkColumns(value),
  time: anything,
  nulls: fitting(
    (value) => Array.isArray(value) && value.every((word) => typeof word === 'string'),
    'an array of texts',
  ),
  decimal: choice('.', ','),
  thousands: fitting(
    (value) => typeof value === 'string' && /^[^0-9+\-eE]$/u.test(value),
    'one character that is not part of a number',
  ),
  bigints: choice('reject', 'bigint'),
  trim: trueOrFalse,
  comment: CHARACTER,
  onRagged: choice('dead', 'pad', 'cut'),
  quotedNewlines: trueOrFalse,
  maxRecordBytes: RECORD_BYTES,
  maxFields: integer(1),
  ...TIME_OPTIONS,
  ...READ_FILES_OPTIONS,
}
const TYPES = COLUMN_TYPES.filter((type) => type !== 'bytes')

/**
 * The rows of CSV files, by RFC 4180 and as they are found in practice. Names, compression, limits and resuming are
 * those of {@link fileSource}.
 *
 * - **Records** end at LF or CR LF, or at CR if a file's first line does; empty lines and comments are counted as
 *   blank, and spaces are part of a field unless `trim` drops them. A quoted field may hold delimiters, doubled quotes
 *   and line ends; a quote inside an unquoted field is text. An unclosed quote costs the line it is in, not what
 *   follows.
 * - **Header**: a repeated name gets a number (`price_2`), an empty one its position (`column3`). `__proto__` is a name
 *   like any other. In a run over many files each has its own header, and may have its columns in another order.
 * - **Rows** are plain objects: text for each column, or the requested `columns`, in their order. For those, an empty
 *   field is null (in quotes it is an empty `text`), `integer`, `real`, `decimal` (its digits), `boolean` (true, false,
 *   t, f, yes, no, y, n, 1, 0), `time` (as `time` says; UTC unless it or `timeZone` says otherwise) and `json` are
 *   converted exactly.
 * - **Dead letters**: a value that its column does not accept, too few or too many fields, malformed quotes, a NUL,
 *   bytes that are not text in the file's encoding, records over a limit.
 * - **Splits**: with `quotedNewlines: false`, plain files are cut into ranges of `splitBytes`. Otherwise they are not:
 *   a line end inside quotes can only be recognized by reading everything before it. Nor is UTF-16.
 *
 * @throws {TypeError | RangeError} for unknown or conflicting options
 * @throws {SluiceError} as {@link fileSource}; from `open`, also CONFIG_INVALID if a file lacks one of `columns`, and
 *   SOURCE_CORRUPT if its header cannot be read
 * @example
 * const orders = csvSource('orders/*.csv', { columns: { id: 'integer', price: 'real' } })
 * orders.title // => 'orders/*.csv as csv'
 * orders.columns // => { id: 'integer', price: 'real' }
 */
export function csvSource<
  const C extends Columns | undefined = undefined,
  const B extends BigInts = 'reject',
  const N extends readonly string[] | undefined = undefined,
>(input: string | readonly string[], options: CsvSourceOptions<C, B, N> = {}): Source<CsvRow<C, B, N>> {
  checkOptions('csvSource', options, OPTIONS)
  checkTogether(options)
  const { delimiter, header = true, skip = 0, columns, nulls, onRagged = 'dead', malformed = 'reject' } = options
  const records = csvRecords({
    dialect: dialectOf(options),
    delimiter,
    header,
    skip,
    columns,
    values: valuesOf(options),
    keepsNulls: nulls !== undefined,
    onRagged,
    malformed,
  })
  const files = recordFiles(input, { ...readFilesOptions(options), kind: 'csv', columns, records })
  return { ...files, isTabular: true, over: (others) => csvSource(others, options) } as Source<CsvRow<C, B, N>>
}

function valuesOf({ bigints = 'reject', decimal = '.', thousands, time, ...rest }: CsvSourceOptions): ValueRules {
  const marks = decimal === '.' && thousands === undefined ? undefined : numberMarks(decimal, thousands)
  return { bigints, marks, timeOf: columnTimes(time, timeRules(rest)) }
}

function dialectOf(options: CsvSourceOptions): Omit<Dialect, 'delimiter'> {
  return {
    quote: options.quote === false ? undefined : (options.quote ?? '"'),
    escape: options.escape,
    comment: options.comment,
    trim: options.trim ?? false,
    quotedNewlines: options.quotedNewlines ?? true,
    nulls: options.nulls,
    maxFields: options.maxFields ?? 10_000,
    maxRecordBytes: options.maxRecordBytes ?? MAX_RECORD_BYTES,
  }
}

/** Rejects conflicting options. */
function checkTogether(options: CsvSourceOptions): void {
  const { delimiter = ',', quote = '"', comment, splitBytes, quotedNewlines } = options
  const { thousands, decimal = '.', time, columns } = options
  checkApart({ delimiter, quote, escape: options.escape, comment })
  if (thousands === decimal)
    throw new RangeError(`decimal and thousands must differ: both are ${describeValue(thousands)}`)
  for (const name of typeof time === 'object' ? Object.keys(time ?? {}) : [])
    if (columns?.[name] !== 'time')
      throw new TypeError(`time names the column ${describeValue(name)}, which is not a time in columns`)
  const isCut = splitBytes !== undefined && splitBytes !== Number.POSITIVE_INFINITY
  if (!isCut || (quote === false && typeof options.escape !== 'string') || quotedNewlines === false) return
  throw new TypeError('splitBytes can cut only files without line ends in quotes: say so with quotedNewlines: false')
}

function checkApart({ delimiter, ...characters }: Readonly<Record<string, unknown>>): void {
  const taken = new Map<unknown, string>()
  for (const [name, character] of Object.entries(characters)) {
    if (character === undefined || character === false) continue
    const other = `${delimiter}`.includes(`${character}`) ? 'delimiter' : taken.get(character)
    if (other !== undefined)
      throw new RangeError(`${name} and ${other} must differ: both are ${describeValue(character)}`)
    taken.set(character, name)
  }
}

function checkHeader(header: unknown): void {
  if (typeof header === 'boolean') return
  if (
    !Array.isArray(header) ||
    header.length === 0 ||
    !header.every((name) => typeof name === 'string' && name !== '')
  ) {
    throw new TypeError(`header must be true, false, or an array of names: found ${describeValue(header)}`)
  }
  const twice = header.find((name, place) => header.indexOf(name) !== place)
  if (twice !== undefined) throw new RangeError(`header names must differ: ${describeValue(twice)} comes twice`)
}

function checkColumns(columns: unknown): void {
  const entries = typeof columns === 'object' && columns !== null ? Object.entries(columns) : []
  if (entries.length === 0) throw new TypeError(`columns must be names with types: found ${describeValue(columns)}`)
  for (const [name, type] of entries) checkChoice(`the type of column ${name}`, type, TYPES)
}
