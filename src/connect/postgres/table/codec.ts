// How values go into a column, by the type that the column has in the server.

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
  WHOLE,
} from '../../kits/sql/codec.ts'
import type { FoundColumn } from './catalogue.ts'
import {
  arrayWriter,
  decimalWriter,
  limitedTextWriter,
  MAX_VALUE_BYTES,
  timeOfDayWriter,
  timeWriter,
  type WriteValue,
  writeAnyText,
  writeBoolean,
  writeBytes,
  writeCast,
  writeDate,
  writeDouble,
  writeEpoch,
  writeFloat,
  writeInt16,
  writeInt32,
  writeInt64OrTime,
  writeJson,
  writeJsonb,
  writeText,
  writeUuid,
} from './value.ts'

/** How values go into a column. */
export type Codec = ColumnCodec<WriteValue>

type Made = Pick<Codec, 'write' | 'words' | 'takes'> & { readonly like?: ColumnType }

const TIMES: readonly ColumnType[] = ['time', 'text']
const LIKE_INTEGER = { takes: ['integer', 'decimal'], like: 'integer' } as const
const LIKE_REAL = { takes: ['real', 'integer', 'decimal'], like: 'real' } as const

/** The codec of an existing column. */
export function codecOf(column: FoundColumn, options: CodecOptions): Codec {
  const { element, modifier } = column
  if (element !== undefined) {
    const { write, words, isCast } = codecOf({ ...column, ...element, element: undefined }, NOT_NAMED)
    if (!isCast) {
      const ofArray = {
        write: arrayWriter(write, element.oid),
        words: `arrays of ${words}`,
        takes: ['json', 'text'] as const,
      }
      return { ...ofArray, like: undefined, isCast: false }
    }
  }
  const made = column.labels === undefined ? madeFor(column.type, modifier, options) : labelled(column.labels)
  if (made !== undefined) {
    const { write } = made
    const strict: WriteValue = (out, value) => typeof value !== 'string' && write(out, value)
    return { like: undefined, ...made, write: isForNumbers(options) ? strict : write, isCast: false }
  }
  const words = `texts as the server writes ${column.declared}`
  return { write: writeCast, words, takes: TEXT, like: undefined, isCast: true }
}

/** Why a column does not take `value`, for people. */
export function faultOfValue(column: string, { words }: Codec, value: unknown): string {
  if (typeof value === 'string' && value.length * 3 > MAX_VALUE_BYTES)
    return `column ${column} takes at most ${MAX_VALUE_BYTES} bytes: found a text of ${value.length} characters`
  return faultOf(column, words, value, 'a negative zero, a NUL or half of a surrogate pair')
}

const NOT_NAMED: CodecOptions = { named: undefined, takesAnyText: false }
const TEXT: readonly ColumnType[] = ['text']

function madeFor(type: string, modifier: number, { named, takesAnyText }: CodecOptions): Made | undefined {
  switch (type) {
    case 'text':
    case 'varchar':
    case 'citext':
      return textOf(modifier, takesAnyText)
    case 'bpchar':
      return {
        write: limitedTextWriter(Math.max(1, modifier - 4), true),
        words: `text of at most ${Math.max(1, modifier - 4)} characters, without trailing blanks`,
        takes: TEXT,
        like: 'text',
      }
    case 'uuid':
      return { write: writeUuid, words: 'UUIDs', takes: TEXT }
    case 'int2':
      return { write: writeInt16, words: 'integers from -32768 to 32767', ...LIKE_INTEGER }
    case 'int4':
      return { write: writeInt32, words: 'integers from -2147483648 to 2147483647', ...LIKE_INTEGER }
    case 'int8':
      if (named === 'time') return { write: writeEpoch, words: DATES, takes: ['time'] }
      return {
        write: writeInt64OrTime,
        words: WHOLE,
        takes: ['integer', 'decimal', 'time'],
        like: 'integer',
      }
    case 'float4':
      return { write: writeFloat, words: 'numbers that 32-bit floating point holds exactly', ...LIKE_REAL }
    case 'float8':
      return { write: writeDouble, words: 'numbers that 64-bit floating point holds exactly', ...LIKE_REAL }
    case 'numeric':
      return numericOf(modifier)
    case 'bool':
      return { write: writeBoolean, words: 'true and false', takes: ['boolean'], like: 'boolean' }
    case 'timestamptz':
    case 'timestamp': {
      const digits = modifier < 0 ? 6 : modifier
      const words = `${DATES}, with at most ${digits} digits of a second, from 4714 BC`
      return { write: timeWriter(digits), words, takes: TIMES, like: 'time' }
    }
    case 'date':
      return {
        write: writeDate,
        words: 'days, such as 2024-02-29, or times at midnight, UTC',
        takes: TIMES,
        like: 'time',
      }
    case 'time': {
      const digits = modifier < 0 ? 6 : modifier
      const words = `times of day such as 23:59:59, with at most ${digits} digits of a second`
      return { write: timeOfDayWriter(digits), words, takes: TEXT }
    }
    case 'json':
      return { write: writeJson, words: JSON_WORDS, takes: ['json'], like: 'json' }
    case 'jsonb':
      return { write: writeJsonb, words: JSON_WORDS, takes: ['json'], like: 'json' }
    case 'bytea':
      return { write: writeBytes, words: 'bytes, as a Uint8Array', takes: ['bytes'], like: 'bytes' }
    default:
      return undefined
  }
}

function labelled(labels: readonly string[]): Made {
  const known = new Set<unknown>(labels)
  return { write: (out, value) => known.has(value) && writeText(out, value), words: oneOf(labels), takes: TEXT }
}

function textOf(modifier: number, takesAnyText: boolean): Made {
  const ofText = { takes: ['text', 'decimal'], like: 'text' } as const
  if (modifier >= 4) {
    return {
      ...ofText,
      write: limitedTextWriter(modifier - 4, false),
      words: `at most ${modifier - 4} characters`,
    }
  }
  return takesAnyText
    ? { ...ofText, write: writeAnyText, words: 'text, and values that have a text form' }
    : { ...ofText, write: writeText, words: 'text' }
}

function numericOf(modifier: number): Made {
  const ofNumbers = { takes: ['decimal', 'integer', 'real'], like: 'decimal' } as const
  if (modifier < 4) return { ...ofNumbers, write: decimalWriter(), words: 'decimal numbers' }
  const precision = ((modifier - 4) >> 16) & 0xffff
  // Eleven bits with a sign: a negative scale rounds before the point.
  const scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024
  const [whole, fraction] = scale < 0 ? [0, 0] : [Math.max(0, precision - scale), scale]
  return { ...ofNumbers, write: decimalWriter(whole, fraction), words: decimalsOf(whole, fraction) }
}
