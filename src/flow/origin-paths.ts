// How far origins travel with the events of a pipeline: as far as each event is made from one record, if anything below
// may reject it.

import { takingCheck } from './operator-fields.ts'
import { isStateless, type Operator, type PlanNode, type Windowing } from './plan.ts'

/** How origins travel through a plan. */
export interface OriginPaths {
  /** Whether the events that a node emits have origins. */
  gives(node: PlanNode): boolean
  /** Whether a node receives events with their origins. */
  takes(node: PlanNode): boolean
  /** Whether events made from many records reach the end, alone or among others. */
  readonly hasResults: boolean
}

/** Operators that emit the events they receive, or one for each. */
const PASSING: readonly Operator['kind'][] = [
  'input',
  'source',
  'partition',
  'shuffle',
  'merge',
  'mapAsync',
  'uniq',
  'branch',
]

/**
 * Origins travel from the sources to the sink, and to every operator that can reject an event; never beyond an operator
 * that makes something of many events, and nowhere that they are not needed.
 *
 * @param nodes - all of the plan, inputs first
 */
export function originPaths(last: PlanNode, nodes: readonly PlanNode[]): OriginPaths {
  const wanted = new Set<PlanNode>()
  const visit = (node: PlanNode): void => {
    if (wanted.has(node) || !isPassing(node)) return
    wanted.add(node)
    for (const input of node.inputs) visit(input)
  }
  visit(last)
  for (const node of nodes) {
    if (!isRefusing(node)) continue
    if (isPassing(node)) visit(node)
    else for (const input of node.inputs) visit(input)
  }
  // A node whose inputs have no origins has none either.
  const given = new Set<PlanNode>()
  for (const node of nodes) {
    const hasOrigins = node.inputs.length === 0 || node.inputs.some((input) => given.has(input))
    if (wanted.has(node) && hasOrigins) given.add(node)
  }
  const mixes = nodes.some((node) => given.has(node) && node.inputs.some((input) => !given.has(input)))
  return {
    gives: (node) => given.has(node),
    takes: (node) => given.has(node) || (isRefusing(node) && node.inputs.some((input) => given.has(input))),
    hasResults: mixes || !given.has(last),
  }
}

function isPassing({ operator }: PlanNode): boolean {
  return isStateless(operator) || PASSING.includes(operator.kind)
}

/** Whether an operator can reject an event, or find it late. */
function isRefusing({ operator }: PlanNode): boolean {
  if (isStateless(operator) || operator.kind === 'mapAsync') return true
  const { window } = operator as { readonly window?: Windowing }
  return (window !== undefined && 'at' in window) || takingCheck(operator) !== undefined
}
