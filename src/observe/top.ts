// The commonest values of an endless stream, in bounded memory.

import { checkInteger } from '../base/check.ts'

/** The commonest values, and how far they can be trusted. */
export interface Top {
  readonly values: readonly (readonly [value: string, count: number])[]
  /** Different values seen; a lower bound where `exact` is false. */
  readonly distinct: number
  /** Whether every count is right; if not, each is too low by no more than what was let go. */
  readonly exact: boolean
}

/** Longer values are cut: what is kept must not depend on how long a line is. */
const LONGEST = 256

/**
 * Counts values: exactly, as long as there are no more than `size` different ones. Beyond that rare values are let go,
 * and every value that makes up more than one in `size` of all is still found, with a count that is too low at the most
 * by that share. Values that agree in their first 256 characters are one.
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
  /** Taken off every count so far: the bound of the error. */
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

  /** The `n` commonest values, the most frequent first; equals in the order of their text. */
  top(n: number): Top {
    const values = [...this.#counts].map(([value, { count }]) => [value, count] as const)
    values.sort(([a, countA], [b, countB]) => countB - countA || (a < b ? -1 : 1))
    return { values: values.slice(0, n), distinct: this.#counts.size, exact: this.#cut === 0 }
  }

  /** Takes the same off every count, as much as leaves no more than `size` values. */
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
 * A copy with memory of its own: a value is mostly cut out of a line, and would keep all of that line in memory. What is
 * shorter than 13 characters, V8 copies when it is cut out.
 */
function ownCopy(value: string): string {
  return value.length < 13 ? value : Buffer.from(value, 'utf16le').toString('utf16le')
}
