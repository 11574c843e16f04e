// Assembles rows from columns: nested values are put together by their levels.

import { objectMaker } from '../../kits/rows/object-maker.ts'
import type { ColumnReader } from './column-reader.ts'
import { Damage } from './errors.ts'
import { Refusal } from './physical.ts'
import { type GroupNode, leavesOf, type SchemaNode } from './schema.ts'

/** Takes the next value of a column, whatever it is made of. */
export type TakeValue = () => unknown

/** Called for a value that cannot be represented. */
export type OnRefusal = (refusal: Refusal) => void

/** Takes the values of the columns of a nested field. */
export function takerOf(node: SchemaNode, readers: readonly ColumnReader[], onRefusal: OnRefusal): TakeValue {
  const columns = leavesOf(node).map(({ place }) => readers[place] as ColumnReader)
  const take = new Assembler(readers, onRefusal).taker(node)
  return () => {
    const value = take()
    for (const column of columns) if ((column.repetitions[column.at] ?? 0) !== 0) throw unequal(node)
    return value
  }
}

class Assembler {
  readonly #readers: readonly ColumnReader[]
  readonly #onRefusal: OnRefusal

  constructor(readers: readonly ColumnReader[], onRefusal: OnRefusal) {
    this.#readers = readers
    this.#onRefusal = onRefusal
  }

  taker(node: SchemaNode): TakeValue {
    // What is repeated without a list annotation is a list, too.
    if (node.repetition === 'repeated') return this.#list(node, this.#value(node))
    if (node.repetition === 'required' || node.kind === 'leaf') return this.#value(node)
    return this.#optional(node, this.#value(node))
  }

  #value(node: SchemaNode): TakeValue {
    if (node.kind === 'leaf') return this.#leaf(node.place)
    return this.#annotated(node) ?? this.#structure(node)
  }

  #leaf(place: number): TakeValue {
    const column = this.#readers[place] as ColumnReader
    const onRefusal = this.#onRefusal
    return () => {
      const value = column.values[column.at]
      column.at += 1
      if (value instanceof Refusal) onRefusal(value)
      return value
    }
  }

  #structure(node: GroupNode, names = node.children.map(({ name }) => name)): TakeValue {
    if (new Set(names).size < names.length) throw new Damage(`column ${node.name} has two columns of one name`)
    const make = objectMaker(names)
    const takers = node.children.map((child) => this.taker(child))
    return () => make(takers.map((take) => take()))
  }

  /** A group annotated as a list or a map, and built as one. */
  #annotated(node: GroupNode): TakeValue | undefined {
    const [repeated, ...others] = node.children
    if (repeated?.repetition !== 'repeated' || others.length > 0) return undefined
    if (isMap(node) && repeated.kind === 'group' && repeated.children.length === 2) {
      return this.#list(repeated, this.#structure(repeated, ['key', 'value']))
    }
    return isList(node) ? this.#list(repeated, this.#element(node, repeated)) : undefined
  }

  /** Lists of legacy files have their elements directly in the repeated group. */
  #element(list: GroupNode, repeated: SchemaNode): TakeValue {
    if (repeated.kind === 'leaf') return this.#value(repeated)
    const [only, ...others] = repeated.children
    const isOld = repeated.name === 'array' || repeated.name === `${list.name}_tuple`
    if (only === undefined || others.length > 0 || isOld || only.repetition === 'repeated') return this.#value(repeated)
    return this.taker(only)
  }

  #optional(node: SchemaNode, take: TakeValue): TakeValue {
    const columns = this.#columnsOf(node)
    const [first] = columns as [ColumnReader]
    return () => {
      if (isThere(node, first)) return takeWhole(node, columns, take)
      passOver(node, columns)
      return null
    }
  }

  #list(node: SchemaNode, take: TakeValue): TakeValue {
    const columns = this.#columnsOf(node)
    const [first] = columns as [ColumnReader]
    const { repeats } = node
    return () => {
      const items: unknown[] = []
      if (!isThere(node, first)) {
        passOver(node, columns)
        return items
      }
      for (let isMore = true; isMore; ) {
        items.push(takeWhole(node, columns, take))
        isMore = first.repetitions[first.at] === repeats
        for (const column of columns) if ((column.repetitions[column.at] === repeats) !== isMore) throw unequal(node)
      }
      return items
    }
  }

  #columnsOf(node: SchemaNode): ColumnReader[] {
    return leavesOf(node).map(({ place }) => this.#readers[place] as ColumnReader)
  }
}

function isThere(node: SchemaNode, { definitions, at }: ColumnReader): boolean {
  return (definitions[at] as number) >= node.definition
}

/** If a value exists, all columns agree on that. */
function takeWhole(node: SchemaNode, columns: readonly ColumnReader[], take: TakeValue): unknown {
  for (const column of columns) if (!isThere(node, column)) throw unequal(node)
  return take()
}

/** If a value is absent, each column says so once. */
function passOver(node: SchemaNode, columns: readonly ColumnReader[]): void {
  for (const column of columns) {
    if (column.at === column.definitions.length || isThere(node, column)) throw unequal(node)
    column.at += 1
  }
}

function unequal(node: SchemaNode): Damage {
  return new Damage(`the columns in ${node.name} disagree about which values exist`)
}

export function isList({ element: { logical, converted } }: GroupNode): boolean {
  return logical?.id === 3 || (logical === undefined && converted === 3)
}

export function isMap({ element: { logical, converted } }: GroupNode): boolean {
  return logical?.id === 2 || (logical === undefined && (converted === 1 || converted === 2))
}
