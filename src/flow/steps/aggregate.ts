// aggregate: named results for each key, or for all events, without windows.

import { fieldsOfKey, reading } from '../../base/field.ts'
import type { Key } from '../../base/hash.ts'
import { overLimit } from '../../base/over-limit.ts'
import type { Batch } from '../../connect/batch.ts'
import type { Aggregating } from '../plan.ts'
import { giveResults, type MakeStep, type Port } from '../step.ts'
import { Groups, type Partial, type SavedGroups } from './groups.ts'
import { NO_KEY } from './key-columns.ts'
import type { Any } from './member-states.ts'

/** Keys held before the partial results are emitted: they are merged further down in any case. */
const PARTIALS_HELD = 100_000
const ALL = reading([], () => NO_KEY)
const OUT_AT_ONCE = 1024

/** From events to results. */
export function aggregate(operator: Aggregating): MakeStep {
  return machine(operator, (groups) => groups.adder(keyer(operator)))
}

/** The first half: from events to partial results, which travel instead of the events. */
export function aggregatePartly(operator: Aggregating): MakeStep {
  return (next) => {
    const groups = new Groups(operator)
    const add = groups.adder(keyer(operator))
    const flush = (): void => {
      sendAll(groups.size, (at) => groups.partialOf(at), next)
      groups.clear()
    }
    return {
      events(batch) {
        add(batch)
        if (groups.size >= PARTIALS_HELD) flush()
      },
      watermark: (time) => next.watermark(time),
      flush,
      end: flush,
    }
  }
}

/** The second half: from partial results to results. */
export function aggregateMerging(operator: Aggregating): MakeStep {
  if ((operator.aggregate as unknown as Any).merge === undefined) {
    throw new TypeError(`${operator.name} cannot be merged`)
  }
  return machine(operator, (groups) => (batch) => {
    for (const partial of batch.values() as readonly Partial[]) groups.merge(partial)
  })
}

type Take = (groups: Groups) => (batch: Batch) => void

/** Key → state, until the end; without keys there is a result even without events. */
function machine(operator: Aggregating, take: Take): MakeStep {
  return (next, context) => {
    const groups = new Groups(operator)
    const { name, maxKeys } = operator
    const keyFields = keyFieldsOf(operator)
    const add = take(groups)
    return {
      events(batch) {
        add(batch)
        if (groups.size > maxKeys) throw overLimit({ what: 'key', operator: name, option: 'maxKeys', limit: maxKeys })
      },
      watermark: (time) => next.watermark(time),
      snapshot: () => groups.snapshot(),
      restore(saved) {
        for (const one of saved) groups.restore(one as SavedGroups, context.owns)
      },
      end() {
        if (operator.key === undefined) groups.ensure(NO_KEY)
        sendAll(groups.size, (at) => groups.resultOf(at, keyFields(groups.keyOf(at))), next)
      },
    }
  }
}

/** What a result begins with: its key's fields, or its key. */
export function keyFieldsOf({ key, row }: Aggregating): (key: Key) => Record<string, unknown> {
  if (row !== undefined) return (of) => fieldsOfKey(row, of)
  return key === undefined ? () => ({}) : (of) => ({ key: of })
}

export function keyer({ key }: Aggregating): (event: unknown) => Key {
  return key === undefined ? ALL : (key as (event: unknown) => Key)
}

function sendAll(count: number, make: (at: number) => unknown, next: Port): void {
  let out: unknown[] = []
  for (let at = 0; at < count; at += 1) {
    out.push(make(at))
    if (out.length < OUT_AT_ONCE) continue
    giveResults(next, out)
    out = []
  }
  giveResults(next, out)
}
