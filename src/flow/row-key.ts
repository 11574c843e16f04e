// What tells the results of a flow apart, where its plan says so by names.

import type { WindowSpec } from '../window/window.ts'
import { tellsWhy } from './fields.ts'
import { type Aggregating, nodesOf, type PlanNode } from './plan.ts'

/**
 * The fields by which the rows that a node gives can be told apart: of an aggregation by names its key's fields and the
 * window's start. Undefined where the plan says of none, and where a window gives several rows of one start that are to
 * stand beside each other.
 *
 * @example
 * rowKeyOf(flow([{ city: 'Rome' }]).keyBy('city').aggregate({ n: count() }).node) // => ['city']
 */
export function rowKeyOf({ operator, inputs }: PlanNode): readonly string[] | undefined {
  const [above] = inputs
  switch (operator.kind) {
    case 'aggregate':
      return keyOfResult(operator)
    case 'filter':
    case 'branch':
      return above && rowKeyOf(above)
    case 'partition':
    case 'shuffle':
      // Behind several stages an earlier result of a window could overtake, and replace, a later one.
      return above && !nodesOf(above).some(isRefined) ? rowKeyOf(above) : undefined
    case 'map': {
      const key = above && rowKeyOf(above)
      if (key === undefined || operator.fields === undefined) return undefined
      const { reads, only, adds } = operator.fields
      if (only === undefined) return key.some((name) => adds?.includes(name)) ? undefined : key
      const names = key.map((name) => only[reads.indexOf(name)])
      return names.every((name) => name !== undefined) ? (names as string[]) : undefined
    }
    default:
      return undefined
  }
}

function isRefined({ operator }: PlanNode): boolean {
  return operator.kind === 'aggregate' && operator.window !== undefined && tellsWhy(operator.window)
}

function keyOfResult({ row, window }: Aggregating): readonly string[] | undefined {
  if (row === undefined || (window !== undefined && isRepeating(window))) return undefined
  const key = window === undefined || window.kind === 'global' ? row : [...row, placeOf(window)]
  return key.length === 0 ? undefined : key
}

/** Whether rows of one window come that are not to replace each other, or of one whose start moves. */
function isRepeating(window: WindowSpec<never>): boolean {
  return window.panes === 'discard' || (window.kind === 'session' && tellsWhy(window))
}

function placeOf({ kind }: WindowSpec<never>): string {
  return kind === 'count' ? 'windowIndex' : 'windowStart'
}
