// What one event becomes, an event at a time: the plain form of what batches do.

import { faultOfParts, type Origin, partOf, tracked } from '../connect/origin.ts'

/**
 * Puts the events that one becomes into `out`, each with an origin of its own if there are several; returns how many
 * they are.
 *
 * Parts are the digits of a number, the lowest first: what is made from two events never collides, however often each
 * becomes several, and wherever that is done. Of a replayed record, only what was rejected is passed on.
 *
 * @throws {RangeError} if the record becomes more events than there are numbers for, or what was rejected is no longer
 *   among them: nothing is put anywhere then
 * @example
 * const record = { source: 'a.csv', line: 2, offset: 8, raw: '1' }
 * const made: Tracked<string>[] = []
 * putParts(['a', 'b', 'c'], record, made) // => 3
 * putParts(['d', 'e'], made[1]?.origin ?? record, made) // => 2
 * made.map(({ origin }) => origin.part) // => [1, 2, 3, 6, 10]
 */
export function putParts<T>(values: readonly T[], origin: Origin, out: unknown[]): number {
  const count = values.length
  if (count === 1) return out.push(tracked(values[0], origin)) && 1
  if (count === 0) return 0
  const fault = faultOfParts(origin, count)
  if (fault !== undefined) throw new RangeError(fault)
  let put = 0
  for (let at = 0; at < count; at += 1) {
    const own = partOf(origin, at, count)
    if (own === undefined) continue
    out.push(tracked(values[at], own))
    put += 1
  }
  return put
}
