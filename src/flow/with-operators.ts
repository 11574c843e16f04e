// A plan with other operators in the place of its own.

import { nodesOf, type Operator, type PlanNode } from './plan.ts'

/** The same plan, in which `of` stands for each operator; nodes that were shared still are. */
export function withOperators(last: PlanNode, of: (operator: Operator) => Operator): PlanNode {
  const made = new Map<PlanNode, PlanNode>()
  for (const node of nodesOf(last)) {
    const inputs = node.inputs.map((input) => made.get(input) as PlanNode)
    made.set(node, { operator: of(node.operator), inputs })
  }
  return made.get(last) as PlanNode
}

/** The same plan, with other sources beside the pipeline's own. */
export function withSources(last: PlanNode, of: (source: unknown) => unknown): PlanNode {
  return withOperators(last, (operator) =>
    operator.kind === 'source' ? { ...operator, sources: operator.sources.map(of) } : operator,
  )
}
