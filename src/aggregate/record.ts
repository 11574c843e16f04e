// record: several aggregates at once, each with a name.

import { describeValue } from '../base/check.ts'
import { generated } from '../base/generated.ts'
import { type Aggregate, type AnyAggregate, isAggregate } from './aggregate.ts'
import type { AnyField, CountedField, GivenBy, NumberField, OrderedField } from './field.ts'
import type { TimedBy } from './first-last.ts'
import type { Ordered } from './min-max.ts'
import type { Value } from './value.ts'

/** The names of an event's fields. */
export type NameOf<T> = keyof T & string

/** The names of those fields of an event that hold a `V`. */
export type NamesOf<T, V> = { [K in NameOf<T>]-?: T[K] extends V ? K : never }[NameOf<T>]

type Nullish = null | undefined

/** An aggregate of events: of a field that they have, by its name, or by functions of the event. */
export type AggregateFor<T> =
  | NumberField<NamesOf<T, number | bigint | Nullish>, unknown>
  | OrderedField<NamesOf<T, Ordered | Nullish>, unknown>
  | CountedField<NamesOf<T, Value | undefined>, unknown>
  | (AnyField<NameOf<T>, unknown> & TimedBy<NamesOf<T, number>>)
  | AnyAggregate<T>

/** Aggregates by the names of their results. */
export type Aggregates<In> = { readonly [name: string]: AggregateFor<In> }

/** What aggregates of events of type `T` give, under the same names. */
export type ResultOf<T, Spec> = { readonly [Name in keyof Spec]: ResultOne<T, Spec[Name]> }

type ResultOne<T, A> = A extends { readonly field: infer N; readonly gives?: { readonly type: infer Out } | undefined }
  ? GivenBy<T, N, Out>
  : A extends { readonly result: (state: never) => infer Out }
    ? Out
    : never

type Member = Aggregate<unknown, unknown>

/**
 * Several aggregates as one: each event goes into all of them, and the result is an object of their results.
 *
 * It can be merged if all of them can. Its state is an array, in the order of the names.
 *
 * @throws {TypeError} if `spec` is empty, or holds anything but aggregates
 * @example
 * const { create, add, result } = record({ n: count(), mean: mean((celsius: number) => celsius) })
 * result([20, 21].reduce(add, create())) // => { n: 2, mean: 20.5 }
 */
export function record<In, Spec extends Aggregates<In> = Aggregates<In>>(
  spec: Spec & Aggregates<In>,
): Aggregate<In, ResultOf<In, Spec>, unknown[]> {
  const names = namesOf(spec)
  const members = names.map((name) => spec[name] as unknown as Member)
  const adds = members.map((member) => member.add)
  const size = adds.length
  const canMerge = members.every((member) => member.merge !== undefined)
  return {
    kind: `record(${names.map((name, i) => `${name}: ${members[i]?.kind}`).join(', ')})`,
    create: () => members.map((member) => member.create()),
    add: addAllGenerated(adds) ?? addAll(adds),
    ...(canMerge ? { merge: mergeAll(members) } : {}),
    result(states) {
      const results: Record<string, unknown> = {}
      for (let i = 0; i < size; i += 1) results[names[i] as string] = members[i]?.result(states[i])
      return results as ResultOf<In, Spec>
    },
    members: new Map(names.map((name, i) => [name, members[i] as Member])),
    save: (states) => members.map((member, i) => member.save(states[i])),
    load(saved) {
      if (!Array.isArray(saved) || saved.length !== size) throw new TypeError(mismatch(names, saved))
      return members.map((member, i) => member.load(saved[i]))
    },
  }
}

type AddAll = (states: unknown[], event: unknown) => unknown[]

/** The plain version: one after the other. */
export function addAll(adds: readonly Member['add'][]): AddAll {
  return (states, event) => {
    for (let i = 0; i < adds.length; i += 1) states[i] = (adds[i] as Member['add'])(states[i], event)
    return states
  }
}

/** The fast version: unrolled. */
export function addAllGenerated(adds: readonly Member['add'][]): AddAll | undefined {
  const lines = adds.map((_, i) => `states[${i}] = a${i}(states[${i}], event)`)
  const body = `return (states, event) => { ${lines.join('; ')}; return states }`
  return generated<AddAll>(body, Object.fromEntries(adds.map((add, i) => [`a${i}`, add])))
}

function mergeAll(members: readonly Member[]): (into: unknown[], other: unknown[]) => unknown[] {
  return (into, other) => {
    for (const [i, member] of members.entries()) into[i] = member.merge?.(into[i], other[i])
    return into
  }
}

function namesOf(spec: unknown): string[] {
  if (typeof spec !== 'object' || spec === null) {
    throw new TypeError(`record takes an object of aggregates: found ${describeValue(spec)}`)
  }
  const entries = Object.entries(spec)
  if (entries.length === 0) throw new TypeError('record needs at least one aggregate: found an empty object')
  for (const [name, value] of entries) {
    // A result with this name would not become a field.
    if (name === '__proto__') throw new TypeError('record cannot have a result named __proto__')
    if (!isAggregate(value)) throw new TypeError(`record: ${name} must be an aggregate: found ${describeValue(value)}`)
  }
  return entries.map(([name]) => name)
}

function mismatch(names: readonly string[], saved: unknown): string {
  const found = Array.isArray(saved) ? `${saved.length} of them` : describeValue(saved)
  return `Cannot load a record of ${names.join(', ')}: it takes ${names.length} saved states, found ${found}`
}
