// Values as plain data that JSON represents without loss, and back.

import { describeValue } from '../base/check.ts'

/** What JSON cannot represent becomes an object with this key; so does an object that has the key itself. */
const TAG = '$'
/** Deeper than any event should be; also detects cycles. */
const DEEPEST = 500

type Tagged = { readonly $: string; readonly of?: unknown }

/**
 * A copy of a value for JSON: what JSON would lose (NaN, infinities, -0, undefined, bigints, Dates, Maps, Sets, bytes)
 * is written as an object that says what it was. An object without a prototype is restored with one.
 *
 * @param owner - whose data it is, for the error
 * @throws {TypeError} for functions, symbols, instances of other classes, and cycles
 * @example
 * toPlain('state', [1, Number.NaN, 7n]) // => [1, { $: 'number', of: 'NaN' }, { $: 'bigint', of: '7' }]
 */
export function toPlain(owner: string, value: unknown, depth = 0): unknown {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
  if (typeof value === 'number') {
    if (Number.isFinite(value) && !Object.is(value, -0)) return value
    return { [TAG]: 'number', of: Object.is(value, -0) ? '-0' : `${value}` }
  }
  if (value === undefined) return { [TAG]: 'undefined' }
  if (typeof value === 'bigint') return { [TAG]: 'bigint', of: `${value}` }
  if (typeof value !== 'object') throw new TypeError(refusal(owner, describeValue(value)))
  if (depth > DEEPEST) throw new TypeError(refusal(owner, `data nested more than ${DEEPEST} deep, or in itself`))
  return objectToPlain(owner, value, depth + 1)
}

/**
 * The value that {@link toPlain} was called with.
 *
 * @example
 * fromPlain(toPlain('state', new Map([['a', -0]]))) // => new Map([['a', -0]])
 */
export function fromPlain(saved: unknown): unknown {
  if (typeof saved !== 'object' || saved === null) return saved
  if (Array.isArray(saved)) return saved.map(fromPlain)
  return Object.hasOwn(saved, TAG) ? fromTagged(saved as Tagged) : mapValues(saved, fromPlain)
}

function objectToPlain(owner: string, value: object, depth: number): unknown {
  const each = (item: unknown): unknown => toPlain(owner, item, depth)
  if (Array.isArray(value)) return Array.from(value, each)
  if (value instanceof Date) return { [TAG]: 'Date', of: each(value.getTime()) }
  if (value instanceof Map) return { [TAG]: 'Map', of: Array.from(value, ([key, item]) => [each(key), each(item)]) }
  if (value instanceof Set) return { [TAG]: 'Set', of: Array.from(value, each) }
  if (value instanceof Uint8Array) return { [TAG]: 'bytes', of: Buffer.from(value).toString('base64') }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) throw new TypeError(refusal(owner, describeValue(value)))
  const plain = mapValues(value, each)
  return Object.hasOwn(value, TAG) ? { [TAG]: 'object', of: Object.entries(plain) } : plain
}

function fromTagged({ $: tag, of }: Tagged): unknown {
  switch (tag) {
    case 'number':
      return Number(of)
    case 'undefined':
      return undefined
    case 'bigint':
      return BigInt(of as string)
    case 'Date':
      return new Date(fromPlain(of) as number)
    case 'Map':
      return new Map(fromPlain(of) as [unknown, unknown][])
    case 'Set':
      return new Set(fromPlain(of) as unknown[])
    case 'bytes':
      return new Uint8Array(Buffer.from(of as string, 'base64'))
    case 'object':
      return Object.fromEntries(fromPlain(of) as [string, unknown][])
  }
  throw new TypeError(`Cannot load a saved state: it holds something of kind ${describeValue(tag)}, which is unknown`)
}

/** By entries, so that a key `__proto__` stays a key. */
function mapValues(value: object, each: (item: unknown) => unknown): object {
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, each(item)]))
}

function refusal(owner: string, found: string): string {
  return `Cannot save the state of ${owner}: it must be plain data, found ${found}`
}
