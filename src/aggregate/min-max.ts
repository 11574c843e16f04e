// min and max: the least and the greatest value.

import { type Aggregate, misfit } from './aggregate.ts'
import { aboutField, fieldKind, type OfField, type OrderedField, ofOrField } from './field.ts'
import { fromPlain, toPlain } from './plain.ts'

/** What `min` and `max` compare by `<`: Dates by their time. */
export type Ordered = number | bigint | string | Date

/** The best so far. */
export type ExtremeState = Ordered | undefined

/**
 * The least of a field, or of `of(event)`, by `<`: numbers, bigints, strings or Dates; null without values.
 *
 * It **skips** null and undefined, and **fails** with a TypeError on NaN, on an invalid Date, on any other type, and on
 * a value of another type than those before. -0 counts as 0.
 *
 * @example
 * const { create, add, result } = min((word: string) => word)
 * result(['pear', 'apple', 'plum'].reduce(add, create())) // => 'apple'
 */
export function min<const N extends string>(field: N): OrderedField<N, 'value'>
export function min<In, V extends Ordered = number>(
  of: (event: In) => V | null | undefined,
): Aggregate<In, V | null, ExtremeState>
export function min<In, V extends Ordered = number>(
  of: string | ((event: In) => V | null | undefined),
): Aggregate<In, V | null, ExtremeState> | OfField<string, unknown> {
  return extreme('min', of)
}

/**
 * The greatest of a field, or of `of(event)`; otherwise as {@link min}.
 *
 * @example
 * const { create, add, result } = max((bytes: number | null) => bytes)
 * result([3, null, 7, 5].reduce(add, create())) // => 7
 * result(create()) // => null
 */
export function max<const N extends string>(field: N): OrderedField<N, 'value'>
export function max<In, V extends Ordered = number>(
  of: (event: In) => V | null | undefined,
): Aggregate<In, V | null, ExtremeState>
export function max<In, V extends Ordered = number>(
  of: string | ((event: In) => V | null | undefined),
): Aggregate<In, V | null, ExtremeState> | OfField<string, unknown> {
  return extreme('max', of)
}

function extreme<In, V extends Ordered>(
  kind: 'min' | 'max',
  of: string | ((event: In) => V | null | undefined),
): Aggregate<In, V | null, ExtremeState> {
  const read = ofOrField(kind, of)
  const isMin = kind === 'min'
  return {
    kind: fieldKind(kind, of),
    ...aboutField('ordered', of, (value) => extreme(kind, value)),
    create: () => undefined,
    add(state, event) {
      const value: unknown = read(event)
      if (typeof value !== 'number' || typeof state !== 'number') return addOther(kind, state, value)
      if (isMin ? value < state : value > state) return value + 0
      if (Number.isNaN(value)) throw misfit(kind, NEEDS, value)
      return state
    },
    merge: (into, other) => (other === undefined ? into : better(kind, into, other)),
    result: (state) => (copyOf(state) ?? null) as V | null,
    save: (state) => toPlain(kind, state),
    load: (saved) => fromPlain(saved) as ExtremeState,
  }
}

const NEEDS = 'numbers, bigints, strings or Dates, of one kind'

/** Handles everything but the usual number after numbers. */
function addOther(kind: 'min' | 'max', state: ExtremeState, value: unknown): ExtremeState {
  if (value === null || value === undefined) return state
  const of = kindOf(value)
  if (of === undefined || Number.isNaN(of === 'Date' ? (value as Date).getTime() : value)) {
    throw misfit(kind, NEEDS, value)
  }
  // A Date is mutable, so it is copied; -0 is 0.
  return better(kind, state, typeof value === 'number' ? value + 0 : (copyOf(value as Ordered) as Ordered))
}

function better(kind: 'min' | 'max', state: ExtremeState, value: Ordered): Ordered {
  if (state === undefined) return value
  if (kindOf(state) !== kindOf(value)) throw misfit(kind, `${NEEDS} (so far: ${kindOf(state)})`, value)
  return (kind === 'min' ? value < state : value > state) ? value : state
}

function kindOf(value: unknown): 'Date' | 'bigint' | 'number' | 'string' | undefined {
  if (value instanceof Date) return 'Date'
  const of = typeof value
  return of === 'bigint' || of === 'number' || of === 'string' ? of : undefined
}

function copyOf(value: Ordered | undefined): Ordered | undefined {
  return value instanceof Date ? new Date(value) : value
}
