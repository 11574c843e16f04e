// The most common values of the rows that were loaded.

import { messageOf } from '../base/errors.ts'
import type { Batch } from '../connect/batch.ts'
import type { DeadLetter, Origin } from '../connect/origin.ts'
import { type Top, TopCounter } from '../observe/top.ts'

/** How many of the most common values a summary names, and how many are tracked to find them. */
const TOP_NAMED = 5
const TOP_COUNTED = 20_000

type TopOf = (row: never) => string | number | null

export class TopCounters {
  readonly #tops: readonly { readonly title: string; readonly of: TopOf; readonly counter: TopCounter }[]

  constructor(tops: Readonly<Record<string, TopOf>>) {
    this.#tops = Object.entries(tops).map(([title, of]) => {
      return { title, of, counter: new TopCounter({ size: TOP_COUNTED }) }
    })
  }

  get isEmpty(): boolean {
    return this.#tops.length === 0
  }

  /**
   * @param refused - rows that do not count, by their origins
   */
  count(rows: Batch, refused: readonly DeadLetter[]): void {
    if (this.isEmpty) return
    const gone = new Set<Origin | undefined>(refused.map(({ origin }) => origin))
    for (const [at, row] of rows.values().entries()) {
      if (gone.size > 0 && gone.has(rows.origin(at))) continue
      for (const { of, counter } of this.#tops) counter.add(topText(of, row))
    }
  }

  /** Title → the most common values so far. */
  top(): Record<string, Top> {
    return Object.fromEntries(this.#tops.map(({ title, counter }) => [title, counter.top(TOP_NAMED)]))
  }
}

/** What a row counts as in the summary; a function that throws costs its line there, not the load. */
function topText(of: TopOf, value: unknown): string {
  try {
    return String(of(value as never) ?? '-')
  } catch (error) {
    return `error: ${messageOf(error)}`
  }
}
