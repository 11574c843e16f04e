// aggregate: named results for each key, or for all events, without windows.

import type { Aggregate } from '../../aggregate/aggregate.ts'
import type { Key } from '../../base/hash.ts'
import type { Aggregating } from '../plan.ts'
import { give, type MakeStep, type Port } from '../step.ts'
import { plainKey } from './uniq.ts'

/** What travels between the two halves of an aggregation. */
export type Partial = readonly [key: Key, saved: unknown]

/** Keys held before the partial results go out: they are merged further down in any case. */
const PARTIALS_HELD = 100_000
/** The key of an aggregation that has none. */
const ALL = ''
const OUT_AT_ONCE = 1024

/** An aggregate of which nothing is known. */
export type Any = Aggregate<unknown, unknown, unknown>
type Finish = (key: Key, state: unknown) => unknown

/** From events to results. */
export function aggregate(operator: Aggregating): MakeStep {
  const { add } = operator.aggregate as unknown as Any
  return machine(operator, finishing(operator), (states, create, batch, keyOf) => {
    for (const event of batch) addTo(states, keyOf(event), event, create, add)
  })
}

/** The first half: from events to partial results, which travel instead of the events. */
export function aggregatePartly(operator: Aggregating): MakeStep {
  const { add, save, create } = operator.aggregate as unknown as Any
  const keyOf = keyer(operator)
  return (next) => {
    const states = new Map<Key, unknown>()
    const flush = (): void => {
      sendAll(states, (key, state) => [key, save(state)] satisfies Partial, next)
      states.clear()
    }
    return {
      events(batch) {
        for (const event of batch) addTo(states, keyOf(event), event, create, add)
        if (states.size >= PARTIALS_HELD) flush()
      },
      watermark: (time) => next.watermark(time),
      end: flush,
    }
  }
}

/** Adds an event to the state of its key. Most states are changed in place, and need not be set again. */
function addTo(states: Map<Key, unknown>, key: Key, event: unknown, create: Any['create'], add: Any['add']): void {
  const state = states.get(key)
  const isNew = state === undefined && !states.has(key)
  const after = add(isNew ? create() : state, event)
  if (isNew || after !== state) states.set(key, after)
}

/** The second half: from partial results to results. */
export function aggregateMerging(operator: Aggregating): MakeStep {
  const { merge, load } = operator.aggregate as unknown as Any
  if (merge === undefined) throw new TypeError(`${operator.name} cannot be merged`)
  return machine(operator, finishing(operator), (states, _, batch) => {
    for (const [key, saved] of batch as readonly Partial[]) {
      const state = states.get(key)
      states.set(key, state === undefined && !states.has(key) ? load(saved) : merge(state, load(saved)))
    }
  })
}

type Take = (
  states: Map<Key, unknown>,
  create: () => unknown,
  batch: readonly unknown[],
  keyOf: (event: unknown) => Key,
) => void

/** Key → state, until the end; without keys there is a result also for no events. */
function machine(operator: Aggregating, finish: Finish, take: Take): MakeStep {
  const { create } = operator.aggregate as unknown as Any
  const keyOf = keyer(operator)
  return (next) => {
    const states = new Map<Key, unknown>(operator.key === undefined ? [[ALL, create()]] : [])
    return {
      events: (batch) => take(states, create, batch, keyOf),
      watermark: (time) => next.watermark(time),
      end: () => sendAll(states, finish, next),
    }
  }
}

export function keyer({ key }: Aggregating): (event: unknown) => Key {
  if (key === undefined) return () => ALL
  return (event) => plainKey((key as (event: unknown) => Key)(event))
}

/** What a user sees of a key's result. */
function finishing({ key, aggregate }: Aggregating): Finish {
  const { result } = aggregate as unknown as Any
  return key === undefined
    ? (_, state) => result(state)
    : (of, state) => ({ key: of, ...(result(state) as Record<string, unknown>) })
}

function sendAll(states: ReadonlyMap<Key, unknown>, finish: Finish, next: Port): void {
  let out: unknown[] = []
  for (const [key, state] of states) {
    out.push(finish(key, state))
    if (out.length < OUT_AT_ONCE) continue
    next.events(out)
    out = []
  }
  give(next, out)
}
