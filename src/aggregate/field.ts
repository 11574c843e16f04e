// Aggregates of a field by its name: values that carry the name, whose results have the types that the event says.

import { fieldOf } from '../base/field.ts'
import { checkOf } from './aggregate.ts'
import type { Frequency } from './frequencies.ts'
import type { Value } from './value.ts'

/** From the events themselves, or from the field's values: the result type, if it follows from the field. */
export type Gives = 'value' | 'values' | 'sum' | 'frequencies' | 'events'

/** An aggregate of a field by its name. */
export interface OfField<N extends string, Out> {
  /** What it is, with its numbers and its field: `mean(celsius)`. */
  readonly kind: string
  readonly field: N
  /** Only for the compiler: the type of the result, or how it follows from the field's. */
  readonly gives?: { readonly type: Out } | undefined
}

/** An aggregate of a field that holds numbers. */
export interface NumberField<N extends string, Out> extends OfField<N, Out> {
  readonly takes: 'numbers'
}

/** An aggregate of a field whose values have an order. */
export interface OrderedField<N extends string, Out> extends OfField<N, Out> {
  readonly takes: 'ordered'
}

/** An aggregate of a field whose values can be counted by. */
export interface CountedField<N extends string, Out> extends OfField<N, Out> {
  readonly takes: 'counted'
}

/** An aggregate of any field. */
export interface AnyField<N extends string, Out> extends OfField<N, Out> {
  readonly takes: 'anything'
}

/** The type of a result: `Out` itself, or what it makes of the field `N` of `T`. */
export type GivenBy<T, N, Out> = [Out] extends [Gives]
  ? Out extends 'events'
    ? T[]
    : FieldResult<T[N & keyof T], Out>
  : Out

/** What a sum gives: a bigint of bigints, but the number 0 where there were none. */
export type SumOf<N> = [N] extends [number] ? number : [N] extends [bigint] ? bigint | 0 : number | bigint

type FieldResult<V, Out> = Out extends 'value'
  ? NonNullable<V> | null
  : Out extends 'values'
    ? V[]
    : Out extends 'sum'
      ? SumOf<Extract<V, number | bigint>>
      : Frequency<Extract<V, Value>>[]

/** The function of an aggregate that was given a function, or the name of a field. */
export function ofOrField<In, V>(kind: string, of: string | ((event: In) => V)): (event: In) => V {
  if (typeof of === 'string') return fieldOf(of) as (event: unknown) => V
  checkOf(kind, of)
  return of
}

/** What an aggregate of a field has beside one of a function: it then is another one. */
interface AboutField<State> {
  readonly field?: string
  readonly takes?: string
  readonly fields?: readonly string[]
  readonly addValue?: (state: State, value: never) => State
}

/**
 * @param ofValues - the same aggregate of values themselves, if it needs nothing else of an event
 */
export function aboutField<State>(
  takes: 'numbers' | 'ordered' | 'counted' | 'anything',
  of: unknown,
  ofValues?: (value: (value: never) => never) => { readonly add: (state: State, value: never) => State },
): AboutField<State> {
  if (typeof of !== 'string') return {}
  const about = { field: of, takes, fields: [of] }
  return ofValues === undefined ? about : { ...about, addValue: ofValues((value) => value).add }
}

/** The kind of an aggregate, with its field if it has one: `max(bytes)`, `topK(10, path)`. */
export function fieldKind(kind: string, of: unknown, numbers = ''): string {
  const parts = [numbers, typeof of === 'string' ? of : ''].filter((part) => part !== '')
  return parts.length === 0 ? kind : `${kind}(${parts.join(', ')})`
}
