// Reductions: one state out of many events, and what of it goes on.

import type { Pane, PaneWindow, WindowKind } from '../window/pane.ts'
import { checkFunction, checkSessions, nameOf, type StepOptions } from './name.ts'
import { isStateless, type PlanNode, type Reduce, type Windowing } from './plan.ts'

/** What the items of a state are: of an array, a Map or a Set its items, of anything else itself. */
export type Emitted<S> = S extends string ? S : S extends Iterable<infer E> ? E : S

/** A window that fires. */
export interface Fired<S, Kind extends WindowKind = WindowKind> {
  readonly state: S
  /** Which of the stages side by side. */
  readonly partition: { readonly index: number; readonly total: number }
  readonly window: PaneWindow<Kind>
  readonly trigger: Pane<S>['trigger']
}

/** What goes out, and the state that the window goes on with: the same one if it is left out. */
export interface Outcome<U, S> {
  readonly events?: Iterable<U>
  readonly state?: S
}

interface Reducing {
  readonly create: () => unknown
  readonly add: (state: never, value: never) => unknown
  readonly emits: boolean
}

export function reduceOf(node: PlanNode, how: Reducing, window: Windowing, options?: StepOptions): PlanNode {
  const kind = how.emits ? 'emitAndReduce' : 'reduce'
  checkFunction(kind, how.create)
  checkFunction(kind, how.add)
  const name = nameOf(kind, node, options)
  checkSessions(name, window, false)
  const emit = how.emits ? 'nothing' : 'events'
  const operator: Reduce = {
    kind: 'reduce',
    name,
    ...how,
    window,
    emit,
    onTrigger: undefined,
    asParts: false,
    isGlobal: !isPartitioned(node),
  }
  return { operator, inputs: [node] }
}

/** What gathers the values of each key. */
export function grouping<T, K, V>(
  key: (event: T) => K,
  value: (event: T) => V,
): { readonly create: () => Map<K, V[]>; readonly add: (groups: Map<K, V[]>, event: T) => Map<K, V[]> } {
  return {
    create: () => new Map(),
    add(groups, event) {
      const of = key(event)
      const group = groups.get(of)
      if (group === undefined) groups.set(of, [value(event)])
      else group.push(value(event))
      return groups
    },
  }
}

interface Departitioning {
  readonly create: () => unknown
  readonly merge: (merged: never, state: never) => unknown
  readonly done: (merged: never, window: never) => unknown
}

/** What merges the states that the reduction `reduce` of `node` hands over. */
export function departitionOf(node: PlanNode, reduce: Reduce, how: Departitioning): PlanNode {
  const states: PlanNode = { operator: { ...reduce, asParts: true }, inputs: node.inputs }
  const name = nameOf('departition', node, undefined)
  const { window } = reduce
  const latenessMs = window !== undefined && 'allowedLatenessMs' in window ? window.allowedLatenessMs : 0
  const bounds = { latenessMs, maxOpen: window?.maxOpen ?? Number.POSITIVE_INFINITY }
  return { operator: { kind: 'departition', name, ...how, done: how.done as never, ...bounds }, inputs: [states] }
}

/** Whether a partition was asked for, and nothing has re-distributed events since. */
export function isPartitioned(node: PlanNode): boolean {
  const { operator, inputs } = node
  if (operator.kind === 'partition') return true
  const [input] = inputs
  const keepsStage = isStateless(operator) || operator.kind === 'uniq' || operator.kind === 'reduce'
  return keepsStage && input !== undefined && isPartitioned(input)
}

/** The items of a state that can be iterated; of any other, itself. */
export function itemsOf(state: unknown): Iterable<unknown> {
  const isMany = typeof state === 'object' && state !== null && Symbol.iterator in state
  return isMany ? (state as Iterable<unknown>) : [state]
}
