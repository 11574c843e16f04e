// Aggregations: named results over many events, per key, per window.

import { type Aggregates, type ResultOf, record } from '../aggregate/record.ts'
import { checkInteger, checkKeys } from '../base/check.ts'
import type { Key } from '../base/hash.ts'
import type { Pane, PaneWindow, WindowKind } from '../window/pane.ts'
import { MOST_KEYS } from './limit.ts'
import { checkSessions, nameOf, type StepOptions } from './name.ts'
import type { Aggregating, PlanNode, Windowing } from './plan.ts'

export type { Windowing } from './plan.ts'

/**
 * The result of an aggregation in windows; `K` is never if there are no keys. If a window may emit more than one
 * result, each says why it was emitted, and whether it is the last one.
 */
export type AggregateRow<K, T, S, Kind extends WindowKind = WindowKind> = ([K] extends [never]
  ? unknown
  : { readonly key: K }) & {
  readonly window: PaneWindow<Kind>
  readonly trigger?: Pane<unknown>['trigger']
  readonly isLast?: boolean
} & ResultOf<T, S>

const TAKEN = ['key', 'window', 'trigger', 'isLast']
const TAKEN_IN_ROWS = ['windowStart', 'windowEnd', 'windowIndex', 'trigger', 'isLast']

export interface AggregateOptions extends StepOptions {
  /**
   * The most keys that each stage holds before the run fails: an integer, 1 or more; 1,000,000 by default. Not in
   * windows, which have `maxOpen`.
   */
  readonly maxKeys?: number
}

interface Aggregation<T, S> {
  readonly spec: S
  readonly key?: (value: T) => Key
  readonly window?: Windowing
  /** The fields of the key, where results are to be rows. */
  readonly row?: readonly string[] | undefined
  readonly options?: AggregateOptions | undefined
}

export function aggregateOf<T, S extends Aggregates<T>>(node: PlanNode, given: Aggregation<T, S>): PlanNode {
  const { spec, key, window, row, options = {} } = given
  const name = nameOf('aggregate', node, options)
  checkKeys(name, options, key === undefined || window !== undefined ? ['name'] : ['name', 'maxKeys'])
  const { maxKeys = MOST_KEYS } = options
  checkInteger(`maxKeys of ${name}`, maxKeys, 1)
  for (const field of row === undefined ? TAKEN : [...row, ...TAKEN_IN_ROWS]) {
    if (Object.hasOwn(spec, field))
      throw new TypeError(`${name} cannot have a result named ${field}: a result has that field already`)
  }
  const taken = window === undefined ? undefined : row?.find((field) => TAKEN_IN_ROWS.includes(field))
  if (taken !== undefined) {
    const way = 'give it another name with .select(…)'
    throw new TypeError(`${name} cannot have a key named ${taken}: its window gives a field of that name; ${way}`)
  }
  const aggregate = record<T, S>(spec)
  checkSessions(name, window, aggregate.merge !== undefined)
  const operator: Aggregating = { kind: 'aggregate', name, key, aggregate, row, window, maxKeys }
  return { operator, inputs: [node] }
}
