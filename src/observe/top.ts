// The most common values of an endless stream, in bounded memory.

import { checkInteger } from '../base/check.ts'

/** The most common values, and whether their counts are exact. */
export interface Top {
  readonly values: readonly (readonly [value: string, count: number])[]
  /** Distinct values seen; a lower bound if `exact` is false. */
  readonly distinct: number
  /** Whether every count is right; if not, each is too low by at most what was dropped. */
  readonly exact: boolean
}

/** Longer values are cut: the size must not depend on the length of lines. */
const LONGEST = 256

/**
 * Counts values: exactly, as long as there are at most `size` distinct ones. Beyond that, rare values are dropped, and
 * every value that makes up more than one in `size` of all is still found, with a count that is too low by at most that
 * share. Values that agree in their first 256 characters are one.
 *
 * @example
 * const counter = new TopCounter({ size: 100 })
 * for (const value of ['a', 'b', 'a']) counter.add(value)
 * counter.top(1) // => { values: [['a', 2]], distinct: 2, exact: true }
 * @see Misra and Gries, Finding repeated elements (1982); here the cut is made once per `size` new values, not per value
 */
export class TopCounter {
  readonly #size: number
  readonly #counts = new Map<string, { count: number }>()
  /** Subtracted from every count so far: the bound of the error. */
  #cut = 0

  constructor({ size }: { readonly size: number }) {
    checkInteger('size', size, 1)
    this.#size = size
  }

  add(value: string): void {
    const key = value.length > LONGEST ? `${value.slice(0, LONGEST)}…` : value
    const known = this.#counts.get(key)
    if (known !== undefined) {
      known.count += 1
      return
    }
    this.#counts.set(ownCopy(key), { count: 1 })
    if (this.#counts.size > 2 * this.#size) this.#prune()
  }

  /** The `n` most common values, the most frequent first; ties in the order of their text. */
  top(n: number): Top {
    const values = [...this.#counts].map(([value, { count }]) => [value, count] as const)
    values.sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    return { values: values.slice(0, n), distinct: this.#counts.size, exact: this.#cut === 0 }
  }

  /** Subtracts the same from every count, so that at most `size` values remain. */
  #prune(): void {
    const counts = Float64Array.from(this.#counts.values(), ({ count }) => count).sort()
    const off = counts[counts.length - 1 - this.#size] ?? 0
    this.#cut += off
    for (const [value, entry] of this.#counts) {
      entry.count -= off
      if (entry.count <= 0) this.#counts.delete(value)
    }
  }
}

/**
 * An independent copy: a value is mostly a slice of a line, and would keep all of it in memory. V8 copies slices
 * shorter than 13 characters by itself.
 */
function ownCopy(value: string): string {
  return value.length < 13 ? value : Buffer.from(value, 'utf16le').toString('utf16le')
}
