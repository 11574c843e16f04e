// The plan of a pipeline, made ready to run: what is done where events are read, and how far origins go with them.

import type { Key } from '../base/hash.ts'
import { type Traced, traced } from '../connect/origin.ts'
import { timeOf } from '../window/event-time.ts'
import type { At } from '../window/window.ts'
import {
  isStateless,
  nodesOf,
  type Operator,
  type Plan,
  type PlanNode,
  type Stateless,
  type Windowing,
} from './plan.ts'
import { guarded } from './steps/guarded.ts'

/** A pipeline's plan in two parts. */
export interface PipelinePlan {
  /** Operators behind the source that look at one event at a time: done as it is read. */
  readonly head: Plan
  /** All that follows: its input is what the head gives. */
  readonly rest: PlanNode
  /** Whether the head gives events with their origins, and whether they have them at the end. */
  readonly isTracedIn: boolean
  readonly isTracedOut: boolean
  /** Whether anything is behind the head. */
  readonly isHeadOnly: boolean
}

/** Makes a further source of a flow one that can be gone on from; throws a TypeError for one that cannot. */
export type Readable = (source: unknown, name: string) => unknown

const INPUT: PlanNode = { operator: { kind: 'input', name: 'source' }, inputs: [] }

/**
 * Splits a plan, and lets origins go along with events as far as there is one event to each: up to the first operator
 * that makes something of many. They are needed where rows are loaded, and where a call can fail.
 *
 * @throws {TypeError} for what a pipeline cannot run
 */
export function pipelinePlan(last: PlanNode, readable: Readable): PipelinePlan {
  const nodes = nodesOf(last)
  for (const { operator } of nodes) refuseStrange(operator)
  const { head, end } = headOf(last, nodes)
  const needed = needOrigins(last, nodes)
  const isTracedIn = end === last || takersOf(end, nodes).some((taker) => needed.has(taker))
  const made = new Map<PlanNode, PlanNode>([[end, INPUT]])
  const isTracedAt = (node: PlanNode): boolean => (node === end ? isTracedIn : needed.has(node))
  const inputOf = (input: PlanNode, isTraced: boolean): PlanNode => {
    const found = made.get(input) as PlanNode
    return isTraced || !isTracedAt(input) ? found : { operator: VALUES, inputs: [found] }
  }
  for (const node of nodes) {
    if (made.has(node) || isAbove(node, end, nodes)) continue
    const isTraced = needed.has(node)
    const inputs = node.inputs.map((input) => inputOf(input, isTraced))
    made.set(node, { operator: lifted(node.operator, isTraced, readable), inputs })
  }
  return { head, rest: made.get(last) as PlanNode, isTracedIn, isTracedOut: isTracedAt(last), isHeadOnly: end === last }
}

const VALUES: Operator = { kind: 'map', name: 'values', fn: ({ value }: Traced<unknown>) => value }

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

/** Whether a node lies above `end`, on the way from the input. */
function isAbove(node: PlanNode, end: PlanNode, nodes: readonly PlanNode[]): boolean {
  return node !== end && nodesOf(end).includes(node) && nodes.includes(node)
}

const ONE_TO_ONE: readonly Operator['kind'][] = ['input', 'partition', 'shuffle', 'merge', 'mapAsync', 'uniq']

/** Nodes that take and give events with their origins. */
function needOrigins(last: PlanNode, nodes: readonly PlanNode[]): ReadonlySet<PlanNode> {
  const wanted = new Set<PlanNode>()
  const visit = (node: PlanNode): void => {
    const { operator } = node
    if (wanted.has(node) || !(isStateless(operator) || ONE_TO_ONE.includes(operator.kind))) return
    wanted.add(node)
    for (const input of node.inputs) visit(input)
  }
  visit(last)
  for (const node of nodes) if (node.operator.kind === 'mapAsync') visit(node)
  // What takes from where there are no origins has none either.
  const needed = new Set<PlanNode>()
  for (const node of nodes) {
    const hasOrigins =
      node.operator.kind === 'input' || (node.inputs.length > 0 && node.inputs.every((input) => needed.has(input)))
    if (wanted.has(node) && hasOrigins) needed.add(node)
  }
  return needed
}

/** The operator as it works in a pipeline. */
function lifted(operator: Operator, isTraced: boolean, readable: Readable): Operator {
  if (isStateless(operator))
    return { kind: 'guarded', name: operator.name, operator, make: guarded(operator, isTraced) }
  if (operator.kind === 'source')
    return { ...operator, sources: operator.sources.map((one, at) => readable(one, `${operator.name} ${at + 1}`)) }
  if (!isTraced) return operator
  switch (operator.kind) {
    case 'partition':
      return {
        ...operator,
        by: 'key' in operator.by ? { key: onValue(operator.by.key) } : { hash: onValue(operator.by.hash) },
      }
    case 'uniq':
      return { ...operator, by: onValue(operator.by), window: onTimes(operator.window) }
    case 'mapAsync': {
      const { key } = operator.settings
      const make = () => calling(operator.make())
      return {
        ...operator,
        make,
        settings: { ...operator.settings, key: key === undefined ? undefined : onValue(key) },
      }
    }
    default:
      return operator
  }
}

function onValue<R extends Key>(of: (value: never) => R): (event: Traced<never>) => R {
  return ({ value }) => of(value)
}

function onTimes(window: Windowing): Windowing {
  if (window === undefined || !('at' in window)) return window
  const at = window.at as At<unknown>
  return { ...window, at: ({ value }: Traced<unknown>) => timeOf(at, value) } as unknown as Windowing
}

type Call = (value: never, context: never) => unknown

function calling(call: Call): (event: Traced<never>, context: never) => unknown {
  return ({ value, origin }, context) => {
    const given = call(value, context)
    return given instanceof Promise ? given.then((later: unknown) => traced(later, origin)) : traced(given, origin)
  }
}
