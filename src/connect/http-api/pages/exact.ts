// The JSON of a page with all numbers exact: integers that a number cannot represent are bigints.

import { faultOfJson } from '../../kits/json/limits.ts'
import { exactNumber, InexactNumber, type JsonBigInts, mayBeInexact } from '../../kits/json/numbers.ts'

/** The deepest nesting of arrays and objects: the search for numbers is recursive. */
const MAX_DEPTH = 1000

/** Stands for a number that cannot be represented: any use of it throws. */
class NoNumber {
  readonly #reason: string

  constructor(reason: string) {
    this.#reason = reason
  }

  get reason(): string {
    return this.#reason
  }

  [Symbol.toPrimitive](): never {
    throw new InexactNumber(this.#reason)
  }

  toJSON(): string {
    return this.#reason
  }
}

/** @throws {Error} for what is not JSON */
export function parsePage(text: string): unknown {
  const fault = faultOfJson(text, { maxDepth: MAX_DEPTH, maxKeys: Number.MAX_SAFE_INTEGER })
  if (fault !== undefined) throw new Error(fault)
  if (!mayBeInexact(text)) return JSON.parse(text)
  return JSON.parse(
    text,
    exactNumber('bigint', (reason) => new NoNumber(reason)),
  )
}

/** Why an item is rejected because of a number in it; undefined if it is not. */
export function faultOfItem(item: unknown, bigints: JsonBigInts): string | undefined {
  if (typeof item === 'bigint') return bigints === 'reject' ? `the number ${item} is over 2^53` : undefined
  if (typeof item !== 'object' || item === null) return undefined
  if (item instanceof NoNumber) return item.reason
  for (const value of Object.values(item)) {
    const fault = faultOfItem(value, bigints)
    if (fault !== undefined) return fault
  }
  return undefined
}

/** An item with bigints replaced by the nearest numbers. Changes it in place. */
export function rounded<T>(item: T): T {
  if (typeof item === 'bigint') return Number(item) as T
  if (typeof item !== 'object' || item === null || item instanceof NoNumber) return item
  for (const [key, value] of Object.entries(item)) {
    const near = rounded(value)
    if (near !== value)
      Object.defineProperty(item, key, { value: near, enumerable: true, writable: true, configurable: true })
  }
  return item
}
