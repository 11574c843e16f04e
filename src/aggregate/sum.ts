// sum: adds up numbers.

import { type Aggregate, misfit } from './aggregate.ts'
import { aboutField, fieldKind, type NumberField, type OfField, ofOrField, type SumOf } from './field.ts'
import { fromPlain, toPlain } from './plain.ts'
import { addTo, emptyTotal, isPlainTotal, mergeTotal, sumOf, type Total } from './total.ts'

export interface SumState extends Total {
  /** The sum so far; one sum takes either numbers or bigints. */
  of: 'nothing' | 'number' | 'bigint'
  big: bigint
}

const NEEDS = 'numbers or bigints, not both'

/**
 * Adds up a field, or `of(event)`: numbers, or bigints.
 *
 * - **Skips** null and undefined, as SQL does; the sum of nothing is 0.
 * - **Precise**: rounding errors are compensated, so that the result does not depend on how events were split and
 *   merged: results agree within a relative 1e-12 unless nearly everything cancels out, and are exact for integers up
 *   to 2^53. A sum that leaves the range of doubles on the way and comes back is right; infinities count as infinities,
 *   and both of them together make NaN.
 * - **Fails** with a TypeError on NaN, on anything else that is not a number, and on bigints among numbers.
 *
 * @example
 * const { create, add, result } = sum((event: { bytes: number | null }) => event.bytes)
 * result([0.1, 0.2, null, 0.3].reduce((state, bytes) => add(state, { bytes }), create())) // => 0.6
 */
export function sum<const N extends string>(field: N): NumberField<N, 'sum'>
export function sum<In, N extends number | bigint = number>(
  of: (event: In) => N | null | undefined,
): Aggregate<In, SumOf<N>, SumState>
export function sum<In, N extends number | bigint = number>(
  of: string | ((event: In) => N | null | undefined),
): Aggregate<In, SumOf<N>, SumState> | OfField<string, unknown> {
  const read = ofOrField('sum', of)
  return {
    kind: fieldKind('sum', of),
    ...aboutField('numbers', of, (value) => sum(value)),
    create: () => ({ ...emptyTotal(), of: 'nothing', big: 0n }),
    add(state, event) {
      const value: unknown = read(event)
      if (typeof value === 'number' && state.of === 'number' && !Number.isNaN(value)) addTo(state, value)
      else addFirst(state, value)
      return state
    },
    merge(into, other) {
      if (other.of === 'nothing') return into
      settle(into, other.of, other.of === 'bigint' ? other.big : other.sum)
      mergeTotal(into, other)
      into.big += other.big
      return into
    },
    result: (state) => (state.of === 'bigint' ? state.big : sumOf(state)) as SumOf<N>,
    save: (state) => (isPlainSum(state) ? [state.sum, state.rest] : toPlain('sum', { ...state })),
    load: (saved) => (Array.isArray(saved) ? plainSum(saved[0], saved[1]) : (fromPlain(saved) as SumState)),
  }
}

/** Handles everything but the usual number after numbers. */
function addFirst(state: SumState, value: unknown): void {
  if (value === null || value === undefined) return
  if (typeof value === 'bigint') {
    settle(state, 'bigint', value)
    state.big += value
  } else if (typeof value === 'number' && !Number.isNaN(value)) {
    settle(state, 'number', value)
    addTo(state, value)
  } else throw misfit('sum', NEEDS, value)
}

function settle(state: SumState, of: 'number' | 'bigint', value: unknown): void {
  if (state.of !== 'nothing' && state.of !== of) throw misfit('sum', NEEDS, value)
  state.of = of
}

/** Whether two numbers represent it completely, as they nearly always do. */
function isPlainSum(state: SumState): boolean {
  return state.of === 'number' && isPlainTotal(state)
}

function plainSum(sum: number, rest: number): SumState {
  return { ...emptyTotal(), sum, rest, of: 'number', big: 0n }
}
