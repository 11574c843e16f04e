// The contract of aggregates: mergeable summaries of many events.

import { describeValue } from '../base/check.ts'

/**
 * A way to aggregate events: states are made from events, merged with each other, and finished to a result.
 *
 * - The caller calls `create` for each group of events, `add` for each event in the order of arrival, and `result` as
 *   often as it likes: `result` changes nothing, and more events may follow.
 * - Events may be split among several states, each taking a run of them. `merge(into, other)` takes `into` as the
 *   earlier ones, returns `into` or another state, and leaves `other` unchanged; `into` is not used afterwards.
 * - `save` returns a copy for JSON and structured clone, and `load` a state that continues as the saved one would.
 * - If `add` or `merge` throws, the state is unusable: half an event may be in it. The caller ends with that error, or
 *   continues from an earlier save.
 */
export interface Aggregate<In, Out, State = unknown> {
  /** Its name and parameters: `count`, `topK(10)`, `quantile(0.99)`; for diagrams and fingerprints. */
  readonly kind: string
  readonly create: () => State
  /** Adds an event; returns the state, the same object or another. */
  readonly add: (state: State, event: In) => State
  /** Absent if two states cannot be merged: then nothing is combined before an exchange. */
  readonly merge?: (into: State, other: State) => State
  readonly result: (state: State) => Out
  /** The state as plain data; NaN, Infinity, -0, undefined, bigints and Dates are restored exactly. */
  readonly save: (state: State) => unknown
  readonly load: (saved: unknown) => State
  /** The fields that it reads, if it was made from field names: then it reads nothing else of an event. */
  readonly fields?: readonly string[]
  /** As `add`, for the value of its only field: the event itself is not needed. */
  readonly addValue?: (state: State, value: never) => State
  /** For an aggregate made of others: those, by name. Its state, and its saved form, is an array of theirs. */
  readonly members?: ReadonlyMap<string, Aggregate<In, unknown>>
}

/** An aggregate with any state and result: every {@link Aggregate} of `In` is one. */
export interface AnyAggregate<In> {
  readonly kind: string
  readonly create: () => unknown
  readonly add: (state: never, event: In) => unknown
  readonly merge?: (into: never, other: never) => unknown
  readonly result: (state: never) => unknown
  readonly save: (state: never) => unknown
  readonly load: (saved: unknown) => unknown
  readonly fields?: readonly string[]
  readonly addValue?: (state: never, value: never) => unknown
}

const PARTS = ['create', 'add', 'result', 'save', 'load']

/** Whether a value has all members of an aggregate. */
export function isAggregate(value: unknown): value is AnyAggregate<never> {
  if (typeof value !== 'object' || value === null || typeof (value as { kind?: unknown }).kind !== 'string')
    return false
  return PARTS.every((part) => typeof (value as Record<string, unknown>)[part] === 'function')
}

/** Rejects anything but a function, when an aggregate is made. */
export function checkOf(kind: string, of: unknown): void {
  if (typeof of === 'function') return
  throw new TypeError(`${kind} needs the name of a field, or a function of the event: found ${describeValue(of)}`)
}

/** The error for an event whose value the aggregate cannot take. */
export function misfit(kind: string, needs: string, found: unknown): TypeError {
  const named = typeof found === 'bigint' ? `${found}n` : describeValue(found)
  return new TypeError(`Cannot add an event to ${kind}: it takes ${needs}, found ${named}`)
}
