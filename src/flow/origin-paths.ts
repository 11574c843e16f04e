// How far origins go with the events of a pipeline: as far as one record made each, where anything below may refuse one.

import { takingCheck } from './operator-fields.ts'
import { isStateless, type Operator, type PlanNode, type Windowing } from './plan.ts'

/** What is known of the way of origins through a plan. */
export interface OriginPaths {
  /** Whether the events that a node gives have their origins. */
  gives(node: PlanNode): boolean
  /** Whether a node takes events with their origins. */
  takes(node: PlanNode): boolean
  /** Whether events that were made of many records come to the end, alone or among others. */
  readonly hasResults: boolean
}

/** Operators that give the events that they take, or one for each. */
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
 * Origins go along from the sources to where rows are loaded, and to every operator that can refuse an event; never
 * beyond one that makes something of many events, and nowhere that nobody needs them.
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
  // What takes only from where there are no origins has none either.
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

/** Whether an operator can refuse an event, or find it late. */
function isRefusing({ operator }: PlanNode): boolean {
  if (isStateless(operator) || operator.kind === 'mapAsync') return true
  const { window } = operator as { readonly window?: Windowing }
  return (window !== undefined && 'at' in window) || takingCheck(operator) !== undefined
}
