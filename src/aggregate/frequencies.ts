// How often values occur: exactly while they are few, and in bounded memory when they are many.

import { compareValues, type Value } from './value.ts'

/** One value's count: never too low, and too high by at most `error`. */
export interface Frequency<V = Value> {
  readonly value: V
  readonly count: number
  readonly error: number
}

interface Tally {
  count: number
  error: number
}

/** Counts of values, and an upper bound for the count of any other value. */
export interface Frequencies {
  readonly tallies: Map<Value, Tally>
  /** No value that is not held occurred more often than this: 0 until one is dropped. */
  floor: number
}

export function emptyFrequencies(): Frequencies {
  return { tallies: new Map(), floor: 0 }
}

/**
 * Counts a value that is not held yet. It may have occurred before, up to `floor` times: that is counted, and is its
 * error. Beyond `capacity` values the less frequent half is dropped, which keeps `floor` at or below the number of
 * values counted, divided by half of `capacity`.
 *
 * @see Metwally, Agrawal and El Abbadi, Efficient computation of frequent and top-k elements (2005); here half of the
 *   values are dropped at once, not one for each that comes
 */
export function addNew(held: Frequencies, value: Value, capacity: number): void {
  held.tallies.set(value, { count: held.floor + 1, error: held.floor })
  if (held.tallies.size > capacity) letGo(held, capacity)
}

/** Adds the counts of another: a value that one of them does not hold occurred at most as often as its floor. */
export function mergeFrequencies(into: Frequencies, other: Frequencies, capacity: number): void {
  for (const [value, tally] of into.tallies) {
    const { count, error } = other.tallies.get(value) ?? { count: other.floor, error: other.floor }
    tally.count += count
    tally.error += error
  }
  for (const [value, { count, error }] of other.tallies) {
    if (into.tallies.has(value)) continue
    into.tallies.set(value, { count: count + into.floor, error: error + into.floor })
  }
  into.floor += other.floor
  if (into.tallies.size > capacity) letGo(into, capacity)
}

/** All values held, the most frequent first, and ties in the order of values: the same however merged. */
export function inOrder({ tallies }: Frequencies): Frequency[] {
  const all = Array.from(tallies, ([value, { count, error }]) => ({ value, count, error }))
  return all.sort((a, b) => b.count - a.count || compareValues(a.value, b.value))
}

/** Keeps the more frequent half; of ties at the border, the ones that came first. */
function letGo(held: Frequencies, capacity: number): void {
  const { tallies } = held
  const half = capacity >> 1
  const counts = Float64Array.from(tallies.values(), ({ count }) => count).sort()
  const border = counts[counts.length - 1 - half] as number
  let room = half
  for (const count of counts) if (count > border) room -= 1
  for (const [value, { count }] of tallies) {
    if (count > border) continue
    if (count === border && room > 0) room -= 1
    else tallies.delete(value)
  }
  held.floor = border
}
