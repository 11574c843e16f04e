// mean: the arithmetic mean of numbers of events.

import { type Aggregate, misfit } from './aggregate.ts'
import { aboutField, fieldKind, type NumberField, type OfField, ofOrField } from './field.ts'
import { fromPlain, toPlain } from './plain.ts'
import { addTo, emptyTotal, isPlainTotal, meanOf, mergeTotal, type Total } from './total.ts'

export interface MeanState extends Total {
  count: number
}

/**
 * The arithmetic mean of a field, or of `of(event)`; null without numbers.
 *
 * It **skips** null and undefined, is as **precise** as `sum`, even if the sum itself would exceed the range of a
 * double, and **fails** with a TypeError on NaN and on anything else that is not a number.
 *
 * @example
 * const { create, add, result } = mean((event: { celsius?: number }) => event.celsius)
 * result([{ celsius: 20 }, {}, { celsius: 21 }].reduce(add, create())) // => 20.5
 * result(create()) // => null
 */
export function mean<const N extends string>(field: N): NumberField<N, number | null>
export function mean<In>(of: (event: In) => number | null | undefined): Aggregate<In, number | null, MeanState>
export function mean<In>(
  of: string | ((event: In) => number | null | undefined),
): Aggregate<In, number | null, MeanState> | OfField<string, unknown> {
  const read = ofOrField('mean', of)
  return {
    kind: fieldKind('mean', of),
    ...aboutField('numbers', of, (value) => mean(value)),
    create: () => ({ ...emptyTotal(), count: 0 }),
    add(state, event) {
      const value: unknown = read(event)
      if (typeof value === 'number' && !Number.isNaN(value)) {
        addTo(state, value)
        state.count += 1
      } else if (value !== null && value !== undefined) throw misfit('mean', 'numbers', value)
      return state
    },
    merge(into, other) {
      mergeTotal(into, other)
      into.count += other.count
      return into
    },
    result: (state) => (state.count === 0 ? null : meanOf(state, state.count)),
    save: (state) => (isPlainTotal(state) ? [state.sum, state.rest, state.count] : toPlain('mean', { ...state })),
    load: (saved) => (Array.isArray(saved) ? plainMean(saved as number[]) : (fromPlain(saved) as MeanState)),
  }
}

function plainMean([sum = 0, rest = 0, count = 0]: readonly number[]): MeanState {
  return { ...emptyTotal(), sum, rest, count }
}
