// topK: the most frequent values.

import { checkInteger, checkKeys } from '../base/check.ts'
import type { Aggregate } from './aggregate.ts'
import { aboutField, type CountedField, fieldKind, type OfField, ofOrField } from './field.ts'
import { addNew, emptyFrequencies, type Frequencies, type Frequency, inOrder, mergeFrequencies } from './frequencies.ts'
import { fromPlain, toPlain } from './plain.ts'
import { checkValue, type Value } from './value.ts'

export interface TopKOptions {
  /**
   * The most distinct values held: an integer, at least `2 × k`; by default 1,000 or `10 × k`, whichever is greater.
   */
  readonly capacity?: number
}

/**
 * The `k` most frequent values of a field, or of `of(event)`, the most frequent first; equally frequent ones in the order of values.
 *
 * - **Exact**, with `error` 0, while there are at most `capacity` distinct values, however events were split.
 * - Beyond that, rare values are dropped. A `count` is never too low, and too high by at most its `error`, which is at
 *   most the number of events divided by `capacity / 2`; a value more frequent than that is always found.
 * - **Skips** undefined; null is a value. **Fails** with a TypeError on objects and NaN.
 *
 * @example
 * const { create, add, result } = topK(1, (path: string) => path)
 * result(['/', '/cart', '/'].reduce(add, create())) // => [{ value: '/', count: 2, error: 0 }]
 */
export function topK<const N extends string>(k: number, field: N, options?: TopKOptions): CountedField<N, 'frequencies'>
export function topK<In, V extends Value>(
  k: number,
  of: (event: In) => V | undefined,
  options?: TopKOptions,
): Aggregate<In, Frequency<V>[], Frequencies>
export function topK<In, V extends Value>(
  k: number,
  of: string | ((event: In) => V | undefined),
  options: TopKOptions = {},
): Aggregate<In, Frequency<V>[], Frequencies> | OfField<string, unknown> {
  checkInteger('topK: k', k, 1)
  const read = ofOrField('topK', of)
  checkKeys('topK', options, ['capacity'])
  const { capacity = Math.max(1000, 10 * k) } = options
  checkInteger('topK: capacity', capacity, 2 * k)
  return {
    kind: fieldKind('topK', of, options.capacity === undefined ? `${k}` : `${k}, capacity ${capacity}`),
    ...aboutField('counted', of, (value) => topK(k, value, options)),
    create: emptyFrequencies,
    add(state, event) {
      const value = read(event)
      if (value === undefined) return state
      const tally = state.tallies.get(value)
      if (tally !== undefined) tally.count += 1
      else {
        checkValue('topK', value)
        addNew(state, value, capacity)
      }
      return state
    },
    merge(into, other) {
      mergeFrequencies(into, other, capacity)
      return into
    },
    result: (state) => inOrder(state).slice(0, k) as Frequency<V>[],
    save: (state) => toPlain('topK', { ...state }),
    load: (saved) => fromPlain(saved) as Frequencies,
  }
}
