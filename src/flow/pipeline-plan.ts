// The plan of a pipeline, prepared to run: resumable sources, and a branch for each consumer of an event.

import { originPaths } from './origin-paths.ts'
import { nodesOf, type Operator, type PlanNode } from './plan.ts'

export interface PipelinePlan {
  /** The last node; the pipeline's own source is what it continues. */
  readonly node: PlanNode
  /** Whether events made from many records reach the end, alone or among others. */
  readonly hasResults: boolean
  /** How many sources the plan reads. */
  readonly sources: number
}

/** The number of one of the plan's sources; the pipeline's own is 0. */
export interface ReadAs {
  readonly number: number
  readonly sources: number
}

/** Makes a further source of a flow resumable; throws a TypeError if it cannot be. */
export type Readable = (source: unknown, name: string, as: ReadAs) => unknown

/**
 * Prepares a plan to run as a pipeline.
 *
 * @throws {TypeError} for a plan that a pipeline cannot run
 */
export function pipelinePlan(last: PlanNode, readable: Readable): PipelinePlan {
  const nodes = nodesOf(last)
  if (!nodes.some(({ operator }) => operator.kind === 'input')) {
    throw new TypeError('A pipeline continues the flow that it was given')
  }
  for (const { operator } of nodes) refuseStrange(operator)
  const paths = originPaths(last, nodes)
  const sources = 1 + sourcesBeside(last).length
  const ways = new Ways(nodes.filter((node) => paths.takes(node)).flatMap(({ inputs }) => inputs))
  const made = new Map<PlanNode, PlanNode>()
  let read = 1
  for (const node of nodes) {
    const { operator } = node
    if (operator.kind === 'source') {
      const own = operator.sources.map((one, at) => {
        return readable(one, `${operator.name} ${at + 1}`, { number: read + at, sources })
      })
      read += own.length
      made.set(node, { operator: { ...operator, sources: own }, inputs: [] })
      continue
    }
    const inputs = node.inputs.map((input) => {
      const found = made.get(input) as PlanNode
      return paths.takes(node) && paths.gives(input) ? ways.next(input, found) : found
    })
    made.set(node, { operator, inputs })
  }
  return { node: made.get(last) as PlanNode, hasResults: paths.hasResults, sources }
}

/** The sources of a flow beside the pipeline's own, in the order of their numbers, which begin with 1. */
export function sourcesBeside(last: PlanNode): readonly unknown[] {
  return nodesOf(last).flatMap(({ operator }) => (operator.kind === 'source' ? operator.sources : []))
}

/** Where several take the same events: a branch for each of them. */
class Ways {
  readonly #consumers = new Map<PlanNode, number>()
  readonly #given = new Map<PlanNode, number>()

  /**
   * @param taken - every node from which events are taken with their origins, as often as they are
   */
  constructor(taken: readonly PlanNode[]) {
    for (const node of taken) this.#consumers.set(node, (this.#consumers.get(node) ?? 0) + 1)
  }

  /** The next branch of a node, which was made into `found`. */
  next(node: PlanNode, found: PlanNode): PlanNode {
    const ways = this.#consumers.get(node) ?? 1
    if (ways === 1) return found
    const at = this.#given.get(node) ?? 0
    this.#given.set(node, at + 1)
    return { operator: { kind: 'branch', name: 'branch', at, ways }, inputs: [found] }
  }
}

function refuseStrange({ kind, name }: Operator): void {
  if (kind === 'take') {
    throw new TypeError(`A pipeline ends when its source does: found take (${name})`)
  }
  if (kind === 'throughStages') {
    throw new TypeError(`A pipeline cannot resume what your own stages hold: found throughStages (${name})`)
  }
}
