// The events that a stage has and nobody has asked for yet, with the marks between them.

import { Ring } from '../base/ring.ts'
import type { Mark } from './message.ts'

/** Which events survive when the buffer is full: the oldest, the newest, or none (the stage fails). */
export type WhenFull = 'keep-first' | 'keep-last' | 'fail'

/**
 * Events in order, each mark behind the events that were there before it. Events over the size are discarded; marks
 * never are: one whose events are discarded comes out early.
 *
 * @example
 * const buffer = new OutBuffer<string>(2, 'keep-last')
 * buffer.push(['a', 'b', 'c']) // => 1
 * buffer.take(10) // => ['b', 'c']
 */
export class OutBuffer<T> {
  readonly #size: number
  readonly #whenFull: WhenFull
  readonly #events = new Ring<T>()
  /** Marks with the number of the first event behind them. */
  readonly #marks = new Ring<{ readonly at: number; readonly mark: Mark }>(2)
  /** The number of the oldest event held. */
  #first = 0

  constructor(size: number, whenFull: WhenFull) {
    this.#size = size
    this.#whenFull = whenFull
  }

  get length(): number {
    return this.#events.length
  }

  get isEmpty(): boolean {
    return this.#events.length === 0 && this.#marks.length === 0
  }

  /** Takes events in; gives the number discarded, or -1 if they do not fit and the buffer is to fail. */
  push(events: readonly T[]): number {
    const over = this.#events.length + events.length - this.#size
    if (over <= 0) return this.append(events)
    if (this.#whenFull === 'fail') return -1
    if (this.#whenFull === 'keep-first') {
      this.append(events.slice(0, events.length - over))
      return over
    }
    this.append(events)
    for (let i = 0; i < over; i += 1) this.#events.shift()
    this.#first += over
    return over
  }

  /** Takes events in whatever the size: for what one call of a handler made, which is bounded by that call. */
  append(events: readonly T[]): 0 {
    for (const event of events) this.#events.push(event)
    return 0
  }

  pushMark(mark: Mark): void {
    this.#marks.push({ at: this.#first + this.#events.length, mark })
  }

  /** The mark that is next in line, ahead of every event held; undefined if an event is next. */
  takeMark(): Mark | undefined {
    const next = this.#marks.peek()
    if (next === undefined || next.at > this.#first) return undefined
    return this.#marks.shift()?.mark
  }

  /** Up to `count` events, none beyond the next mark. */
  take(count: number): T[] {
    const untilMark = (this.#marks.peek()?.at ?? Number.POSITIVE_INFINITY) - this.#first
    const taken = this.#events.take(Math.min(count, untilMark))
    this.#first += taken.length
    return taken
  }

  clear(): void {
    this.#first += this.#events.length
    this.#events.clear()
    this.#marks.clear()
  }
}
