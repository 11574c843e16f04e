// Converts values from pages to JavaScript by their logical type: exactly, or rejected.

import { isUtf8 } from 'node:buffer'
import { unreachable } from '../../../base/invariant.ts'
import type { ColumnType } from '../../column.ts'
import { Rejection } from '../../format.ts'
import { escapeBytes } from '../../kits/files/records/raw.ts'
import { jsonParser } from '../../kits/json/parser.ts'
import { decimalOfBytes, decimalOfNumber } from './decimal-value.ts'
import type { SchemaElement } from './footer.ts'
import { type Meaning, meaningOf, type TimeUnit } from './meaning.ts'
import { type Conversion, physicalOf, Refusal } from './physical.ts'
import { clockText, dateText, timeNumber, timeText } from './time.ts'

/** What the caller wants values to be, if there is a choice. */
export interface ValueChoices {
  readonly times: TimeUnit | 'text'
  readonly decimals: 'text' | 'bigint'
  readonly binaryAsText: boolean
}

/** How the values of a column are converted, and their sink column. */
export interface ColumnValues {
  readonly conversion: Conversion
  readonly column: ColumnType
}

export function valuesOf(element: SchemaElement, choices: ValueChoices): ColumnValues {
  const meaning = meaningOf(element)
  const { type } = physicalOf(element)
  switch (meaning.kind) {
    case 'plain':
      if (type === 'BYTE_ARRAY' && choices.binaryAsText) return TEXT
      return PLAIN[type]
    case 'text':
      return TEXT
    case 'json':
      return { column: 'json', conversion: { ofBytes: jsonOf, isFresh: true } }
    case 'unsigned':
      return { column: 'integer', conversion: { ofNumber: type === 'INT32' ? unsigned32 : unsigned64, isFresh: false } }
    case 'decimal': {
      const { scale } = meaning
      const isText = choices.decimals === 'text'
      const conversion = {
        ofNumber: decimalOfNumber(scale, isText),
        ofBytes: decimalOfBytes(scale, isText),
        isFresh: !isText,
      }
      return { column: isText ? 'decimal' : 'json', conversion }
    }
    case 'date':
      return { column: 'text', conversion: { ofNumber: dateText, isFresh: false } }
    case 'time-of-day':
      return { column: 'text', conversion: { ofNumber: clockText(meaning.unit), isFresh: false } }
    case 'timestamp':
      return timestamps(meaning, choices.times)
    case 'uuid':
      return { column: 'text', conversion: { ofBytes: uuidOf, isFresh: false } }
    case 'float16':
      return { column: 'real', conversion: { ofBytes: float16Of, isFresh: false } }
    case 'interval':
      return { column: 'json', conversion: { ofBytes: intervalOf, isFresh: true } }
    case 'null':
      return { column: 'text', conversion: { ofNumber: () => null, ofBytes: () => null, isFresh: false } }
    default:
      return unreachable(meaning)
  }
}

const NUMBERS: Conversion = { isFresh: false }
const TEXT: ColumnValues = { column: 'text', conversion: { ofBytes: textOf, isFresh: false } }
const RAW: ColumnValues = {
  column: 'bytes',
  conversion: { ofBytes: (bytes, from, to) => new Uint8Array(bytes.subarray(from, to)), isFresh: true },
}

const PLAIN = {
  BOOLEAN: { column: 'boolean', conversion: NUMBERS },
  INT32: { column: 'integer', conversion: NUMBERS },
  INT64: { column: 'integer', conversion: NUMBERS },
  INT96: RAW,
  FLOAT: { column: 'real', conversion: NUMBERS },
  DOUBLE: { column: 'real', conversion: NUMBERS },
  BYTE_ARRAY: RAW,
  FIXED_LEN_BYTE_ARRAY: RAW,
} as const satisfies Record<string, ColumnValues>

function timestamps({ unit, isUtc }: Extract<Meaning, { kind: 'timestamp' }>, times: TimeUnit | 'text'): ColumnValues {
  const ofNumber = times === 'text' ? timeText(unit, isUtc) : timeNumber(unit, times, isUtc)
  const ofBytes = (bytes: Buffer, from: number) => ofNumber(int96Nanoseconds(bytes, from))
  const column = times === 'text' ? 'text' : times === 'ms' ? 'time' : 'integer'
  return { column, conversion: { ofNumber, ofBytes, isFresh: false } }
}

/** The epoch day in the day numbers of INT96. */
const DAY_1970 = 2_440_588

/** Nanoseconds since 1970 of a time in twelve bytes: nanoseconds of the day, and the day. */
function int96Nanoseconds(bytes: Buffer, at: number): bigint {
  return BigInt(bytes.readInt32LE(at + 8) - DAY_1970) * 86_400_000_000_000n + bytes.readBigInt64LE(at)
}

function textOf(bytes: Buffer, from: number, to: number): string | Refusal {
  const text = bytes.toString('utf8', from, to)
  // Invalid UTF-8 would have become this character; a text may contain it, too.
  if (!text.includes('\ufffd') || isUtf8(bytes.subarray(from, to))) return text
  const shown = escapeBytes(bytes.subarray(from, to))
  return new Refusal(`the text ${JSON.stringify(shown.slice(0, 60))} is not valid UTF-8`, shown)
}

const parseJson = jsonParser({ bigints: 'bigint' })

function jsonOf(bytes: Buffer, from: number, to: number): unknown {
  const text = textOf(bytes, from, to)
  if (text instanceof Refusal) return text
  const value = parseJson(text)
  return value instanceof Rejection ? new Refusal(value.reason, text) : value
}

function unsigned32(value: number | bigint): number {
  return (value as number) >>> 0
}

function unsigned64(value: number | bigint): number | bigint {
  return value < 0 ? BigInt.asUintN(64, BigInt(value)) : value
}

function uuidOf(bytes: Buffer, from: number): string {
  const hex = bytes.toString('hex', from, from + 16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function float16Of(bytes: Buffer, from: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset + from, 2).getFloat16(0, true)
}

function intervalOf(bytes: Buffer, from: number): unknown {
  const [months, days, milliseconds] = [from, from + 4, from + 8].map((at) => bytes.readUInt32LE(at))
  return { months, days, milliseconds }
}
