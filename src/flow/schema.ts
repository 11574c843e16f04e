// Which schemas may validate the events of a flow. Types only: nothing remains at run time.

import type { StandardSchemaV1 } from '@standard-schema/spec'

/**
 * A schema for events of type `T`: one that accepts some of them. Its input may be wider than `T`, or narrower (`'a' |
 * 'b'` for a `string`, a field without `null`): telling such events apart is its purpose. A schema that would reject
 * every event (a `string` for a `number`, a field that events do not have) does not compile. Nothing is known about a
 * type parameter: take its flow as a `Flow<unknown>`.
 */
export type SchemaFor<T, Input, Output> = StandardSchemaV1<Input, Output> &
  NoInfer<StandardSchemaV1<Fitting<T, Input>, unknown>>

/** Any input, if an event can match it; else what the compiler shows beside the input that does not fit. */
type Fitting<T, Input> = Meets<T, Input> extends true ? unknown : FittingFields<T, Input>

type FittingFields<T, Input> = T extends object
  ? Input extends object
    ? {
        [K in keyof Input]: FieldMeets<T, Input, K> extends true ? unknown : FieldOf<T, K, 'events have no such field'>
      }
    : T
  : T

/** How many levels of fields are compared; deeper ones are left to the schema. */
type Levels = [1, 2, 3, 4, 5]

/** Whether a value may have both types. */
type Meets<A, B, Left extends readonly unknown[] = Levels> = [A] extends [B]
  ? true
  : true extends (A extends unknown ? (B extends unknown ? MembersMeet<A, B, Left> : never) : never)
    ? true
    : false

/** As {@link Meets}, for two types that are not unions. */
type MembersMeet<A, B, Left extends readonly unknown[]> = A extends B
  ? true
  : A extends Primitive
    ? PrimitivesMeet<A, B>
    : B extends Primitive
      ? B extends A
        ? true
        : false
      : Left extends readonly [unknown, ...infer Rest]
        ? ObjectsMeet<A, B, Rest>
        : true

/** Template literal types and branded values may match; literals are equal or not. */
type PrimitivesMeet<A, B> = B extends A
  ? true
  : [A, B] extends [string, string] | [number, number]
    ? IsLiteral<A> extends true
      ? IsLiteral<B> extends true
        ? false
        : true
      : true
    : false

type IsLiteral<A> = A extends string | number ? (Record<never, 1> extends Record<A, 1> ? false : true) : false

/** Nothing is known about the fields of `object` and `unknown`. */
type ObjectsMeet<A, B, Left extends readonly unknown[]> = [keyof A] extends [never]
  ? true
  : [A, B] extends [readonly (infer X)[], readonly (infer Y)[]]
    ? Meets<X, Y, Left>
    : false extends { [K in keyof B]-?: FieldMeets<A, B, K, Left> }[keyof B]
      ? false
      : true

/**
 * Whether a value of `A` may have what `B` requires in its field `K`; a method makes it a narrower class, not other
 * data.
 */
type FieldMeets<A, B, K extends keyof B, Left extends readonly unknown[] = Levels> = B[K] extends Method
  ? true
  : Meets<FieldOf<A, K, undefined>, B[K], Left>

/** The type of a field; of a record, whose fields have no names, that of all fields. */
type FieldOf<A, K, Missing> = K extends keyof A ? A[K] : string extends K ? A[keyof A] : Missing

type Primitive = string | number | bigint | boolean | symbol | null | undefined
type Method = (...args: never) => unknown
