// A chunk that is not an array, and has nothing but the members of a chunk.

import { arrayOf, type Chunk } from '../stage/chunk.ts'

/**
 * For tests of code that passes chunks on: it cannot be iterated or indexed, an event beyond its end throws, and it
 * counts how often it was asked for an event, together with all that were cut out of it.
 *
 * @example
 * const chunk = new StrictChunk(['a', 'b', 'c'])
 * chunk.slice(1).at(0) // => 'b'
 * chunk.asked // => 1
 */
export class StrictChunk<T> implements Chunk<T> {
  readonly #events: readonly T[]
  readonly #count: { asked: number }

  constructor(events: readonly T[], count: { asked: number } = { asked: 0 }) {
    this.#events = events
    this.#count = count
  }

  /** The events of a chunk, for checks: that is not counted. */
  static eventsOf<T>(chunk: Chunk<T>): readonly T[] {
    return chunk instanceof StrictChunk ? (chunk as StrictChunk<T>).#events : arrayOf(chunk)
  }

  get length(): number {
    return this.#events.length
  }

  get asked(): number {
    return this.#count.asked
  }

  at(index: number): T {
    if (!(index in this.#events)) throw new RangeError(`There is no event ${index} of ${this.length}`)
    this.#count.asked += 1
    return this.#events[index] as T
  }

  slice(from: number, to: number = this.length): StrictChunk<T> {
    if (from < 0 || to > this.length) throw new RangeError(`There are no events ${from} to ${to} of ${this.length}`)
    return new StrictChunk(this.#events.slice(from, to), this.#count)
  }

  select(indices: readonly number[]): StrictChunk<T> {
    const chosen = indices.map((index) => {
      if (!(index in this.#events)) throw new RangeError(`There is no event ${index} of ${this.length}`)
      return this.#events[index] as T
    })
    return new StrictChunk(chosen, this.#count)
  }
}
