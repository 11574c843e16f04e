// Converts JavaScript values to PostgreSQL's binary COPY format: exactly, or not at all.

import { decimalText, parseDecimal } from '../../kits/decimal.ts'
import { dayOf, isInfinite, microsOfDay, millisOf, nanosOf, realOf, wholeOf } from '../../kits/sql/exact.ts'
import { jsonOf, textOf } from '../../kits/sql/text-of.ts'
import { arrayElements } from './array-text.ts'
import { writeNumeric } from './numeric.ts'
import type { Output } from './output.ts'

/** Writes the length and the bytes of a value other than null and undefined; false if the column does not take it. */
export type WriteValue = (out: Output, value: unknown) => boolean

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
const MAX_INT32 = 0x7fff_ffff
/** 2000-01-01, the server's epoch. */
const SERVER_EPOCH_MS = 946_684_800_000
const SERVER_EPOCH_DAYS = 10_957
/** The server's first day, in 4714 BC; its last is beyond that of JavaScript. */
const MIN_TIME_MS = -210_866_803_200_000
/** Shorter texts are copied byte by byte: a call into the system costs more. */
const SHORT_TEXT = 32
/** Below the server's limit for one field; a row is held in memory as a whole. */
export const MAX_VALUE_BYTES: number = 256 * 1024 * 1024
/** The server's limits on digits of a decimal number, before and after the point. */
const MAX_WHOLE = 131_072
const MAX_FRACTION = 16_383

export const writeUuid: WriteValue = (out, value) => {
  if (typeof value !== 'string' || !/^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i.test(value))
    return false
  out.reserve(20)
  out.int32(16)
  out.at += out.bytes.write(value.replaceAll('-', ''), out.at, 'hex')
  return true
}

export const writeInt16: WriteValue = (out, value) => {
  const whole = wholeOf(value)
  if (whole === undefined || whole < -0x8000 || whole > 0x7fff) return false
  out.reserve(6)
  out.int32(2)
  out.int16(Number(whole))
  return true
}

export const writeInt32: WriteValue = (out, value) => {
  const whole = wholeOf(value)
  if (whole === undefined || whole < -MAX_INT32 - 1 || whole > MAX_INT32) return false
  return int32(out, Number(whole))
}

export const writeInt64: WriteValue = (out, value) => {
  const whole = wholeOf(value)
  return whole !== undefined && int64(out, whole)
}

/** Dates, too, as epoch milliseconds. */
export const writeInt64OrTime: WriteValue = (out, value) => {
  return value instanceof Date ? writeEpoch(out, value) : writeInt64(out, value)
}

export const writeEpoch: WriteValue = (out, value) => {
  const ms = millisOf(value)
  return ms !== undefined && int64(out, ms)
}

export const writeDouble: WriteValue = (out, value) => {
  const number = realOf(value)
  if (number === undefined) return false
  out.reserve(12)
  out.int32(8)
  out.at = out.bytes.writeDoubleBE(number, out.at)
  return true
}

export const writeFloat: WriteValue = (out, value) => {
  const number = realOf(value)
  if (number === undefined || !Object.is(Math.fround(number), number)) return false
  out.reserve(8)
  out.int32(4)
  out.at = out.bytes.writeFloatBE(number, out.at)
  return true
}

/** Decimal numbers, with at most this many digits before and after the point. */
export function decimalWriter(maxWhole: number = MAX_WHOLE, maxFraction: number = MAX_FRACTION): WriteValue {
  return (out, value) => {
    const text = decimalText(value)
    if (text === undefined) return false
    const decimal = parseDecimal(text)
    // Trailing zeros add nothing to a column's scale.
    if (decimal.whole.length > maxWhole || decimal.fraction.replace(/0+$/, '').length > maxFraction) return false
    writeNumeric(out, decimal)
    return true
  }
}

export const writeBoolean: WriteValue = (out, value) => {
  if (typeof value !== 'boolean') return false
  out.reserve(5)
  out.int32(1)
  out.bytes[out.at] = value ? 1 : 0
  out.at += 1
  return true
}

/** Times, to the microsecond, or to fewer digits of a second. */
export function timeWriter(digits: number): WriteValue {
  const ticks = 10 ** (6 - digits)
  return (out, value) => {
    const ms = millisOf(value)
    if (ms === undefined) return writeFinerTime(out, value, BigInt(ticks))
    if (ms < MIN_TIME_MS || (digits < 3 && ms % (ticks / 1000) !== 0)) return false
    const micros = (ms - SERVER_EPOCH_MS) * 1000
    return int64(out, Number.isSafeInteger(micros) ? micros : BigInt(ms - SERVER_EPOCH_MS) * 1000n)
  }
}

function writeFinerTime(out: Output, value: unknown, ticks: bigint): boolean {
  if (isInfinite(value)) return int64(out, isBefore(value) ? MIN_INT64 : MAX_INT64)
  const nanos = typeof value === 'string' ? nanosOf(value) : undefined
  if (nanos === undefined || nanos % (ticks * 1000n) !== 0n) return false
  return int64(out, nanos / 1000n - BigInt(SERVER_EPOCH_MS) * 1000n)
}

export const writeDate: WriteValue = (out, value) => {
  if (isInfinite(value)) return int32(out, isBefore(value) ? -MAX_INT32 - 1 : MAX_INT32)
  const day = dayOf(value)
  if (day === undefined || day * 86_400_000 < MIN_TIME_MS) return false
  return int32(out, day - SERVER_EPOCH_DAYS)
}

/** Times of day, to this many digits of a second. */
export function timeOfDayWriter(digits: number): WriteValue {
  return (out, value) => {
    const micros = microsOfDay(value)
    return micros !== undefined && micros % 10 ** (6 - digits) === 0 && int64(out, micros)
  }
}

export const writeBytes: WriteValue = (out, value) => {
  if (!(value instanceof Uint8Array) || value.length > MAX_VALUE_BYTES) return false
  out.reserve(4 + value.length)
  out.int32(value.length)
  out.bytes.set(value, out.at)
  out.at += value.length
  return true
}

export const writeText: WriteValue = (out, value) => typeof value === 'string' && text(out, value)

/** Text, and values that have a text form. */
export const writeAnyText: WriteValue = (out, value) => {
  const written = textOf(value)
  return written !== undefined && text(out, written)
}

/** Texts of at most this many characters: the server would silently cut excess trailing blanks. */
export function limitedTextWriter(maxChars: number, isPadded: boolean): WriteValue {
  return (out, value) => {
    if (typeof value !== 'string') return false
    const { length } = value
    const chars = length > maxChars && length <= maxChars * 2 ? [...value].length : length
    if (chars > maxChars) return false
    // A padded one cannot tell the text's own blanks from padding.
    return (!isPadded || !value.endsWith(' ')) && text(out, value)
  }
}

/** A value of a type that the server parses from text. */
export const writeCast: WriteValue = (out, value) => {
  if (typeof value === 'string') return text(out, value)
  return (typeof value === 'bigint' || Number.isSafeInteger(value)) && text(out, String(value))
}

export const writeJson: WriteValue = (out, value) => {
  const written = jsonOf(value)
  return written !== undefined && utf8(out, written)
}

export const writeJsonb: WriteValue = (out, value) => {
  const written = jsonOf(value)
  // Its numbers have no negative zero, its texts no NUL and no half of a surrogate pair: neither would come back.
  if (written === undefined || hasNegativeZero(written) || hasEscape(written)) return false
  const from = out.at
  out.reserve(5)
  out.at += 1
  if (!utf8(out, written)) return false
  // Its version goes between length and text.
  const length = out.at - from - 5
  const end = out.at
  out.at = from
  out.int32(length + 1)
  out.bytes[from + 4] = 1
  out.at = end
  return true
}

/** One-dimensional arrays, or their text as the server writes it. */
export function arrayWriter(writeElement: WriteValue, elementOid: number): WriteValue {
  return (out, value) => {
    const elements: readonly unknown[] | undefined = Array.isArray(value) ? value : textElements(value)
    if (elements === undefined) return false
    const from = out.at
    out.reserve(24)
    out.at += 4
    out.int32(elements.length === 0 ? 0 : 1)
    out.int32(elements.includes(null) ? 1 : 0)
    out.int32(elementOid)
    if (elements.length > 0) {
      out.int32(elements.length)
      out.int32(1)
    }
    for (const element of elements) {
      if (element === undefined || (element !== null && !writeElement(out, element))) return false
      if (element !== null) continue
      out.reserve(4)
      out.int32(-1)
    }
    const end = out.at
    if (end - from > MAX_VALUE_BYTES) return false
    out.at = from
    out.int32(end - from - 4)
    out.at = end
    return true
  }
}

function textElements(value: unknown): readonly unknown[] | undefined {
  return typeof value === 'string' ? arrayElements(value) : undefined
}

function isBefore(value: unknown): boolean {
  return value === '-infinity' || value === -Infinity
}

function int32(out: Output, value: number): boolean {
  out.reserve(8)
  out.int32(4)
  out.int32(value)
  return true
}

function int64(out: Output, value: number | bigint): boolean {
  if (typeof value === 'number') {
    out.reserve(12)
    out.int32(8)
    out.int64(value)
    return true
  }
  if (value < MIN_INT64 || value > MAX_INT64) return false
  out.reserve(12)
  out.int32(8)
  out.at = out.bytes.writeBigInt64BE(value, out.at)
  return true
}

/** A NUL ends a text for the server, half of a surrogate pair has no UTF-8: neither would come back. */
function text(out: Output, value: string): boolean {
  const { length } = value
  if (length <= SHORT_TEXT) {
    out.reserve(4 + length)
    const { bytes, at } = out
    let i = 0
    for (; i < length; i += 1) {
      const code = value.charCodeAt(i)
      if (code === 0 || code > 0x7f) break
      bytes[at + 4 + i] = code
    }
    if (i === length) {
      out.int32(length)
      out.at += length
      return true
    }
  }
  return value.indexOf('\0') === -1 && value.isWellFormed() && utf8(out, value)
}

function utf8(out: Output, value: string): boolean {
  const most = value.length * 3 > 4096 ? Buffer.byteLength(value) : value.length * 3
  if (most > MAX_VALUE_BYTES) return false
  out.reserve(4 + most)
  const length = out.bytes.write(value, out.at + 4, 'utf8')
  out.int32(length)
  out.at += length
  return true
}

function hasNegativeZero(json: string): boolean {
  return json.includes('-0') && /(?:^|[[:,])-0(?:$|[\],}])/.test(json)
}

function hasEscape(json: string): boolean {
  return /\\u(?:0000|d)/.test(json) && /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f])/.test(json)
}
