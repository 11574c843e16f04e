// Which fields of its sources a flow asks for by name, before a function could have made others.

import { namesReadBy } from './operator-fields.ts'
import type { FieldUse, PlanNode } from './plan.ts'

/** A way from a node back to a source: what a field of the node's events is called there; undefined if it is not one of its fields. */
interface Way {
  readonly source: PlanNode
  readonly nameOf: (name: string) => string | undefined
}

/**
 * Source → the fields that operators read by name.
 *
 * @param nodes - all of the plan, inputs first
 */
export function neededFields(nodes: readonly PlanNode[]): ReadonlyMap<PlanNode, ReadonlySet<string>> {
  const needed = new Map<PlanNode, Set<string>>()
  const ways = new Map<PlanNode, readonly Way[]>()
  for (const node of nodes) {
    const above = node.inputs.flatMap((input) => ways.get(input) ?? [])
    for (const name of namesReadBy(node.operator)) {
      for (const { source, nameOf } of above) {
        const own = nameOf(name)
        if (own !== undefined) needed.set(source, (needed.get(source) ?? new Set()).add(own))
      }
    }
    ways.set(node, waysOf(node, above))
  }
  return needed
}

function waysOf(node: PlanNode, above: readonly Way[]): readonly Way[] {
  const { operator } = node
  switch (operator.kind) {
    case 'input':
    case 'source':
      return [{ source: node, nameOf: (name) => name }]
    case 'filter':
    case 'uniq':
    case 'take':
    case 'partition':
    case 'shuffle':
    case 'merge':
    case 'branch':
      return above
    case 'takeSort':
      return operator.isSpread ? above : []
    case 'map':
    case 'flatMap': {
      const { fields } = operator
      return fields === undefined
        ? []
        : above.map((way) => ({ ...way, nameOf: (name) => beforeUse(fields, way, name) }))
    }
    default:
      return []
  }
}

function beforeUse({ reads, only, adds }: FieldUse, { nameOf }: Way, name: string): string | undefined {
  if (adds?.includes(name)) return undefined
  if (only === undefined) return nameOf(name)
  const read = reads[only.indexOf(name)]
  return read === undefined ? undefined : nameOf(read)
}
