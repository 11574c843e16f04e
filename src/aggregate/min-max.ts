// min and max: the least and the greatest of what events give.

import { type Aggregate, checkOf, misfit } from './aggregate.ts'
import { fromPlain, toPlain } from './plain.ts'

/** What `min` and `max` compare by `<`: Dates by their time. */
export type Ordered = number | bigint | string | Date

export interface ExtremeState {
  /** What has come so far; only values of one kind are compared. */
  of: 'nothing' | 'number' | 'bigint' | 'string' | 'Date'
  /** The best so far; of a Date, its milliseconds. */
  best: number | bigint | string
}

/**
 * The least of `of(event)`, by `<`: numbers, bigints, strings or Dates; undefined where there is none.
 *
 * It **skips** null and undefined, and **fails** with a TypeError on NaN, on a Date that is none, on anything that is
 * not of these kinds, and on a value of another kind than those before. -0 counts as 0.
 *
 * @example
 * const { create, add, result } = min((word: string) => word)
 * result(['pear', 'apple', 'plum'].reduce(add, create())) // => 'apple'
 */
export function min<In, V extends Ordered = number>(
  of: (event: In) => V | null | undefined,
): Aggregate<In, V | undefined, ExtremeState> {
  return extreme('min', of)
}

/**
 * The greatest of `of(event)`; otherwise as {@link min}.
 *
 * @example
 * const { create, add, result } = max((bytes: number | null) => bytes)
 * result([3, null, 7, 5].reduce(add, create())) // => 7
 * result(create()) // => undefined
 */
export function max<In, V extends Ordered = number>(
  of: (event: In) => V | null | undefined,
): Aggregate<In, V | undefined, ExtremeState> {
  return extreme('max', of)
}

function extreme<In, V extends Ordered>(
  kind: 'min' | 'max',
  of: (event: In) => V | null | undefined,
): Aggregate<In, V | undefined, ExtremeState> {
  checkOf(kind, of)
  const isMin = kind === 'min'
  return {
    kind,
    create: () => ({ of: 'nothing', best: 0 }),
    add(state, event) {
      const value: unknown = of(event)
      if (typeof value !== 'number' || state.of !== 'number') addOther(kind, state, value)
      else if (isMin ? value < (state.best as number) : value > (state.best as number)) state.best = value + 0
      else if (Number.isNaN(value)) throw misfit(kind, NEEDS, value)
      return state
    },
    merge(into, other) {
      if (other.of !== 'nothing') take(kind, into, other.of, other.best)
      return into
    },
    result: (state) => bestOf(state) as V | undefined,
    save: (state) => toPlain(kind, { ...state }),
    load: (saved) => fromPlain(saved) as ExtremeState,
  }
}

const NEEDS = 'numbers, bigints, strings or Dates, of one kind'

/** Adds what is not the usual number after numbers. */
function addOther(kind: 'min' | 'max', state: ExtremeState, value: unknown): void {
  if (value === null || value === undefined) return
  const of = value instanceof Date ? 'Date' : typeof value
  const best = value instanceof Date ? value.getTime() : value
  if (Number.isNaN(best)) throw misfit(kind, NEEDS, value)
  if (typeof best === 'number') take(kind, state, of as 'number' | 'Date', best + 0)
  else if (typeof best === 'bigint' || typeof best === 'string') take(kind, state, of as 'bigint' | 'string', best)
  else throw misfit(kind, NEEDS, value)
}

function take(kind: 'min' | 'max', state: ExtremeState, of: ExtremeState['of'], value: ExtremeState['best']): void {
  if (state.of !== 'nothing' && state.of !== of) throw misfit(kind, `${NEEDS} (so far: ${state.of})`, value)
  const isBetter = kind === 'min' ? value < state.best : value > state.best
  if (state.of === 'nothing' || isBetter) state.best = value
  state.of = of
}

function bestOf({ of, best }: ExtremeState): Ordered | undefined {
  if (of === 'nothing') return undefined
  return of === 'Date' ? new Date(best as number) : best
}
