// The source of CSV files: rows with the columns of a header, plain or typed.

import { checkChoice, checkInteger, checkKeys, describeValue } from '../../base/check.ts'
import { COLUMN_TYPES, type Columns, type ColumnType } from '../column.ts'
import type { BigInts } from '../csv/convert.ts'
import type { Dialect } from '../csv/dialect.ts'
import { csvRecords } from '../csv/records.ts'
import { MAX_RECORD_BYTES } from '../files/record-cutter.ts'
import type { Json, Source } from '../source.ts'
import { checkRecordBytes, READ_FILES_OPTIONS, type ReadFilesOptions, recordFiles } from './files.ts'

export interface CsvOptions<C extends Columns | undefined = Columns | undefined, B extends BigInts = BigInts>
  extends ReadFilesOptions {
  /** What stands between fields: one ASCII character, `,` by default; `auto` finds out which of `,` `;` TAB `|`. */
  readonly delimiter?: string
  /** What stands around fields: one ASCII character, `"` by default; false if nothing does. Doubled inside of them. */
  readonly quote?: string | false
  /**
   * Whether the first record names the columns: true by default. False numbers them, `column1` and so on; names are
   * those of a file without a header.
   */
  readonly header?: boolean | readonly string[]
  /** The columns that rows are to have, with their types. All columns of the file, as text, by default. */
  readonly columns?: C
  /** What becomes of an `integer` beyond 2^53: a dead letter by default, or a bigint of up to 64 bits. */
  readonly bigints?: B
  /** Whether spaces and tabs around fields are dropped; false by default. Those inside of quotes always stay. */
  readonly trim?: boolean
  /** What a line begins with that is left out: one ASCII character. None by default. */
  readonly comment?: string
  /**
   * What becomes of records that have not as many fields as there are columns: `dead` makes dead letters of them (the
   * default), `pad` takes what is missing for empty, and drops what is too much if that is empty.
   */
  readonly onRagged?: 'dead' | 'pad'
  /** Whether quoted fields may hold line ends; true by default. False lets `splitBytes` cut a file. */
  readonly quotedNewlines?: boolean
  /** Longest record in bytes, without its line end; a longer one is a dead letter. 1 MiB by default. */
  readonly maxRecordBytes?: number
  /** Most fields of a record; one with more is a dead letter. 10,000 by default. */
  readonly maxFields?: number
}

/** A row: of typed columns each is a value or, where the field was empty, null. */
export type CsvRow<C extends Columns | undefined, B extends BigInts = 'reject'> = C extends Columns
  ? { readonly [K in keyof C]: CsvValue<C[K], B> | null }
  : Readonly<Record<string, string>>

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

const OPTIONS = [
  'delimiter',
  'quote',
  'header',
  'columns',
  'bigints',
  'trim',
  'comment',
  'onRagged',
  'quotedNewlines',
  'maxRecordBytes',
  'maxFields',
  ...READ_FILES_OPTIONS,
]
/** What a text can be read as; bytes have no form in CSV. */
const TYPES = COLUMN_TYPES.filter((type) => type !== 'bytes')

/**
 * The rows of CSV files, as RFC 4180 has them and as they are found. Names, compression, limits and resuming are those
 * of {@link files}.
 *
 * - **Records** end at LF or CR LF, or at CR where a file's first line does; empty ones, ones of blanks, and comments are
 *   counted as blank. A field in quotes may hold delimiters, doubled quotes and line ends; a quote inside a field that
 *   does not begin with one is text. A quote that is not closed costs the line it stands in, not what follows.
 * - **Header**: a name that comes again gets a number (`price_2`), one that is empty its place (`column3`). `__proto__`
 *   is a name like any other. In a run over many files each has its own header, and may have its columns in another order.
 * - **Rows** are plain objects: text for each column, or the `columns` that were asked for, in their order. Of those an
 *   empty field is null (in quotes it is a `text` of no characters), `integer`, `real`, `boolean` (true, false, t, f,
 *   yes, no, y, n, 1, 0), `time` (a date, or ISO 8601; UTC unless it says otherwise) and `json` are converted exactly.
 * - **Dead letters**: a value that its column does not take, too few or too many fields, malformed quotes, a NUL,
 *   records over a limit. Bytes that are no UTF-8 become U+FFFD and are counted; files in UTF-16 are refused line by line.
 * - **Splits**: with `quotedNewlines: false`, plain files are cut into ranges of `splitBytes`. A line end cannot be told
 *   from one in quotes without reading all before it, so that they are not cut otherwise.
 *
 * @throws {TypeError | RangeError} for options that there are not, or that cannot be together
 * @throws {SluiceError} as {@link files}; from `open`, also CONFIG_INVALID if a file lacks one of `columns`, and
 *   SOURCE_CORRUPT if its header cannot be read
 * @example
 * const orders = csv('orders/*.csv', { columns: { id: 'integer', price: 'real' } })
 * orders.title // => 'orders/*.csv as csv'
 * orders.columns // => { id: 'integer', price: 'real' }
 */
export function csv<const C extends Columns | undefined = undefined, const B extends BigInts = 'reject'>(
  input: string | readonly string[],
  options: CsvOptions<C, B> = {},
): Source<CsvRow<C, B>> {
  checkOptions(options)
  const { maxRatio, maxTotalBytes, splitBytes, allowSpecial } = options
  const records = csvRecords({
    dialect: dialectOf(options),
    delimiter: options.delimiter === 'auto' ? undefined : (options.delimiter ?? ','),
    header: options.header ?? true,
    columns: options.columns,
    bigints: options.bigints ?? 'reject',
    onRagged: options.onRagged ?? 'dead',
  })
  return recordFiles(input, {
    kind: 'csv',
    columns: options.columns,
    records,
    ...(maxRatio === undefined ? {} : { maxRatio }),
    ...(maxTotalBytes === undefined ? {} : { maxTotalBytes }),
    ...(splitBytes === undefined ? {} : { splitBytes }),
    ...(allowSpecial === undefined ? {} : { allowSpecial }),
  }) as Source<CsvRow<C, B>>
}

function dialectOf(options: CsvOptions): Omit<Dialect, 'delimiter'> {
  return {
    quote: options.quote === false ? undefined : (options.quote ?? '"'),
    comment: options.comment,
    trim: options.trim ?? false,
    quotedNewlines: options.quotedNewlines ?? true,
    maxFields: options.maxFields ?? 10_000,
    maxRecordBytes: options.maxRecordBytes ?? MAX_RECORD_BYTES,
  }
}

function checkOptions(options: CsvOptions): void {
  checkKeys('csv', options, OPTIONS)
  const { delimiter, quote, comment, header, columns, maxFields, splitBytes, quotedNewlines } = options
  if (delimiter !== 'auto') checkCharacter('delimiter', delimiter)
  if (quote !== false) checkCharacter('quote', quote)
  checkCharacter('comment', comment)
  checkApart({ delimiter: delimiter ?? ',', quote: quote ?? '"', comment })
  for (const name of ['trim', 'quotedNewlines'] as const) checkBoolean(name, options[name])
  if (options.bigints !== undefined) checkChoice('bigints', options.bigints, ['reject', 'bigint'])
  if (options.onRagged !== undefined) checkChoice('onRagged', options.onRagged, ['dead', 'pad'])
  checkRecordBytes('maxRecordBytes', options.maxRecordBytes)
  if (maxFields !== undefined) checkInteger('maxFields', maxFields, 1)
  if (header !== undefined) checkHeader(header)
  if (columns !== undefined) checkColumns(columns)
  const isCut = splitBytes !== undefined && splitBytes !== Number.POSITIVE_INFINITY
  if (!isCut || quote === false || quotedNewlines === false) return
  throw new TypeError('splitBytes can cut only files without line ends in quotes: say so with quotedNewlines: false')
}

/** One of ASCII that is no part of a line end. */
function checkCharacter(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'string' && /^[\t\x20-\x7e]$/.test(value))) return
  throw new TypeError(`${name} must be one printable ASCII character, or TAB: found ${describeValue(value)}`)
}

function checkApart(characters: Readonly<Record<string, unknown>>): void {
  const taken = new Map<unknown, string>()
  for (const [name, character] of Object.entries(characters)) {
    if (character === undefined || character === false) continue
    const other = taken.get(character)
    if (other !== undefined)
      throw new RangeError(`${name} and ${other} must differ: both are ${describeValue(character)}`)
    taken.set(character, name)
  }
}

function checkBoolean(name: string, value: unknown): void {
  if (value === undefined || typeof value === 'boolean') return
  throw new TypeError(`${name} must be true or false: found ${describeValue(value)}`)
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
