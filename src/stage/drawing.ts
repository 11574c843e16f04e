// What a handler gave as an iterator: drawn from as far as demand reaches, and closed once.

import { describeValue } from '../base/check.ts'
import type { Link } from './link.ts'

/** The most events drawn before the stage looks at its mailbox again. */
const DRAWN_AT_ONCE = 4096

/**
 * An iterator under way. It is closed by `close` unless it has come to its end or has thrown: then it has closed itself.
 */
export class Drawing {
  /** The subscription whose events it was made of, and how many of them count as handled at its end. */
  readonly link: Link
  readonly counted: number
  readonly #iterator: Iterator<unknown>
  isOver = false

  constructor(given: unknown, link: Link, counted: number) {
    if (typeof given !== 'object' || given === null || !(Symbol.iterator in given)) {
      throw new TypeError(
        `onEvents of ${link.consumer} must give an array or an iterator: found ${describeValue(given)}`,
      )
    }
    this.#iterator = (given as Iterable<unknown>)[Symbol.iterator]()
    this.link = link
    this.counted = counted
  }

  /** Up to `room` events; fewer at the end. */
  take(room: number): unknown[] {
    const drawn: unknown[] = []
    const count = Math.min(room, DRAWN_AT_ONCE)
    // Over until it has said otherwise: one that throws is not closed again.
    this.isOver = true
    while (drawn.length < count) {
      const { done, value } = this.#iterator.next()
      if (done === true) return drawn
      drawn.push(value)
    }
    this.isOver = false
    return drawn
  }

  close(): void {
    if (this.isOver) return
    this.isOver = true
    this.#iterator.return?.()
  }
}
