// Results that a flow emits again, once a later run has found more.

import { nodesOf, type Operator, type PlanNode } from './plan.ts'

/**
 * The operators of a flow that emit results of their state when everything is read, and keep the state: a later run
 * that finds more emits the whole results again.
 */
export function givesAgain(last: PlanNode): Operator[] {
  return nodesOf(last)
    .map(({ operator }) => operator)
    .filter(holdsOn)
}

function holdsOn(operator: Operator): boolean {
  switch (operator.kind) {
    case 'aggregate':
    case 'departition':
      return true
    case 'takeSort':
      return !operator.isOfRun
    case 'reduce':
      return !operator.asParts && (operator.onTrigger !== undefined || operator.emit !== 'nothing')
    case 'join':
      // A pair is emitted when its second event comes, once; an event without a partner when everything is read.
      return operator.mode !== 'inner'
    default:
      return false
  }
}
