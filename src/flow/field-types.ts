// The types of operators that take fields by their names.

import type { NameOf, NamesOf, ResultOf } from '../aggregate/record.ts'
import type { Key } from '../base/hash.ts'
import type { WindowKind } from '../window/pane.ts'
import type { FiredBy } from '../window/trigger.ts'
import type { FieldWindow, WindowSpec } from '../window/window.ts'

export type Nullish = null | undefined

/** The fields that identify an event. */
export type KeyNames<T> = NamesOf<T, Key | Nullish>

/** What an option takes as a key: a function of the event, or the name of a field, or the names of several. */
export type KeyBy<T> = ((value: T) => Key) | KeyNames<T> | readonly KeyNames<T>[]

/** The fields of an event that can tell when it was. */
export type TimeNames<T> = NamesOf<T, number | Date | Nullish>

/** The fields of an event that are texts. */
export type TextNames<T> = NamesOf<T, string | Nullish>

/** How `where` compares a field with a value. */
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=' | 'in' | 'is' | 'is not'

/** What a field of type `V` is compared with. */
export type ComparedWith<V, Op extends Comparison> = Op extends 'is' | 'is not'
  ? null
  : Op extends 'in'
    ? readonly NonNullable<V>[]
    : NonNullable<V>

/** What passes a comparison: after any but `is`, the field is not null. */
export type Passing<T, N extends NameOf<T>, Op extends Comparison> = Op extends 'is'
  ? T
  : [T[N]] extends [NonNullable<T[N]>]
    ? T
    : T extends unknown
      ? Show<{ [K in keyof T]: K extends N ? NonNullable<T[K]> : T[K] }>
      : never

/** A type with its fields spelled out, for those who hover over it. */
export type Show<T> = { [K in keyof T]: T[K] } & {}

/** An event with a field more, or with another one of its name. */
export type With<T, N extends string, V> = T extends unknown ? Show<Omit<T, N> & { [K in N]: V }> : never

/** The values of several fields, in their order. */
export type ValuesOf<T, N extends readonly NameOf<T>[]> = { [I in keyof N]: T[N[I]] }

/** An event with these fields, by their new names. */
export type Renamed<T, M extends { readonly [name: string]: NameOf<T> }> = { [K in keyof M]: T[M[K]] }

/** A window for events of type `T`: of a kind, and with its time by a field (`row`) or by a function. */
export type AnyWindow<T, Kind extends WindowKind, Gives = unknown> = (WindowSpec<T> | FieldWindow<TimeNames<T>>) & {
  readonly kind: Kind
  readonly gives?: Gives
}

/** What a result has of its window, beside keys and aggregates. Times are epoch milliseconds. */
export type WindowFields<Kind extends WindowKind> = ([Kind] extends [never]
  ? unknown
  : [Kind] extends ['count']
    ? { readonly windowIndex: number }
    : [Kind] extends ['global']
      ? unknown
      : { readonly windowStart: number; readonly windowEnd: number }) &
  ([Kind] extends [never] ? unknown : { readonly trigger?: FiredBy['kind']; readonly isLast?: boolean })

/** A result by names: a row with the fields of its key and window, and the aggregates. */
export type NamedRow<T, N extends PropertyKey, S, Kind extends WindowKind> = Show<
  { readonly [K in N & keyof T]: NonNullable<T[K]> } & WindowFields<Kind> & ResultOf<T, S>
>

/** Names that results cannot have, as the row has fields of these names. */
type Taken = 'windowStart' | 'windowEnd' | 'windowIndex' | 'trigger' | 'isLast'

/** Names that are known one by one: of a row with any names, none. */
type LiteralName<N extends PropertyKey> = string extends N ? never : N & string

/** Rejects results whose names are taken, with a text that says so. */
export type Free<N extends PropertyKey> = {
  readonly [K in LiteralName<N> | Taken]?: `"${K}" is a field of the row already: give the result another name`
}

/** The names that two events share. */
export type SharedNames<L, R> = KeyNames<L> & KeyNames<R>

/** The fields that both sides of a join have beside its keys: there can be none. */
export type Clashing<L, R, N> = Exclude<NameOf<L> & NameOf<R>, N>

/** Rejects a join by names of events that share another field. */
export type Unclashing<L, R, N> = [Clashing<L, R, N>] extends [never]
  ? unknown
  : { readonly on: `both sides have a field ${Clashing<L, R, N>}: rename one with select()` }

/** A joined row: the keys once, then the fields of both sides; null where a side is missing. */
export type JoinedRow<L, R, N extends PropertyKey, M> = Show<
  { readonly [K in N & keyof L]: NonNullable<L[K]> } & {
    readonly [K in Exclude<keyof L, N>]: M extends 'right' | 'full' ? L[K] | null : L[K]
  } & { readonly [K in Exclude<keyof R, N>]: M extends 'left' | 'full' ? R[K] | null : R[K] }
>
