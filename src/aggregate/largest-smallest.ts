// largest and smallest: the k events with the greatest or the least number.

import { checkInteger } from '../base/check.ts'
import { rise, sink } from '../base/heap.ts'
import { type Aggregate, misfit } from './aggregate.ts'
import { aboutField, fieldKind, type NumberField, type OfField, ofOrField } from './field.ts'
import { fromPlain, toPlain } from './plain.ts'

interface Ranked<T> {
  /** The number, negated for `smallest`: greater is better in both. */
  readonly rank: number
  /** How many came before it: of ties the earlier is better. */
  readonly order: number
  readonly event: T
}

export interface RankedState<T> {
  /** A heap: each is better than its parent at `(i - 1) >> 1`, so that the worst is on top, to be dropped next. */
  readonly heap: Ranked<T>[]
  /** How many events came, held or not. */
  seen: number
}

/**
 * The `k` events with the greatest number in a field, or by `by(event)`, the greatest first; of equals those that arrived first, in that order.
 *
 * It **skips** events whose number is null or undefined, and **fails** with a TypeError on NaN and on anything else
 * that is not a number. When merged, the events of `into` arrived first.
 *
 * @example
 * const { create, add, result } = largest(2, (bytes: number) => bytes)
 * result([3, 9, 1, 5].reduce(add, create())) // => [9, 5]
 */
export function largest<const N extends string>(k: number, field: N): NumberField<N, 'events'>
export function largest<In>(
  k: number,
  by: (event: In) => number | null | undefined,
): Aggregate<In, In[], RankedState<In>>
export function largest<In>(
  k: number,
  by: string | ((event: In) => number | null | undefined),
): Aggregate<In, In[], RankedState<In>> | OfField<string, unknown> {
  return ranked('largest', k, by, 1)
}

/**
 * The `k` events with the least number in a field, or by `by(event)`, the least first; otherwise as {@link largest}.
 *
 * @example
 * const { create, add, result } = smallest(2, (bytes: number) => bytes)
 * result([3, 9, 1, 5].reduce(add, create())) // => [1, 3]
 */
export function smallest<const N extends string>(k: number, field: N): NumberField<N, 'events'>
export function smallest<In>(
  k: number,
  by: (event: In) => number | null | undefined,
): Aggregate<In, In[], RankedState<In>>
export function smallest<In>(
  k: number,
  by: string | ((event: In) => number | null | undefined),
): Aggregate<In, In[], RankedState<In>> | OfField<string, unknown> {
  return ranked('smallest', k, by, -1)
}

function ranked<In>(
  kind: string,
  k: number,
  by: string | ((event: In) => number | null | undefined),
  sign: 1 | -1,
): Aggregate<In, In[], RankedState<In>> {
  checkInteger(`${kind}: k`, k, 1)
  const read = ofOrField(kind, by)
  return {
    kind: fieldKind(kind, by, `${k}`),
    ...aboutField('numbers', by),
    create: () => ({ heap: [], seen: 0 }),
    add(state, event) {
      const value: unknown = read(event)
      if (typeof value === 'number' && !Number.isNaN(value)) {
        const { heap } = state
        const rank = value * sign
        if (heap.length < k || rank > (heap[0] as Ranked<In>).rank) hold(heap, { rank, order: state.seen, event }, k)
        state.seen += 1
      } else if (value !== null && value !== undefined) throw misfit(kind, 'numbers', value)
      return state
    },
    merge(into, other) {
      for (const { rank, order, event } of other.heap) hold(into.heap, { rank, order: into.seen + order, event }, k)
      into.seen += other.seen
      return into
    },
    result: ({ heap }) => heap.toSorted((a, b) => (isWorse(a, b) ? 1 : -1)).map(({ event }) => event),
    save: (state) => toPlain(kind, { ...state }),
    load: (saved) => fromPlain(saved) as RankedState<In>,
  }
}

function isWorse(a: Ranked<unknown>, b: Ranked<unknown>): boolean {
  return a.rank < b.rank || (a.rank === b.rank && a.order > b.order)
}

/** Adds an entry; beyond `k` of them the worst is dropped, which may be this one. */
function hold<T>(heap: Ranked<T>[], entry: Ranked<T>, k: number): void {
  if (heap.length < k) {
    heap.push(entry)
    rise(heap, isWorse)
  } else if (isWorse(heap[0] as Ranked<T>, entry)) {
    sink(heap, entry, isWorse)
  }
}
