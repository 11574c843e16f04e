// Names of operators, and what is rejected while a flow is being built.

import { checkKeys, describeValue } from '../base/check.ts'
import { fieldsReadBy } from '../base/field.ts'
import { nodesOf, type Operator, type PlanNode, type Windowing } from './plan.ts'

export interface StepOptions {
  /**
   * The operator's name in dead letters, logs and diagrams: by default its function's name, or its kind and position.
   */
  readonly name?: string
}

/** Computed once per node: those below build on it. */
const depths = new WeakMap<PlanNode, number>()

/** How many operators lie above and including `node`, on the longest path from a source. */
export function depthOf(node: PlanNode): number {
  const isNext = node.inputs.every((input) => depths.has(input))
  for (const each of isNext ? [node] : nodesOf(node)) {
    const { kind } = each.operator
    const own = kind === 'input' || kind === 'source' ? 0 : 1
    depths.set(each, own + Math.max(0, ...each.inputs.map((input) => depths.get(input) ?? 0)))
  }
  return depths.get(node) ?? 0
}

/** The name of the operator that continues `node`: the one given, or its function's, or its kind and position. */
export function nameOf(kind: string, node: PlanNode, options: StepOptions | undefined, fn?: unknown): string {
  if (options?.name !== undefined) return options.name
  return typeof fn === 'function' && fn.name !== '' && fn.name !== kind ? fn.name : `${kind} ${depthOf(node) + 1}`
}

/** As `nameOf`, for an operator whose only option is its name. */
export function stepName(kind: string, node: PlanNode, options: StepOptions | undefined, fn?: unknown): string {
  if (options !== undefined) checkKeys(kind, options, ['name'])
  return nameOf(kind, node, options, fn)
}

/** A function that returns one field: `(row) => row.city`, `({ city }) => city`. */
const ONE_FIELD = /^\(?\{?\s*([\w$]+)\s*\}?\)?\s*=>\s*([\w$]+)(?:\.([\w$]+))?$/

/**
 * The name of a key: the field that its function returns, or the function's name; undefined if there is neither.
 *
 * @example
 * keyName((row: { city: string }) => row.city) // => 'city'
 */
export function keyName(key: (value: never) => unknown): string | undefined {
  const fields = fieldsReadBy(key)
  if (fields !== undefined) return fields.join(', ')
  const text = key.toString()
  const [, taken, given, field] = ONE_FIELD.exec(text) ?? []
  if (taken !== undefined && taken === given) return field ?? (text.includes('{') ? given : undefined)
  return /^[\w$]+$/.test(key.name) && !PLACES.includes(key.name) ? key.name : undefined
}

/** Names that a function has because of the option it is passed as. */
const PLACES: readonly string[] = ['key', 'by', 'left', 'right']

/** An operator in words: `map priced`. */
export function operatorText({ kind, name }: Pick<Operator, 'kind' | 'name'>): string {
  return name.startsWith(kind) ? name : `${kind} ${name}`
}

/** Rejects sessions for states that cannot be merged. */
export function checkSessions(name: string, window: Windowing, merges: boolean): void {
  if (window?.kind !== 'session' || merges) return
  throw new TypeError(`${name} does not work in sessions: they merge, and its states cannot`)
}

/** Rejects anything but a function, naming the operator. */
export function checkFunction(what: string, fn: unknown): void {
  if (typeof fn !== 'function') throw new TypeError(`${what} takes a function: found ${describeValue(fn)}`)
}
