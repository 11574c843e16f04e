// The plan of a pipeline, made ready to run: what is done where events are read, and how far origins go with them.

import { faultOfParts, partOf, type Traced, traced } from '../connect/origin.ts'
import { NO_RECORD } from './letter.ts'
import { lifted } from './lifted.ts'
import { originPaths } from './origin-paths.ts'
import { isStateless, nodesOf, type Operator, type Plan, type PlanNode, type Stateless } from './plan.ts'

/** A pipeline's plan in two parts. */
export interface PipelinePlan {
  /** Operators behind the source that look at one event at a time: done as it is read. */
  readonly head: Plan
  /** All that follows: its input is what the head gives. */
  readonly rest: PlanNode
  /** Whether the head gives events with their origins, and whether they have them at the end. */
  readonly isTracedIn: boolean
  readonly isTracedOut: boolean
  /** Whether events that were made of many records come to the end, alone or among others. */
  readonly hasResults: boolean
  /** Whether anything is behind the head. */
  readonly isHeadOnly: boolean
  /** How many sources the plan reads. */
  readonly sources: number
}

/** How one of a flow's further sources is read. */
export interface ReadAs {
  /** Whether its events go on with their origins. */
  readonly isTraced: boolean
  /** Which of the plan's sources it is, of how many; the pipeline's own has number 0. */
  readonly number: number
  readonly sources: number
}

/** Makes a further source of a flow one that can be gone on from; throws a TypeError for one that cannot. */
export type Readable = (source: unknown, name: string, as: ReadAs) => unknown

const INPUT: PlanNode = { operator: { kind: 'input', name: 'source' }, inputs: [] }

/**
 * Splits a plan, and lets origins go along with events as far as there is one event to each, where they are needed.
 *
 * @throws {TypeError} for what a pipeline cannot run
 */
export function pipelinePlan(last: PlanNode, readable: Readable): PipelinePlan {
  const nodes = nodesOf(last)
  for (const { operator } of nodes) refuseStrange(operator)
  const { head, end } = headOf(last, nodes)
  const above = new Set(nodesOf(end))
  const paths = originPaths(last, nodes, above)
  const sources = 1 + sourcesBeside(last).length
  const branches = new Branches(nodes.filter((node) => paths.takes(node)).flatMap(({ inputs }) => inputs))
  const made = new Map<PlanNode, PlanNode>([[end, INPUT]])
  let hasResults = !paths.gives(last)
  let read = 1
  const inputOf = (input: PlanNode, isTraced: boolean): PlanNode => {
    const found = made.get(input) as PlanNode
    if (paths.gives(input)) return isTraced ? branches.next(input, found) : behind(found, 'values', withoutOrigin)
    if (!isTraced) return found
    hasResults = true
    return behind(found, 'results', (value) => traced(value, NO_RECORD))
  }
  for (const node of nodes) {
    if (above.has(node)) continue
    const { operator } = node
    const isTraced = paths.takes(node)
    if (operator.kind === 'source') {
      const own = operator.sources.map((one, at) => {
        return readable(one, `${operator.name} ${at + 1}`, { isTraced, number: read + at, sources })
      })
      read += own.length
      made.set(node, { operator: { ...operator, sources: own }, inputs: [] })
      continue
    }
    const inputs = node.inputs.map((input) => inputOf(input, isTraced))
    made.set(node, { operator: lifted(operator, isTraced), inputs })
  }
  return {
    head,
    rest: made.get(last) as PlanNode,
    isTracedIn: paths.gives(end),
    isTracedOut: paths.gives(last),
    hasResults,
    isHeadOnly: end === last,
    sources,
  }
}

/** The sources of a flow beside the pipeline's own, in the order of their numbers, which begin with 1. */
export function sourcesBeside(last: PlanNode): readonly unknown[] {
  return nodesOf(last).flatMap(({ operator }) => (operator.kind === 'source' ? operator.sources : []))
}

function behind(input: PlanNode, name: string, fn: (event: never) => unknown): PlanNode {
  return { operator: { kind: 'map', name, fn }, inputs: [input] }
}

function withoutOrigin({ value }: Traced<unknown>): unknown {
  return value
}

/** Where several take the same events: what becomes of them on one branch has other parts than what does on another. */
class Branches {
  readonly #takers = new Map<PlanNode, number>()
  readonly #given = new Map<PlanNode, number>()

  /** @param taken - every node from which events are taken with their origins, as often as they are */
  constructor(taken: readonly PlanNode[]) {
    for (const node of taken) this.#takers.set(node, (this.#takers.get(node) ?? 0) + 1)
  }

  /** The next branch of a node, behind what it was made into. */
  next(node: PlanNode, found: PlanNode): PlanNode {
    const takers = this.#takers.get(node) ?? 1
    if (takers === 1) return found
    const at = this.#given.get(node) ?? 0
    this.#given.set(node, at + 1)
    const fn = ({ value, origin }: Traced<unknown>): Traced<unknown>[] => {
      const fault = faultOfParts(origin, takers)
      // One branch speaks for all of them.
      if (fault !== undefined && at === 0) throw new RangeError(fault)
      const own = fault === undefined ? partOf(origin, at, takers) : undefined
      return own === undefined ? [] : [traced(value, own)]
    }
    return { operator: lifted({ kind: 'flatMap', name: 'branch', fn }, false), inputs: [found] }
  }
}

function refuseStrange({ kind, name }: Operator): void {
  if (kind === 'take') {
    throw new TypeError(`A pipeline ends when its source does: found take (${name})`)
  }
  if (kind === 'throughStages') {
    throw new TypeError(`A pipeline cannot go on from what stages of your own hold: found throughStages (${name})`)
  }
}

/** The operators behind the input, as long as they look at one event at a time and only one takes from them. */
function headOf(last: PlanNode, nodes: readonly PlanNode[]): { readonly head: Plan; readonly end: PlanNode } {
  let end = nodes.find(({ operator }) => operator.kind === 'input')
  if (end === undefined) throw new TypeError('A pipeline continues the flow that it was given')
  const head: Stateless[] = []
  for (;;) {
    const takers = takersOf(end, nodes)
    const [only] = takers
    if (end === last || only === undefined || takers.length > 1 || !isStateless(only.operator)) return { head, end }
    head.push(only.operator)
    end = only
  }
}

function takersOf(node: PlanNode, nodes: readonly PlanNode[]): PlanNode[] {
  return nodes.filter(({ inputs }) => inputs.includes(node))
}
