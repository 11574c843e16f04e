// Which fields an operator reads and writes, where the plan knows them by name.

import type { AnyAggregate } from '../aggregate/aggregate.ts'
import { fieldsReadBy, reading } from '../base/field.ts'
import type { Aggregating, FieldUse, Operator, PlanNode } from './plan.ts'

type OfEvent = (event: never) => unknown

/**
 * What an operator does to the fields of events; undefined where a function looks at whole events, or makes others.
 *
 * @example
 * usedBy(flow([{ id: 1, n: 2 }]).uniq('id').node.operator) // => { reads: ['id'] }
 */
export function usedBy(operator: Operator): FieldUse | undefined {
  switch (operator.kind) {
    case 'map':
    case 'filter':
    case 'flatMap':
      return operator.fields
    case 'uniq':
      return readBy([operator.by, timeOf(operator)])
    case 'takeSort':
      return readBy([operator.compare as OfEvent])
    case 'partition':
      return 'key' in operator.by ? readBy([operator.by.key]) : undefined
    case 'batch':
      return operator.bytes === undefined && operator.key !== undefined ? readBy([operator.key]) : undefined
    case 'join':
      return readBy([operator.left, timeOf(operator)])
    case 'aggregate': {
      const read = membersOf(operator).map(({ kind, fields }) => (kind === 'count' ? [] : fields))
      const other = readBy([operator.key, timeOf(operator)])
      if (other === undefined || read.some((fields) => fields === undefined)) return undefined
      return { reads: [...new Set([...other.reads, ...read.flatMap((fields) => fields ?? [])])] }
    }
    default:
      return undefined
  }
}

/** The fields that an operator reads by name, also where it has functions beside them. */
export function namesReadBy(operator: Operator): readonly string[] {
  switch (operator.kind) {
    case 'map':
    case 'filter':
    case 'flatMap':
      return operator.fields?.reads ?? []
    case 'aggregate': {
      const names = [operator.key, timeOf(operator)].flatMap((fn) => fieldsReadBy(fn) ?? [])
      return [...names, ...membersOf(operator).flatMap(({ fields }) => fields ?? [])]
    }
    default:
      return usedBy(operator)?.reads ?? []
  }
}

/**
 * What becomes of the fields of the events that an operator emits, if they are those that it received; undefined where it
 * makes other events.
 */
export function passedBy(operator: Operator): FieldUse | undefined {
  switch (operator.kind) {
    case 'map':
    case 'flatMap':
      return operator.fields
    case 'takeSort':
      return operator.isSpread ? SAME : undefined
    case 'filter':
    case 'uniq':
    case 'take':
    case 'partition':
    case 'shuffle':
    case 'merge':
    case 'branch':
      return SAME
    default:
      return undefined
  }
}

const SAME: FieldUse = { reads: [] }

/**
 * Source → the fields that operators read by name, before a function could have made others.
 *
 * @param nodes - all of the plan
 */
export function neededFields(nodes: readonly PlanNode[]): ReadonlyMap<PlanNode, ReadonlySet<string>> {
  const needed = new Map<PlanNode, Set<string>>(nodes.map((node) => [node, new Set()]))
  const need = (node: PlanNode, name: string): void => {
    const names = needed.get(node)
    if (names === undefined || names.has(name)) return
    names.add(name)
    const before = nameBefore(passedBy(node.operator), name)
    if (before !== undefined) for (const input of node.inputs) need(input, before)
  }
  for (const { operator, inputs } of nodes) {
    for (const name of namesReadBy(operator)) for (const input of inputs) need(input, name)
  }
  return needed
}

/** What a field was called before an operator; undefined if the operator made it. */
function nameBefore(use: FieldUse | undefined, name: string): string | undefined {
  if (use === undefined || use.adds?.includes(name)) return undefined
  return use.only === undefined ? name : use.reads[use.only.indexOf(name)]
}

/**
 * Throws at an event that an operator cannot take for the fields that it reads by name: a key that is null, a NaN to sort
 * by. Undefined where it can take any, and where a function reads them.
 */
export function takingCheck(operator: Operator, side: 'left' | 'right' = 'left'): ((event: never) => true) | undefined {
  const compare = operator.kind === 'takeSort' ? operator.compare : undefined
  // What has no order is not equal to itself.
  const read = compare === undefined ? keyOf(operator, side) : (event: never) => compare(event, event)
  const names = fieldsReadBy(compare === undefined ? read : (compare as OfEvent))
  if (read === undefined || names === undefined) return undefined
  return reading(names, (event: never) => {
    read(event)
    return true as const
  })
}

function keyOf(operator: Operator, side: 'left' | 'right'): OfEvent | undefined {
  switch (operator.kind) {
    case 'uniq':
    case 'reduce':
      return operator.by
    case 'aggregate':
    case 'batch':
      return operator.key
    case 'partition':
      return 'key' in operator.by ? operator.by.key : undefined
    case 'mapAsync':
      return operator.settings.key
    case 'join':
      return operator[side]
    default:
      return undefined
  }
}

/** What an operator's fields are, in words: `reads celsius, writes fahrenheit`. */
export function useText({ reads, only, adds }: FieldUse): string {
  const written = only ?? adds ?? []
  const parts = [reads.length === 0 ? '' : `reads ${reads.join(', ')}`]
  if (written.length > 0) parts.push(`writes ${written.join(', ')}${only === undefined ? '' : ' and no others'}`)
  return parts.filter((part) => part !== '').join(', ') || 'reads no field'
}

function readBy(functions: readonly (OfEvent | undefined)[]): FieldUse | undefined {
  const reads = new Set<string>()
  for (const fn of functions) {
    if (fn === undefined) continue
    const names = fieldsReadBy(fn)
    if (names === undefined) return undefined
    for (const name of names) reads.add(name)
  }
  return { reads: [...reads] }
}

function timeOf({ window }: { readonly window: Extract<Operator, { kind: 'join' }>['window'] }): OfEvent | undefined {
  return window !== undefined && 'at' in window ? window.at : undefined
}

/** The aggregates of an aggregation. */
export function membersOf({ aggregate }: Aggregating): readonly AnyAggregate<never>[] {
  const { members = new Map() } = aggregate as { readonly members?: ReadonlyMap<string, AnyAggregate<never>> }
  return [...members.values()]
}
