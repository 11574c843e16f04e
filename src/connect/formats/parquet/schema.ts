// The columns of a Parquet file as a tree, and what the levels of nested values mean.

import { Damage } from './errors.ts'
import type { SchemaElement } from './footer.ts'

/** What a value of a column or group can be besides itself. */
export type Repetition = 'required' | 'optional' | 'repeated'

interface Common {
  readonly name: string
  readonly path: readonly string[]
  readonly element: SchemaElement
  readonly repetition: Repetition
  /** The definition level from which on it exists; for a repeated one, from which on there is at least one. */
  readonly definition: number
  /** How many repeated groups it is in, including itself. */
  readonly repeats: number
}

/** A column that has values. */
export interface LeafNode extends Common {
  readonly kind: 'leaf'
  /** Its index among the columns that have values. */
  readonly place: number
}

/** A group of columns. */
export interface GroupNode extends Common {
  readonly kind: 'group'
  readonly children: readonly SchemaNode[]
}

export type SchemaNode = LeafNode | GroupNode

export interface Schema {
  /** The columns of the rows. */
  readonly columns: readonly SchemaNode[]
  /** All that have values, in the order of row groups. */
  readonly leaves: readonly LeafNode[]
}

/** The most nested groups. */
const MAX_DEPTH = 64

const REPETITIONS: readonly Repetition[] = ['required', 'optional', 'repeated']

/** Builds the tree from the schema's elements, listed depth first. */
export function schemaOf(elements: readonly SchemaElement[]): Schema {
  const leaves: LeafNode[] = []
  let at = 1

  const node = (parent: { path: readonly string[]; definition: number; repeats: number }): SchemaNode => {
    const element = elements[at]
    if (element === undefined) throw new Damage('its schema ends before all columns are named')
    at += 1
    const repetition = REPETITIONS[element.repetition]
    if (repetition === undefined) throw new Damage(`column ${element.name} is neither required, optional nor repeated`)
    const path = [...parent.path, element.name]
    if (path.length > MAX_DEPTH) throw new Damage(`its schema is nested over ${MAX_DEPTH} deep`)
    const common = {
      name: element.name,
      path,
      element,
      repetition,
      definition: parent.definition + (repetition === 'required' ? 0 : 1),
      repeats: parent.repeats + (repetition === 'repeated' ? 1 : 0),
    }
    if (element.type !== undefined) {
      if (element.children > 0) throw new Damage(`column ${element.name} has a type and columns of its own`)
      const leaf: LeafNode = { kind: 'leaf', ...common, place: leaves.length }
      leaves.push(leaf)
      return leaf
    }
    if (element.children === 0) throw new Damage(`column ${element.name} has neither a type nor columns of its own`)
    return { kind: 'group', ...common, children: childrenOf(element, common) }
  }

  const childrenOf = (
    { children }: SchemaElement,
    parent: { path: readonly string[]; definition: number; repeats: number },
  ): SchemaNode[] => {
    if (children > elements.length) throw new Damage('its schema names more columns than it has')
    return Array.from({ length: children }, () => node(parent))
  }

  const columns = childrenOf(elements[0] as SchemaElement, { path: [], definition: 0, repeats: 0 })
  if (at !== elements.length) throw new Damage('its schema continues after its last column')
  return { columns, leaves }
}

/** The columns with values in a column of the rows, in their order. */
export function leavesOf(node: SchemaNode): LeafNode[] {
  return node.kind === 'leaf' ? [node] : node.children.flatMap(leavesOf)
}
