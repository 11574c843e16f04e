// Events that travel together, each with where it came from.

import {
  type DeadLetter,
  deadLetter,
  type Origin,
  partOf,
  plainOrigin,
  type SourceRecord,
  type Tracked,
  tracked,
} from './origin.ts'

/** Where events came from: each origin is made on request. */
export interface Origins {
  at(index: number): Origin
}

/** Events that travel together, in order. Immutable. Ask a batch for each event once, and pass on what it returned. */
export interface Batch<T = unknown> {
  readonly length: number
  /** The event at an index from 0 to `length` less one. */
  at(index: number): T
  /** All events, as an array that must not be changed. */
  values(): readonly T[]
  /** Whether events have origins: results, and events of flows without origins, have none. */
  readonly hasOrigins: boolean
  /** Whether nobody has asked for the events so far, and their fields lie side by side. */
  readonly isByField?: boolean
  /** Where the event at an index came from; undefined without origins. */
  origin(index: number): Origin | undefined
  /** No origin has a larger `stride`: how far records were split into events so far. 1 for plain records. */
  readonly maxStride: number
  /** The events from one index up to another, exclusive. */
  slice(from: number, to?: number): Batch<T>
  /** The events at these indices, in this order. */
  select(indices: readonly number[]): Batch<T>
}

/** A record that could not be read. */
export interface RejectedRecord {
  /** How many events of the same read came before it. */
  readonly at: number
  readonly letter: DeadLetter
}

/** The result of a read: events, and the records that could not be read, both in order. */
export interface ReadBatch<T> {
  readonly events: Batch<T>
  readonly rejected: readonly RejectedRecord[]
}

/**
 * A batch of values.
 *
 * @param origins - where each came from, by its index in `values`
 * @param maxStride - see {@link Batch.maxStride}
 * @example
 * const batch = batchOf(['a', 'b', 'c'])
 * batch.select([0, 2]).values() // => ['a', 'c']
 * batch.origin(0) // => undefined
 */
export function batchOf<T>(values: readonly T[], origins?: Origins, maxStride = 1): Batch<T> {
  return new ArrayBatch(values, { origins, maxStride }, 0, undefined)
}

/** A batch as it travels between stages: events that are objects already, and have no origins, as an array. */
export function chunkOf<T>(batch: Batch<T>): readonly T[] | Batch<T> {
  return batch.hasOrigins || batch.isByField === true ? batch : batch.values()
}

/** A batch from what travelled between stages. */
export function batchFrom<T>(chunk: Pick<readonly T[], 'length'>): Batch<T> {
  return Array.isArray(chunk) ? batchOf(chunk as readonly T[]) : (chunk as unknown as Batch<T>)
}

/** A batch of events that carry their origins with them. */
export function batchOfTracked<T>(events: readonly Tracked<T>[]): Batch<T> {
  return batchOf(
    events.map(({ value }) => value),
    originsOf(events),
  )
}

/** The origins of what carries one. */
export function originsOf(carriers: readonly { readonly origin: Origin }[]): Origins {
  return { at: (index) => (carriers[index] as Tracked<unknown>).origin }
}

/**
 * The same events, with stable origins: each has its own object, the same one however often it is requested, in this
 * batch and all that are made of it.
 */
export function withOwnOrigins<T>(batch: Batch<T>): Batch<T> {
  if (!batch.hasOrigins) return batch
  const origins = new Map<number, Origin>()
  const given = new Set<Origin>()
  const at = (index: number): Origin => {
    const own = origins.get(index)
    if (own !== undefined) return own
    const found = batch.origin(index) as Origin
    const origin = given.has(found) ? plainOrigin(found) : found
    given.add(origin)
    origins.set(index, origin)
    return origin
  }
  return batchOf(batch.values(), { at })
}

/**
 * A dead letter for the event at an index, which has an origin.
 *
 * @example
 * const batch = batchOfTracked([tracked(-1, { source: 'a.csv', line: 2, offset: 8, raw: '-1' })])
 * deadLetterAt(batch, 0, 'shop', 'it is below 0').origin.line // => 2
 */
export function deadLetterAt(batch: Batch, index: number, step: string, reason: string): DeadLetter {
  return deadLetter(batch.origin(index) as Origin, step, reason)
}

/**
 * What a batch became: other values, each with the origin of the event it was made from.
 *
 * @param of - for each value, the index of its event in `batch`; by default value n is made of event n
 */
export function mapped<T>(batch: Batch, values: readonly T[], of?: readonly number[]): Batch<T> {
  if (!batch.hasOrigins) return batchOf(values)
  if (batch instanceof ArrayBatch) return batch.mapped(values, of)
  const origins: Origins = { at: (index) => batch.origin(index) as Origin }
  return new ArrayBatch(values, { origins, maxStride: batch.maxStride }, 0, of)
}

/** A batch of one value, with the origin of an event of another. */
export function oneOf<T>(batch: Batch, index: number, value: T): Batch<T> {
  return mapped(batch.slice(index, index + 1), [value])
}

/** Several batches as one; has origins if all of them have. */
export function joined<T>(batches: readonly Batch<T>[]): Batch<T> {
  const [first] = batches
  if (batches.length === 1 && first !== undefined) return first
  const values = batches.flatMap((batch) => batch.values())
  if (!batches.every(({ hasOrigins }) => hasOrigins)) return batchOf(values)
  let start = 0
  const starts = batches.map(({ length }) => {
    start += length
    return start - length
  })
  const at = (index: number): Origin => {
    const which = lastAtMost(starts, index)
    return batches[which]?.origin(index - (starts[which] as number)) as Origin
  }
  return batchOf(values, { at }, Math.max(...batches.map(({ maxStride }) => maxStride)))
}

/**
 * What a batch became if one event can become several, or none: each value has its own origin.
 *
 * @param starts - for each event of `batch`, where in `values` its results start
 * @example
 * const batch = batchOfTracked([tracked('a b', { source: 'a.txt', line: 1, offset: 0, raw: 'a b' })])
 * derived(batch, ['a', 'b'], [0]).origin(1)?.part // => 2
 */
export function derived<T>(batch: Batch, values: readonly T[], starts: readonly number[]): Batch<T> {
  if (!batch.hasOrigins) return batchOf(values)
  const { origins, maxStride } = derivedOrigins(batch, values.length, starts)
  return batchOf(values, origins, maxStride)
}

/** Where `total` events came from that the events of a batch have become; arguments as of {@link derived}. */
export function derivedOrigins(
  batch: Batch,
  total: number,
  starts: ArrayLike<number>,
): { readonly origins: Origins; readonly maxStride: number } {
  const countOf = (of: number): number => (starts[of + 1] ?? total) - (starts[of] as number)
  let most = 1
  for (let of = 0; of < starts.length; of += 1) most = Math.max(most, countOf(of))
  const origins: Origins = {
    at(index) {
      const of = lastAtMost(starts, index)
      const origin = batch.origin(of) as Origin
      const count = countOf(of)
      return count === 1 ? origin : (partOf(origin, index - (starts[of] as number), count) as Origin)
    },
  }
  return { origins, maxStride: most === 1 ? batch.maxStride : batch.maxStride * (most + 1) }
}

/** The records of a read in their order. */
export function recordsOf<T>({ events, rejected }: ReadBatch<T>): SourceRecord<T>[] {
  const entries: SourceRecord<T>[] = []
  let next = 0
  for (const { at, letter } of [...rejected, { at: events.length, letter: undefined }]) {
    for (; next < at; next += 1) entries.push(tracked(events.at(next), events.origin(next) as Origin))
    if (letter !== undefined) entries.push(letter)
  }
  return entries
}

/** Records as a read returns them. */
export function readOf<T>(entries: readonly SourceRecord<T>[]): ReadBatch<T> {
  const events: Tracked<T>[] = []
  const rejected: RejectedRecord[] = []
  for (const entry of entries) {
    if (entry.kind === 'event') events.push(entry)
    else rejected.push({ at: events.length, letter: entry })
  }
  return { events: batchOfTracked(events), rejected }
}

/** Where events came from: shared by all batches made of one, one for one. */
interface Places {
  readonly origins: Origins | undefined
  readonly maxStride: number
}

class ArrayBatch<T> implements Batch<T> {
  readonly #values: readonly T[]
  readonly #places: Places
  /** The index of the first event's origin, if they are consecutive; else the index of each. */
  readonly #from: number
  readonly #of: readonly number[] | undefined

  constructor(values: readonly T[], places: Places, from: number, of: readonly number[] | undefined) {
    this.#values = values
    this.#places = places
    this.#from = from
    this.#of = of
  }

  get length(): number {
    return this.#values.length
  }

  get hasOrigins(): boolean {
    return this.#places.origins !== undefined
  }

  get maxStride(): number {
    return this.#places.maxStride
  }

  at(index: number): T {
    return this.#values[index] as T
  }

  values(): readonly T[] {
    return this.#values
  }

  origin(index: number): Origin | undefined {
    return this.#places.origins?.at(this.#placeOf(index))
  }

  slice(from: number, to: number = this.length): Batch<T> {
    if (from === 0 && to >= this.length) return this
    const values = this.#values.slice(from, to)
    return new ArrayBatch(values, this.#places, this.#from + from, this.#of?.slice(from, to))
  }

  select(indices: readonly number[]): Batch<T> {
    if (indices.length === this.length && indices.every((at, index) => at === index)) return this
    return this.mapped(
      indices.map((index) => this.#values[index] as T),
      indices,
    )
  }

  mapped<U>(values: readonly U[], of: readonly number[] | undefined): Batch<U> {
    if (this.#places.origins === undefined) return new ArrayBatch(values, this.#places, 0, undefined)
    if (of === undefined) return new ArrayBatch(values, this.#places, this.#from, this.#of)
    const places = of.map((index) => this.#placeOf(index))
    return new ArrayBatch(values, this.#places, 0, places)
  }

  #placeOf(index: number): number {
    return this.#of === undefined ? this.#from + index : (this.#of[index] as number)
  }
}

/** The index of the last of ascending numbers that is not above `limit`. */
export function lastAtMost(numbers: ArrayLike<number>, limit: number): number {
  let [low, high] = [0, numbers.length - 1]
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((numbers[middle] as number) <= limit) low = middle
    else high = middle - 1
  }
  return low
}
