// Converts JavaScript values for SQL columns, by the column's type: exactly, or not at all.

import { decimalText, isDecimal, parseDecimal } from '../decimal.ts'
import { readIso } from '../time/iso.ts'
import { timeRules } from '../time/rules.ts'

const UTC = timeRules({})

/** The range of JavaScript's dates around 1970, in milliseconds. */
const MAX_TIME_MS = 8_640_000_000_000_000
const DAY_MS = 86_400_000

/** A NUL would end the text for most readers, half of a surrogate pair has no UTF-8: neither would come back. */
export function isStorable(text: string): boolean {
  return text.indexOf('\0') === -1 && text.isWellFormed()
}

/** An integer: an exact number, a bigint, or digits. */
export function wholeOf(value: unknown): number | bigint | undefined {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : undefined
  if (typeof value === 'bigint') return value
  if (!isDecimal(value) || !/^[^.]*(?:\.0*)?$/.test(value)) return undefined
  const digits = value.split('.', 1)[0] as string
  const number = Number(digits)
  return Number.isSafeInteger(number) ? number : BigInt(digits)
}

/** A 64-bit floating point number, a bigint or a decimal, unless it would be rounded. */
export function realOf(value: unknown): number | undefined {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') {
    const number = Number(value)
    return Number.isFinite(number) && BigInt(number) === value ? number : undefined
  }
  if (!isDecimal(value)) return undefined
  const number = Number(value)
  return Number.isFinite(number) && isSameDecimal(decimalText(number) as string, value) ? number : undefined
}

/** Epoch milliseconds of a number, a date, or an ISO 8601 text, which is UTC by default. */
export function millisOf(value: unknown): number | undefined {
  const ms = typeof value === 'string' ? readIso(value, UTC) : value instanceof Date ? value.getTime() : value
  return Number.isSafeInteger(ms) && Math.abs(ms as number) <= MAX_TIME_MS ? (ms as number) : undefined
}

/** Epoch nanoseconds of an ISO 8601 text, for what is finer than a millisecond. */
export function nanosOf(text: string): bigint | undefined {
  if (text.length > 40) return undefined
  const finer = /[.,][0-9]{3}([0-9]{1,6})(?![0-9])/.exec(text)
  if (finer === null) return undefined
  const [found, digits = ''] = finer
  const ms = readIso(text.slice(0, finer.index + 4) + text.slice(finer.index + found.length), UTC)
  return typeof ms === 'string' ? undefined : BigInt(ms) * 1_000_000n + BigInt(digits.padEnd(6, '0'))
}

/** Days from 1970-01-01 of a time at midnight, UTC. */
export function dayOf(value: unknown): number | undefined {
  const ms = millisOf(value)
  return ms === undefined || ms % DAY_MS !== 0 ? undefined : ms / DAY_MS
}

/** Whether a value is infinity or minus infinity, which some databases allow as times. */
export function isInfinite(value: unknown): boolean {
  return value === 'infinity' || value === '-infinity' || value === Infinity || value === -Infinity
}

/** Microseconds from midnight of a text such as `23:59:59.999999`. */
export function microsOfDay(value: unknown): number | undefined {
  const found =
    typeof value === 'string'
      ? /^([01][0-9]|2[0-3]):([0-5][0-9])(?::([0-5][0-9])(?:\.([0-9]{1,6}))?)?$/.exec(value)
      : null
  if (found === null) return undefined
  const [, hours, minutes, seconds = '0', fraction = ''] = found
  return ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1_000_000 + Number(fraction.padEnd(6, '0'))
}

/** Whether two decimals are the same number. */
function isSameDecimal(a: string, b: string): boolean {
  const [one, other] = [parseDecimal(a), parseDecimal(b)]
  const fraction = (text: string): string => text.replace(/0+$/, '')
  if (one.whole !== other.whole || fraction(one.fraction) !== fraction(other.fraction)) return false
  return one.isNegative === other.isNegative || (one.whole === '' && fraction(one.fraction) === '')
}
