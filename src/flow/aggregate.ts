// Aggregations: named results out of many events, of each key, of each window.

import { type Aggregates, type ResultOf, record } from '../aggregate/record.ts'
import type { Key } from '../base/hash.ts'
import type { Pane } from '../window/panes.ts'
import { nameOf, type StepOptions } from './name.ts'
import type { Aggregating, PlanNode, Windowing } from './plan.ts'

export type { Windowing } from './plan.ts'

/** What an aggregation in windows gives; `K` is never where there are no keys. */
export type AggregateRow<K, S> = ([K] extends [never] ? unknown : { readonly key: K }) & {
  readonly window: Pane<unknown>['window']
} & ResultOf<S>

const TAKEN = ['key', 'window']

interface Aggregation<T, S> {
  readonly spec: S
  readonly key?: (value: T) => Key
  readonly window?: Windowing
  readonly options?: StepOptions | undefined
}

export function aggregateOf<T, S extends Aggregates<T>>(node: PlanNode, given: Aggregation<T, S>): PlanNode {
  const { spec, key, window, options } = given
  const name = nameOf('aggregate', node, options)
  for (const field of TAKEN) {
    if (Object.hasOwn(spec, field)) throw new TypeError(`${name} cannot have a result named ${field}: that is its own`)
  }
  const operator: Aggregating = { kind: 'aggregate', name, key, aggregate: record<T, S>(spec), window }
  return { operator, inputs: [node] }
}
