// Writes a value as one line of JSON: exactly, or not at all.

import { describeValue } from '../../../base/check.ts'

/** The deepest nesting of written JSON: readers reject more, and so does the writer. */
const MAX_DEPTH = 100

/**
 * One line of JSON, without its line end.
 *
 * A bigint is written as a number, negative zero as -0, a date as ISO 8601. What JSON cannot represent is rejected, not
 * replaced: NaN and infinities, functions and symbols, maps and sets, buffers, promises, objects of a class whose data
 * is private, invalid dates, cycles. A key whose value is undefined is left out, as usual.
 *
 * @throws {TypeError} that says what it found
 * @example
 * jsonText({ id: 9007199254740993n, at: new Date(0) }) // => '{"id":9007199254740993,"at":"1970-01-01T00:00:00.000Z"}'
 */
export function jsonText(value: unknown): string {
  if (value === undefined) throw new TypeError('JSON has no form for undefined')
  const isRaw = check(value, 0)
  const text = isRaw ? JSON.stringify(value, rawNumber) : JSON.stringify(value)
  if (text === undefined) throw new TypeError(`JSON has no form for ${describeValue(value)}`)
  return text
}

interface RawJson {
  rawJSON(text: string): unknown
}

function rawNumber(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return (JSON as unknown as RawJson).rawJSON(String(value))
  return Object.is(value, -0) ? (JSON as unknown as RawJson).rawJSON('-0') : value
}

/** Rejects what JSON.stringify would replace; returns whether there is a number anywhere that it cannot write. */
function check(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError(`JSON has no form for ${value}`)
      return Object.is(value, -0)
    case 'bigint':
      return true
    case 'function':
    case 'symbol':
      throw new TypeError(`JSON has no form for ${describeValue(value)}`)
    case 'object':
      return value === null ? false : checkObject(value, depth + 1)
    default:
      return false
  }
}

function checkObject(value: object, depth: number): boolean {
  if (depth > MAX_DEPTH) throw new TypeError(`JSON can be nested ${MAX_DEPTH} deep: found more, or a cycle`)
  if (Array.isArray(value)) {
    let isRaw = false
    for (const one of value) {
      if (one === undefined) throw new TypeError('JSON has no form for undefined in an array')
      if (check(one, depth)) isRaw = true
    }
    return isRaw
  }
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new TypeError('JSON has no form for an invalid date')
    return false
  }
  const { toJSON } = value as { toJSON?: unknown }
  // The result of toJSON is not checked; a bigint in it must still be written.
  if (typeof toJSON === 'function') return true
  if (isReplaced(value)) throw new TypeError(`JSON has no form for ${describeValue(value)}`)
  let isRaw = false
  for (const name in value) {
    if (Object.hasOwn(value, name) && check((value as Record<string, unknown>)[name], depth)) isRaw = true
  }
  return isRaw
}

/** Whether JSON.stringify would write something without its content. */
function isReplaced(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return false
  return (
    ArrayBuffer.isView(value) ||
    Object.keys(value).length === 0 ||
    value instanceof ArrayBuffer ||
    value instanceof Map ||
    value instanceof Set ||
    value instanceof Promise ||
    value instanceof RegExp ||
    value instanceof Error ||
    value instanceof WeakMap ||
    value instanceof WeakSet
  )
}
