// What a flow gives again: results of the whole, once a later run has found more.

import { nodesOf, type Operator, type PlanNode } from './plan.ts'

/**
 * The operators of a flow that give results of what they hold when all is read, and hold it on: a later run that finds
 * more gives results of the whole again.
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
      // A pair goes out when its second event comes, once; an event without one when all is read.
      return operator.mode !== 'inner'
    default:
      return false
  }
}
