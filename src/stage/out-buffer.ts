// The events that a stage has and nobody has asked for yet, with the marks between them.

import { Ring } from '../base/ring.ts'
import { type Chunk, cut, isArray } from './chunk.ts'
import type { Mark } from './message.ts'

/** Which events survive when the buffer is full: the oldest, the newest, or none (the stage fails). */
export type WhenFull = 'keep-first' | 'keep-last' | 'fail'

/**
 * Events in order, each mark after the events that were there before it. Events over the limit are discarded; marks
 * never are: a mark whose events are discarded is sent early.
 *
 * Chunks are kept as they came. Consecutive arrays are taken out as one, so that many small ones cost no more than a
 * large one; other chunks are taken out one by one.
 *
 * @example
 * const buffer = new OutBuffer<string>(2, 'keep-last')
 * buffer.push(['a', 'b', 'c']) // => 1
 * buffer.take(10) // => ['b', 'c']
 */
export class OutBuffer<T, M = Mark> {
  readonly #size: number
  readonly #whenFull: WhenFull
  /** None of them is empty. */
  readonly #chunks = new Ring<Chunk<T>>(2)
  /** How many events of the oldest chunk have been taken. */
  #out = 0
  /** The number of events held. */
  #length = 0
  /** Marks with the number of the first event after them. */
  readonly #marks = new Ring<{ readonly at: number; readonly mark: M }>(2)
  /** The number of the oldest event held. */
  #first = 0

  constructor(size: number, whenFull: WhenFull) {
    this.#size = size
    this.#whenFull = whenFull
  }

  get length(): number {
    return this.#length
  }

  get isEmpty(): boolean {
    return this.#length === 0 && this.#marks.length === 0
  }

  /** Adds events; returns the number discarded, or -1 if they do not fit and the buffer is to fail. */
  push(events: Chunk<T>): number {
    const over = this.#length + events.length - this.#size
    if (over <= 0) return this.append(events)
    if (this.#whenFull === 'fail') return -1
    const old = this.#whenFull === 'keep-last' ? Math.min(over, this.#length) : 0
    this.#remove(old)
    this.append(this.#whenFull === 'keep-last' ? cut(events, over - old) : cut(events, 0, events.length - over))
    return over
  }

  /** Adds events whatever the size: for what one call of a handler made, which is bounded by that call. */
  append(events: Chunk<T>): 0 {
    if (events.length > 0) this.#chunks.push(events)
    this.#length += events.length
    return 0
  }

  pushMark(mark: M): void {
    this.#marks.push({ at: this.#first + this.#length, mark })
  }

  /** The mark that is next, before every event held; undefined if an event is next. */
  takeMark(): M | undefined {
    const next = this.#marks.peek()
    if (next === undefined || next.at > this.#first) return undefined
    return this.#marks.shift()?.mark
  }

  /** Up to `count` events, none beyond the next mark: all of them, or those of one chunk that is not an array. */
  take(count: number): Chunk<T> {
    const untilMark = (this.#marks.peek()?.at ?? Number.POSITIVE_INFINITY) - this.#first
    const most = Math.min(count, untilMark, this.#length)
    const taken = this.#takeOf(this.#chunks.peek() ?? [], most)
    if (taken.length === most || !isArray(taken)) return taken
    const all = taken.slice()
    while (all.length < most) {
      const next = this.#chunks.peek() as Chunk<T>
      if (!isArray(next)) break
      for (const event of this.#takeOf(next, most - all.length) as readonly T[]) all.push(event)
    }
    return all
  }

  clear(): void {
    this.#remove(this.#length)
    this.#marks.clear()
  }

  /** Up to `most` events of the oldest chunk. */
  #takeOf(oldest: Chunk<T>, most: number): Chunk<T> {
    const taken = cut(oldest, this.#out, Math.min(this.#out + most, oldest.length))
    this.#remove(taken.length)
    return taken
  }

  #remove(count: number): void {
    this.#first += count
    this.#length -= count
    this.#out += count
    for (let oldest = this.#chunks.peek(); oldest !== undefined && this.#out >= oldest.length; ) {
      this.#out -= oldest.length
      this.#chunks.shift()
      oldest = this.#chunks.peek()
    }
  }
}
