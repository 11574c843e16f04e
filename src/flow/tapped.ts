// A plan whose events are seen on their way, step by step.

import { operatorText } from './name.ts'
import { nodesOf, type Operator, type PlanNode } from './plan.ts'

/** A step whose events are seen. */
export interface Tap {
  /** From 1, in the order of the plan. */
  readonly number: number
  readonly operator: Operator
  /** Its operator in words; undefined for what stands for a pipeline's source. */
  readonly text: string | undefined
  /** The taps ahead of it. */
  readonly inputs: readonly number[]
}

/** What an exchange gives is what came. */
const UNCHANGED: readonly Operator['kind'][] = ['partition', 'shuffle']

/**
 * The same plan, in which every event is passed to `see` after each step that gives others than it takes.
 *
 * @param see - called in the thread of the run, with the number of the step
 */
export function tapped(
  last: PlanNode,
  see: (number: number, event: unknown) => void,
): { readonly node: PlanNode; readonly taps: readonly Tap[] } {
  const taps: Tap[] = []
  const made = new Map<PlanNode, PlanNode>()
  /** Node → the taps whose events it gives. */
  const seen = new Map<PlanNode, readonly number[]>()
  const nodes = nodesOf(last)
  // Parts of states are for what puts them together.
  const unfinished = new Set(nodes.flatMap(({ operator, inputs }) => (operator.kind === 'departition' ? inputs : [])))
  for (const node of nodes) {
    const { operator } = node
    const own: PlanNode = { operator, inputs: node.inputs.map((input) => made.get(input) as PlanNode) }
    const inputs = [...new Set(node.inputs.flatMap((input) => seen.get(input) ?? []))]
    if (UNCHANGED.includes(operator.kind) || unfinished.has(node)) {
      made.set(node, own)
      seen.set(node, inputs)
      continue
    }
    const number = taps.length + 1
    taps.push({ number, operator, text: operator.kind === 'input' ? undefined : operatorText(operator), inputs })
    const keep = (event: never): boolean => {
      see(number, event)
      return true
    }
    // A filter that is known to read no field leaves all that is known of rows as it is.
    const tap: Operator = { kind: 'filter', name: operator.name, keep, fields: { reads: [] } }
    made.set(node, { operator: tap, inputs: [own] })
    seen.set(node, [number])
  }
  return { node: made.get(last) as PlanNode, taps }
}
