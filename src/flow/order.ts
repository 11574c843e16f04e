// Where events must stay in the order of their source, for event-time windows or for results in order.

import { isStateless, type Operator, type PlanNode } from './plan.ts'

/**
 * The sources and merges whose events reach a window of event time, or calls with ordered results, without being mixed
 * on purpose in between.
 */
export function orderedNodes(nodes: readonly PlanNode[]): ReadonlySet<PlanNode> {
  const ordered = new Set<PlanNode>()
  const visit = (node: PlanNode): void => {
    const { kind } = node.operator
    if (kind === 'source' || kind === 'input' || kind === 'merge') ordered.add(node)
    if (isStateless(node.operator) || THROUGH.includes(kind)) for (const input of node.inputs) visit(input)
  }
  for (const { operator, inputs } of nodes) if (needsOrder(operator)) for (const input of inputs) visit(input)
  return ordered
}

const THROUGH: readonly Operator['kind'][] = ['merge', 'uniq', 'batch', 'mapAsync', 'partition', 'take', 'branch']

function needsOrder(operator: Operator): boolean {
  if (operator.kind === 'mapAsync') return operator.settings.ordered
  return 'window' in operator && operator.window !== undefined && 'at' in operator.window
}
