// aggregate: named results for each key, or for all events, without windows.

import type { Key } from '../../base/hash.ts'
import type { Aggregating } from '../plan.ts'
import { give, type MakeStep, type Port } from '../step.ts'
import { type Any, Groups } from './groups.ts'

/** What travels between the two halves of an aggregation. */
export type Partial = readonly [key: Key, saved: unknown]

/** Keys held before the partial results go out: they are merged further down in any case. */
const PARTIALS_HELD = 100_000
/** The key of an aggregation that has none. */
const ALL = ''
const OUT_AT_ONCE = 1024

type Finish = (key: Key, state: unknown) => unknown

/** From events to results. */
export function aggregate(operator: Aggregating): MakeStep {
  const aggregate = operator.aggregate as unknown as Any
  return machine(operator, finishing(operator), (groups) => groups.adder(keyer(operator), aggregate))
}

/** The first half: from events to partial results, which travel instead of the events. */
export function aggregatePartly(operator: Aggregating): MakeStep {
  const aggregate = operator.aggregate as unknown as Any
  return (next) => {
    const groups = new Groups()
    const add = groups.adder(keyer(operator), aggregate)
    const flush = (): void => {
      sendAll(groups, (key, state) => [key, aggregate.save(state)] satisfies Partial, next)
      groups.clear()
    }
    return {
      events(batch) {
        add(batch)
        if (groups.size >= PARTIALS_HELD) flush()
      },
      watermark: (time) => next.watermark(time),
      end: flush,
    }
  }
}

/** The second half: from partial results to results. */
export function aggregateMerging(operator: Aggregating): MakeStep {
  const { merge, load } = operator.aggregate as unknown as Any
  if (merge === undefined) throw new TypeError(`${operator.name} cannot be merged`)
  return machine(operator, finishing(operator), (groups) => (batch) => {
    for (const [key, saved] of batch as readonly Partial[]) {
      groups.update(key, (state, isNew) => (isNew ? load(saved) : merge(state, load(saved))))
    }
  })
}

type Take = (groups: Groups) => (batch: readonly unknown[]) => void

/** Key → state, until the end; without keys there is a result also for no events. */
function machine(operator: Aggregating, finish: Finish, take: Take): MakeStep {
  const { create } = operator.aggregate as unknown as Any
  return (next) => {
    const groups = new Groups()
    return {
      events: take(groups),
      watermark: (time) => next.watermark(time),
      end() {
        if (operator.key === undefined && groups.size === 0) groups.update(ALL, create)
        sendAll(groups, finish, next)
      },
    }
  }
}

export function keyer({ key }: Aggregating): (event: unknown) => Key {
  return key === undefined ? () => ALL : (key as (event: unknown) => Key)
}

/** What a user sees of a key's result. */
function finishing({ key, aggregate }: Aggregating): Finish {
  const { result } = aggregate as unknown as Any
  return key === undefined
    ? (_, state) => result(state)
    : (of, state) => ({ key: of, ...(result(state) as Record<string, unknown>) })
}

function sendAll(groups: Groups, finish: Finish, next: Port): void {
  let out: unknown[] = []
  for (const [key, state] of groups) {
    out.push(finish(key, state))
    if (out.length < OUT_AT_ONCE) continue
    next.events(out)
    out = []
  }
  give(next, out)
}
