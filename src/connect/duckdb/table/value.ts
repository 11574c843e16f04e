// Values of JavaScript as texts that DuckDB converts to the type of their column: exactly, or not at all.

import { decimalText, parseDecimal } from '../../kits/decimal.ts'
import { dayOf, isInfinite, isStorable, microsOfDay, millisOf, nanosOf, realOf, wholeOf } from '../../kits/sql/exact.ts'
import { jsonOf, textOf } from '../../kits/sql/text-of.ts'

/** The text of a value other than null and undefined; undefined if the column does not take it. */
export type WriteText = (value: unknown) => string | undefined

/** Integers of a range. */
export function wholeText(min: bigint | undefined, max: bigint | undefined): WriteText {
  return (value) => {
    const whole = wholeOf(value)
    if (whole === undefined || (min !== undefined && whole < min) || (max !== undefined && whole > max))
      return undefined
    return String(whole)
  }
}

export const doubleText: WriteText = (value) => {
  const number = realOf(value)
  return number === undefined ? undefined : signed(number)
}

export const floatText: WriteText = (value) => {
  const number = realOf(value)
  return number === undefined || !Object.is(Math.fround(number), number) ? undefined : signed(number)
}

/** Decimals of this many digits before and after the point. */
export function decimalWriter(maxWhole: number, maxFraction: number): WriteText {
  return (value) => {
    const text = decimalText(value)
    if (text === undefined) return undefined
    const { isNegative, whole, fraction } = parseDecimal(text)
    // Trailing zeros add nothing to a column's scale, and equal keys must have one text.
    const digits = fraction.replace(/0+$/, '')
    if (whole.length > maxWhole || digits.length > maxFraction) return undefined
    const sign = isNegative && (whole !== '' || digits !== '') ? '-' : ''
    return `${sign}${whole || '0'}${digits === '' ? '' : `.${digits}`}`
  }
}

export const booleanText: WriteText = (value) => (typeof value === 'boolean' ? String(value) : undefined)

export const plainText: WriteText = (value) => (typeof value === 'string' && isStorable(value) ? value : undefined)

/** Arrays and objects, too, as JSON. */
export const textOrJson: WriteText = (value) => {
  if (typeof value === 'string') return plainText(value)
  const isJson = typeof value === 'object' && !(value instanceof Date) && !(value instanceof Uint8Array)
  return isJson ? jsonOf(value) : undefined
}

export const anyText: WriteText = textOf

/** A value that DuckDB accepts as JSON: it rejects half of a surrogate pair, which is always escaped there. */
export const jsonText: WriteText = (value) => {
  const text = jsonOf(value)
  if (text === undefined || !text.includes('\\ud')) return text
  return /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(text) ? undefined : text
}

export const bytesText: WriteText = (value) => {
  if (!(value instanceof Uint8Array)) return undefined
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')
}

export const uuidText: WriteText = (value) => {
  const isUuid = typeof value === 'string' && /^[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}$/i.test(value)
  return isUuid ? value.toLowerCase() : undefined
}

/** Times as microseconds since 1970, in steps of this many. */
export function microsText(step: number): WriteText {
  return (value) => {
    const ms = millisOf(value)
    if (ms !== undefined) return step <= 1000 || ms % (step / 1000) === 0 ? microsOf(ms) : undefined
    if (isInfinite(value)) return endText(value)
    const nanos = typeof value === 'string' ? nanosOf(value) : undefined
    return nanos === undefined || nanos % BigInt(step * 1000) !== 0n ? undefined : String(nanos / 1000n)
  }
}

/** Times as 64-bit nanoseconds since 1970. */
export const nanosText: WriteText = (value) => {
  if (isInfinite(value)) return endText(value)
  const ms = millisOf(value)
  const nanos = ms !== undefined ? BigInt(ms) * 1_000_000n : typeof value === 'string' ? nanosOf(value) : undefined
  return nanos === undefined || nanos < MIN_NANOS || nanos > MAX_NANOS ? undefined : String(nanos)
}

export const dayText: WriteText = (value) => {
  if (isInfinite(value)) return endText(value)
  const day = dayOf(value)
  return day === undefined ? undefined : String(day)
}

/** A time of day, as DuckDB writes it. */
export const timeOfDayText: WriteText = (value) => {
  const micros = microsOfDay(value)
  if (micros === undefined) return undefined
  const fraction = String(micros % 1_000_000).padStart(6, '0')
  return `${new Date(Math.floor(micros / 1000)).toISOString().slice(11, 19)}.${fraction}`
}

/** A list, as JSON of its elements' texts. */
export function listText(element: WriteText, size: number | undefined): WriteText {
  return (value) => {
    if (!Array.isArray(value) || (size !== undefined && value.length !== size)) return undefined
    const texts: (string | null)[] = []
    for (const one of value) {
      const text = one === null ? null : element(one)
      if (text === undefined) return undefined
      texts.push(text)
    }
    return JSON.stringify(texts)
  }
}

const MAX_NANOS = 2n ** 63n - 2n
const MIN_NANOS = -(2n ** 63n) + 2n

function microsOf(ms: number): string {
  const micros = ms * 1000
  return String(Number.isSafeInteger(micros) ? micros : BigInt(ms) * 1000n)
}

function endText(value: unknown): string {
  return value === 'infinity' || value === Infinity ? 'infinity' : '-infinity'
}

function signed(number: number): string {
  return Object.is(number, -0) ? '-0' : String(number)
}
