// Reductions: one state over many events, and what is emitted of it.

import { checkInteger, checkKeys } from '../base/check.ts'
import type { Key } from '../base/hash.ts'
import { overLimit } from '../base/over-limit.ts'
import type { Pane, PaneWindow, WindowKind } from '../window/pane.ts'
import { MOST_HELD, MOST_KEYS } from './limit.ts'
import { checkFunction, checkSessions, nameOf, type StepOptions } from './name.ts'
import { isStateless, type PlanNode, type Reduce, type Windowing } from './plan.ts'

export interface ReduceOptions extends StepOptions {
  /**
   * The most items of a state that is an array, a Map or a Set, before the run fails: an integer, 1 or more; 1,000,000
   * by default. In windows this applies to the state of each.
   */
  readonly maxKeys?: number
}

export interface GroupOptions extends ReduceOptions {
  /** The most values that a state may hold, of all its keys, before the run fails: 1,000,000 by default. */
  readonly maxHeld?: number
}

/** The items of a state: those of an array, a Map or a Set, or the state itself. */
export type Emitted<S> = S extends string ? S : S extends Iterable<infer E> ? E : S

/** A window that fires. */
export interface Fired<S, Kind extends WindowKind = WindowKind> {
  readonly state: S
  /** Which of the parallel stages. */
  readonly partition: { readonly index: number; readonly total: number }
  readonly window: PaneWindow<Kind>
  readonly trigger: Pane<S>['trigger']
}

/** What to emit, and the state that the window continues with: unchanged if it is left out. */
export interface Outcome<U, S> {
  readonly events?: Iterable<U>
  readonly state?: S
}

interface Reducing {
  readonly create: () => unknown
  readonly add: (state: never, value: never) => unknown
  readonly emits: boolean
  readonly by?: ((value: never) => Key) | undefined
}

export function reduceOf(node: PlanNode, how: Reducing, window: Windowing, options: ReduceOptions = {}): PlanNode {
  const kind = how.emits ? 'emitAndReduce' : 'reduce'
  checkFunction(kind, how.create)
  checkFunction(kind, how.add)
  const name = nameOf(kind, node, options)
  checkKeys(kind, options, ['name', 'maxKeys'])
  const { maxKeys = MOST_KEYS } = options
  checkInteger(`maxKeys of ${name}`, maxKeys, 1)
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
    maxKeys,
  }
  return { operator, inputs: [node] }
}

export interface Grouping {
  readonly key: (event: never) => Key
  readonly value: (event: never) => unknown
}

/** A reduction that gathers values by key. */
export function groupsOf(node: PlanNode, { key, value }: Grouping, window: Windowing, options: GroupOptions): PlanNode {
  checkFunction('groupBy', key)
  checkFunction('groupBy', value)
  checkKeys('groupBy', options, ['name', 'maxKeys', 'maxHeld'])
  const name = nameOf('groupBy', node, options, key)
  const { maxHeld = MOST_HELD, ...others } = options
  checkInteger(`maxHeld of ${name}`, maxHeld, 1)
  const how = { ...grouping(key, value, { name, maxHeld }), emits: false, by: key }
  return reduceOf(node, how, window, { ...others, name })
}

/** Gathers the values of each key, up to a total number. */
function grouping<T, K, V>(
  key: (event: T) => K,
  value: (event: T) => V,
  { name, maxHeld }: { readonly name: string; readonly maxHeld: number },
): { readonly create: () => Map<K, V[]>; readonly add: (groups: Map<K, V[]>, event: T) => Map<K, V[]> } {
  /** State → how many values it holds. */
  const held = new WeakMap<Map<K, V[]>, { values: number }>()
  const countOf = (groups: Map<K, V[]>): { values: number } => {
    const known = held.get(groups)
    if (known !== undefined) return known
    const count = { values: [...groups.values()].reduce((sum, { length }) => sum + length, 0) }
    held.set(groups, count)
    return count
  }
  return {
    create: () => new Map(),
    add(groups, event) {
      const count = countOf(groups)
      count.values += 1
      if (count.values > maxHeld) throw overLimit({ what: 'value', operator: name, option: 'maxHeld', limit: maxHeld })
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

/** Merges the states that the reduction `reduce` of `node` passes on. */
export function departitionOf(node: PlanNode, reduce: Reduce, how: Departitioning): PlanNode {
  const states: PlanNode = { operator: { ...reduce, asParts: true }, inputs: node.inputs }
  const name = nameOf('departition', node, undefined)
  const { window } = reduce
  const latenessMs = window !== undefined && 'allowedLatenessMs' in window ? window.allowedLatenessMs : 0
  const bounds = { latenessMs, maxOpen: window?.maxOpen ?? Number.POSITIVE_INFINITY }
  return { operator: { kind: 'departition', name, ...how, done: how.done as never, ...bounds }, inputs: [states] }
}

/** Whether there is a partition, and nothing has redistributed events since. */
export function isPartitioned(node: PlanNode): boolean {
  const { operator, inputs } = node
  if (operator.kind === 'partition') return true
  const [input] = inputs
  const keepsStage = isStateless(operator) || operator.kind === 'uniq' || operator.kind === 'reduce'
  return keepsStage && input !== undefined && isPartitioned(input)
}

/** Fails the run if a state has more items than allowed. */
export function checkItems({ name, maxKeys }: Reduce, state: unknown): void {
  const isMap = state instanceof Map || state instanceof Set
  const items = isMap ? state.size : Array.isArray(state) ? state.length : 0
  if (items > maxKeys)
    throw overLimit({ what: isMap ? 'key' : 'item', operator: name, option: 'maxKeys', limit: maxKeys })
}

/** The items of a state that can be iterated; of any other, itself. */
export function itemsOf(state: unknown): Iterable<unknown> {
  const isMany = typeof state === 'object' && state !== null && Symbol.iterator in state
  return isMany ? (state as Iterable<unknown>) : [state]
}
