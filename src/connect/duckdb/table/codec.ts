// How values go into a column, by the type that the column has in DuckDB.

import type { ColumnType } from '../../column.ts'
import {
  type CodecOptions,
  type ColumnCodec,
  DATES,
  decimalsOf,
  faultOf,
  isForNumbers,
  JSON_WORDS,
  oneOf,
} from '../../kits/sql/codec.ts'
import {
  anyText,
  booleanText,
  bytesText,
  dayText,
  decimalWriter,
  doubleText,
  floatText,
  jsonText,
  listText,
  microsText,
  nanosText,
  plainText,
  textOrJson,
  timeOfDayText,
  uuidText,
  type WriteText,
  wholeText,
} from './value.ts'

/** How values go into a column. */
export interface Codec extends ColumnCodec<WriteText> {
  /** The SQL expression of the column's value, from the transferred text. */
  readonly read: (text: string) => string
}

type Made = Pick<Codec, 'write' | 'words' | 'takes' | 'like'> & Partial<Codec>

/** DuckDB's types of the columns created. */
export const DECLARED: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  json: 'VARCHAR',
  integer: 'BIGINT',
  real: 'DOUBLE',
  decimal: 'DECIMAL(38,9)',
  boolean: 'BOOLEAN',
  time: 'TIMESTAMP',
  bytes: 'BLOB',
}

/** Types that DuckDB makes from text; it alone says whether they come back unchanged. */
const CAST = ['INTERVAL', 'BIT', 'TIME WITH TIME ZONE']

/**
 * The codec of an existing column; undefined for a type that cannot be written.
 *
 * @param labels - the labels of an enum
 */
export function codecOf(type: string, options: CodecOptions, labels: readonly string[] = []): Codec | undefined {
  const list = /^(.*)\[(\d*)\]$/s.exec(type)
  if (list !== null) {
    const [, elementType = '', size = ''] = list
    const element = codecOf(elementType, { named: 'text', takesAnyText: false }, labels)
    if (element === undefined || element.isCast || !isPlain(elementType)) return undefined
    return {
      write: listText(element.write, size === '' ? undefined : Number(size)),
      read: (text) => `cast(${text}::json as ${type})`,
      words: `arrays${size === '' ? '' : ` of length ${size}`} of ${element.words}`,
      like: undefined,
      takes: ['json'],
      isCast: false,
    }
  }
  const made = madeFor(type, options, labels)
  if (made === undefined) return undefined
  const { write } = made
  const strict: WriteText = (value) => (typeof value === 'string' ? undefined : write(value))
  return { read: (text) => `${text}::${type}`, isCast: false, ...made, write: isForNumbers(options) ? strict : write }
}

/** Whether DuckDB converts the text of a type by itself, as it must in lists. */
function isPlain(type: string): boolean {
  return WHOLE[type] !== undefined || /^(FLOAT|DOUBLE|DECIMAL\(.*|BOOLEAN|VARCHAR|UUID|ENUM\(.*)$/s.test(type)
}

/** Why a column does not take `value`, for people. */
export function faultOfValue(column: string, { words }: Codec, value: unknown): string {
  return faultOf(column, words, value, 'half of a surrogate pair')
}

const WHOLE: Readonly<Record<string, readonly [bigint | undefined, bigint | undefined]>> = {
  TINYINT: signed(8n),
  SMALLINT: signed(16n),
  INTEGER: signed(32n),
  BIGINT: signed(64n),
  HUGEINT: signed(128n),
  UTINYINT: unsigned(8n),
  USMALLINT: unsigned(16n),
  UINTEGER: unsigned(32n),
  UBIGINT: unsigned(64n),
  UHUGEINT: unsigned(128n),
  BIGNUM: [undefined, undefined],
}

function signed(bits: bigint): readonly [bigint, bigint] {
  return [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]
}

function unsigned(bits: bigint): readonly [bigint, bigint] {
  return [0n, 2n ** bits - 1n]
}

function madeFor(type: string, { named, takesAnyText }: CodecOptions, labels: readonly string[]): Made | undefined {
  const whole = WHOLE[type]
  if (whole !== undefined) {
    const [min, max] = whole
    const words = min === undefined ? 'exact integers' : `integers from ${min} to ${max}`
    return { write: wholeText(min, max), words, takes: ['integer', 'decimal'], like: 'integer' }
  }
  switch (type) {
    case 'FLOAT':
    case 'DOUBLE':
      return {
        write: type === 'FLOAT' ? floatText : doubleText,
        words: `numbers that ${type === 'FLOAT' ? 32 : 64}-bit floating point holds exactly`,
        takes: ['real', 'integer', 'decimal'],
        like: 'real',
      }
    case 'BOOLEAN':
      return { write: booleanText, words: 'true and false', takes: ['boolean'], like: 'boolean' }
    case 'VARCHAR':
      return { ...textFor(named, takesAnyText), read: (text) => text }
    case 'JSON':
      return { write: jsonText, words: JSON_WORDS, takes: ['json'], like: 'json', read: (text) => text }
    case 'BLOB':
      return {
        write: bytesText,
        words: 'bytes, as a Uint8Array',
        takes: ['bytes'],
        like: 'bytes',
        read: (text) => `unhex(${text})`,
      }
    case 'UUID':
      return { write: uuidText, words: 'UUIDs', takes: ['text'], like: undefined }
    case 'TIME':
      return { write: timeOfDayText, words: 'times of day such as 23:59:59.999999', takes: ['text'], like: undefined }
    case 'DATE': {
      const words = 'days, such as 2024-02-29, or times at midnight, UTC'
      return timeFor(type, dayText, words, (text) => `date '1970-01-01' + try_cast(${text} as integer)`)
    }
    case 'TIMESTAMP':
      return timeFor(type, microsText(1), `${DATES} down to the microsecond`, madeBy('make_timestamp'))
    case 'TIMESTAMP WITH TIME ZONE':
      return timeFor(type, microsText(1), `${DATES} down to the microsecond`, madeBy('make_timestamptz'))
    case 'TIMESTAMP_MS':
      return timeFor(type, microsText(1000), `${DATES} down to the millisecond`, madeBy('make_timestamp'))
    case 'TIMESTAMP_S':
      return timeFor(type, microsText(1_000_000), `${DATES} of whole seconds`, madeBy('make_timestamp'))
    case 'TIMESTAMP_NS':
      return timeFor(type, nanosText, `${DATES} from 1677 to 2262`, madeBy('make_timestamp_ns'))
  }
  if (CAST.includes(type)) {
    return { write: plainText, words: `texts as DuckDB writes ${type}`, takes: ['text'], like: undefined, isCast: true }
  }
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type)
  if (decimal !== null) return decimalOf(Number(decimal[1]), Number(decimal[2]))
  return type.startsWith('ENUM(') ? labelled(labels) : undefined
}

function madeBy(name: string): (text: string) => string {
  return (text) => `${name}(try_cast(${text} as bigint))`
}

function timeFor(type: string, write: WriteText, words: string, read: (text: string) => string): Made {
  return {
    write,
    words,
    takes: ['time', 'text'],
    like: 'time',
    // Infinity is not a number of days or seconds; nearly all others are.
    read: (text) => `coalesce((${read(text)})::${type}, ${text}::${type})`,
  }
}

function textFor(named: ColumnType | undefined, takesAnyText: boolean): Made {
  const takes = ['text', 'json', 'decimal'] as const
  if (named === 'json') return { write: jsonText, words: JSON_WORDS, takes, like: 'json' }
  if (takesAnyText) return { write: anyText, words: 'text, and values that have a text form', takes, like: 'text' }
  if (named !== undefined) return { write: plainText, words: 'text', takes, like: 'text' }
  return { write: textOrJson, words: `text and ${JSON_WORDS}`, takes, like: 'text' }
}

function decimalOf(precision: number, scale: number): Made {
  return {
    write: decimalWriter(precision - scale, scale),
    words: decimalsOf(precision - scale, scale),
    takes: ['decimal', 'integer', 'real'],
    like: 'decimal',
  }
}

function labelled(labels: readonly string[]): Made {
  const known = new Set<unknown>(labels)
  const write: WriteText = (value) => (known.has(value) ? (value as string) : undefined)
  return { write, words: oneOf(labels), takes: ['text'], like: undefined }
}
