// Values of JavaScript to values of PostgreSQL, by what their column holds: exactly, or not at all.

import { describeValue } from '../../../base/check.ts'
import { messageOf } from '../../../base/errors.ts'
import { decimalText, parseDecimal } from '../../decimal.ts'
import { writeNumeric } from './numeric.ts'
import type { Output } from './output.ts'

/** What a column takes and how it is stored. */
export type ValueKind =
  | 'text'
  | 'uuid'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'whole-double'
  | 'whole-numeric'
  | 'double'
  | 'numeric'
  | 'boolean'
  | 'time'
  | 'epoch'
  | 'json'
  | 'jsonb'
  | 'bytes'

/** Limits that the type of a column adds. */
export interface ValueLimits {
  /** Characters of a text. */
  readonly maxChars?: number | undefined
  /** Digits of a decimal number, before and after the point. */
  readonly maxWhole?: number | undefined
  readonly maxFraction?: number | undefined
}

/** Writes the length and the bytes of a value that is neither null nor undefined; false if the column takes none such. */
export type WriteValue = (out: Output, value: unknown) => boolean

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
/** 2000-01-01, from which the server counts, in epoch milliseconds. */
const SERVER_EPOCH_MS = 946_684_800_000
/** The server's first day, in 4714 BC; its last is behind that of JavaScript. */
const MIN_TIME_MS = -210_866_803_200_000
const MAX_TIME_MS = 8_640_000_000_000_000
/** Texts up to here are copied byte by byte: a call into the system costs more. */
const SHORT_TEXT = 32
/** Less than the server takes for one field; a row is held in memory as a whole. */
/** Digits of a decimal number that the server takes, before and after the point. */
const MAX_WHOLE = 131_072
const MAX_FRACTION = 16_383
const MAX_VALUE_BYTES = 256 * 1024 * 1024

/** The writer for values of a kind. */
export function writerOf(kind: ValueKind, limits: ValueLimits = {}): WriteValue {
  if (kind === 'text' && limits.maxChars !== undefined) return limitedText(limits.maxChars)
  if (kind === 'numeric' || kind === 'whole-numeric') return numericOf(kind === 'whole-numeric', limits)
  return WRITERS[kind]
}

const WRITERS: Readonly<Record<ValueKind, WriteValue>> = {
  text: (out, value) => typeof value === 'string' && writeText(out, value),
  uuid: (out, value) => {
    if (typeof value !== 'string' || !/^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(value))
      return false
    out.reserve(20)
    out.int32(16)
    out.at += out.bytes.write(value.replaceAll('-', ''), out.at, 'hex')
    return true
  },
  int16: (out, value) => {
    if (!isWhole(value) || value < -0x8000 || value > 0x7fff) return false
    out.reserve(6)
    out.int32(2)
    out.int16(Number(value))
    return true
  },
  int32: (out, value) => {
    if (!isWhole(value) || value < -0x8000_0000 || value > 0x7fff_ffff) return false
    out.reserve(8)
    out.int32(4)
    out.int32(Number(value))
    return true
  },
  int64: writeInt64,
  'whole-double': (out, value) => {
    const number = Number(value)
    return isWhole(value) && BigInt(number) === BigInt(value) && writeDouble(out, number)
  },
  'whole-numeric': (out, value) => isWhole(value) && writeDecimal(out, value),
  double: writeDouble,
  numeric: writeDecimal,
  bytes: writeBytes,
  boolean: (out, value) => {
    if (typeof value !== 'boolean') return false
    out.reserve(5)
    out.int32(1)
    out.bytes[out.at] = value ? 1 : 0
    out.at += 1
    return true
  },
  time: (out, value) => {
    const ms = timeOf(value)
    if (ms === undefined || ms < MIN_TIME_MS) return false
    out.reserve(12)
    out.int32(8)
    const micros = (ms - SERVER_EPOCH_MS) * 1000
    if (Number.isSafeInteger(micros)) out.int64(micros)
    else out.at = out.bytes.writeBigInt64BE(BigInt(ms - SERVER_EPOCH_MS) * 1000n, out.at)
    return true
  },
  epoch: (out, value) => {
    const ms = timeOf(value)
    return ms !== undefined && writeInt64(out, ms)
  },
  json: (out, value) => writeJson(out, value, false),
  jsonb: (out, value) => writeJson(out, value, true),
}

const WORDS: Readonly<Record<ValueKind, string>> = {
  text: 'text',
  uuid: 'UUIDs',
  int16: 'whole numbers from -32768 to 32767',
  int32: 'whole numbers from -2147483648 to 2147483647',
  int64: 'whole numbers that are exact and fit into 64 bits',
  'whole-double': 'whole numbers that a double holds exactly',
  'whole-numeric': 'whole numbers that are exact',
  double: 'numbers',
  numeric: 'decimal numbers as strings of digits, bigints and finite numbers',
  boolean: 'true and false',
  time: 'epoch milliseconds and dates, from 4714 BC on',
  epoch: 'epoch milliseconds and dates',
  json: 'what JSON can hold',
  jsonb: 'what JSON can hold',
  bytes: 'bytes, as a Uint8Array',
}

/** Why a column does not take `value`, for a person to read. */
export function faultOfValue(column: string, kind: ValueKind, limits: ValueLimits, value: unknown): string {
  const shown = describeValue(value)
  if (kind === 'text' && typeof value === 'string') {
    if (value.includes('\0')) return `column ${column} cannot hold the NUL in ${shown}`
    if (!value.isWellFormed()) return `column ${column} cannot hold the half of a surrogate pair in ${shown}`
    if (limits.maxChars !== undefined)
      return `column ${column} takes at most ${limits.maxChars} characters: found ${shown}`
    return `column ${column} takes at most ${MAX_VALUE_BYTES} bytes: found a text of ${value.length} characters`
  }
  if (kind === 'json' || kind === 'jsonb') return `column ${column} cannot hold ${shown} as JSON${whyNoJson(value)}`
  const { maxWhole, maxFraction } = limits
  const digits = maxWhole === undefined ? '' : ` of ${maxWhole} digits before the point and ${maxFraction} after it`
  return `column ${column} takes ${WORDS[kind]}${digits}: found ${shown}`
}

function isWhole(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

function timeOf(value: unknown): number | undefined {
  const ms = value instanceof Date ? value.getTime() : value
  return Number.isSafeInteger(ms) && Math.abs(ms as number) <= MAX_TIME_MS ? (ms as number) : undefined
}

function writeInt64(out: Output, value: unknown): boolean {
  if (Number.isSafeInteger(value)) {
    out.reserve(12)
    out.int32(8)
    out.int64(value as number)
    return true
  }
  if (typeof value !== 'bigint' || value < MIN_INT64 || value > MAX_INT64) return false
  out.reserve(12)
  out.int32(8)
  out.at = out.bytes.writeBigInt64BE(value, out.at)
  return true
}

function writeDouble(out: Output, value: unknown): boolean {
  if (typeof value !== 'number') return false
  out.reserve(12)
  out.int32(8)
  out.at = out.bytes.writeDoubleBE(value, out.at)
  return true
}

function writeDecimal(out: Output, value: unknown): boolean {
  const text = decimalText(value)
  if (text === undefined) return false
  const decimal = parseDecimal(text)
  if (decimal.whole.length > MAX_WHOLE || decimal.fraction.length > MAX_FRACTION) return false
  writeNumeric(out, decimal)
  return true
}

function writeBytes(out: Output, value: unknown): boolean {
  if (!(value instanceof Uint8Array) || value.length > MAX_VALUE_BYTES) return false
  out.reserve(4 + value.length)
  out.int32(value.length)
  out.bytes.set(value, out.at)
  out.at += value.length
  return true
}

function numericOf(isWholeOnly: boolean, { maxWhole, maxFraction }: ValueLimits): WriteValue {
  const write = WRITERS[isWholeOnly ? 'whole-numeric' : 'numeric']
  if (maxWhole === undefined || maxFraction === undefined) return write
  return (out, value) => {
    const text = isWholeOnly && !isWhole(value) ? undefined : decimalText(value)
    if (text === undefined) return false
    const decimal = parseDecimal(text)
    // Zeros at the end say nothing that the column would not.
    if (decimal.whole.length > maxWhole || decimal.fraction.replace(/0+$/, '').length > maxFraction) return false
    writeNumeric(out, decimal)
    return true
  }
}

function limitedText(maxChars: number): WriteValue {
  return (out, value) => {
    if (typeof value !== 'string') return false
    // What is too long by blanks only, the server would cut off without a word.
    if (value.length > maxChars && (value.length > maxChars * 2 || [...value].length > maxChars)) return false
    return writeText(out, value)
  }
}

/** A NUL ends a text for the server, half of a surrogate pair has no UTF-8: neither would come back. */
function writeText(out: Output, text: string): boolean {
  const { length } = text
  if (length <= SHORT_TEXT) {
    out.reserve(4 + length)
    const { bytes, at } = out
    let i = 0
    for (; i < length; i += 1) {
      const code = text.charCodeAt(i)
      if (code === 0 || code > 0x7f) break
      bytes[at + 4 + i] = code
    }
    if (i === length) {
      out.int32(length)
      out.at += length
      return true
    }
  }
  return text.indexOf('\0') === -1 && text.isWellFormed() && writeUtf8(out, text)
}

function writeUtf8(out: Output, text: string): boolean {
  const most = text.length * 3 > 4096 ? Buffer.byteLength(text) : text.length * 3
  if (most > MAX_VALUE_BYTES) return false
  out.reserve(4 + most)
  const length = out.bytes.write(text, out.at + 4, 'utf8')
  out.int32(length)
  out.at += length
  return true
}

function writeJson(out: Output, value: unknown, isBinary: boolean): boolean {
  const text = jsonOf(value)
  if (text === undefined) return false
  if (!isBinary) return writeUtf8(out, text)
  const from = out.at
  out.reserve(5)
  out.at += 1
  if (!writeUtf8(out, text)) return false
  // Its version goes between length and text.
  const length = out.at - from - 5
  const end = out.at
  out.at = from
  out.int32(length + 1)
  out.bytes[from + 4] = 1
  out.at = end
  return true
}

function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch {
    // A bigint, a circle, too deep, or the value's own toJSON: the row is refused, and why is found out then.
    return undefined
  }
}

function whyNoJson(value: unknown): string {
  try {
    JSON.stringify(value)
    return ''
  } catch (error) {
    return `: ${messageOf(error).split('\n', 1)[0]}`
  }
}
