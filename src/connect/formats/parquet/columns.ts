// The sink columns of the rows of Parquet files, by their schemas.

import type { Columns, ColumnType } from '../../column.ts'
import { type ValueChoices, valuesOf } from './conversion.ts'
import { Damage } from './errors.ts'
import type { Schema, SchemaNode } from './schema.ts'

/** The columns read from a file: those requested, in the file's order. */
export function chosenColumns(schema: Schema, names: readonly string[] | undefined): readonly SchemaNode[] {
  const all = new Set<string>()
  for (const { name } of schema.columns) {
    if (all.has(name)) throw new Damage(`it has two columns ${name}: a row cannot have both`)
    all.add(name)
  }
  if (names === undefined) return schema.columns
  const missing = names.find((name) => !all.has(name))
  if (missing !== undefined) {
    throw new Damage(`it has no column ${missing}: there are ${[...all].slice(0, 20).join(', ')}`)
  }
  return schema.columns.filter(({ name }) => names.includes(name))
}

/** Merges the columns of a file with those of others: one that differs between files becomes a type that holds both. */
export function addColumns(
  known: Map<string, ColumnType>,
  columns: readonly SchemaNode[],
  choices: ValueChoices,
): void {
  for (const node of columns) {
    const isNested = node.kind === 'group' || node.repetition === 'repeated'
    const type = isNested ? 'json' : valuesOf(node.element, choices).column
    const before = known.get(node.name)
    known.set(node.name, before === undefined || before === type ? type : common(before, type))
  }
}

/** Columns by name, including one called `__proto__`. */
export function columnsOf(known: ReadonlyMap<string, ColumnType>): Columns {
  return Object.fromEntries(known)
}

function common(a: ColumnType, b: ColumnType): ColumnType {
  const isNumber = (type: ColumnType) => type === 'integer' || type === 'real'
  if (isNumber(a) && isNumber(b)) return 'real'
  const isExact = (type: ColumnType) => type === 'integer' || type === 'decimal'
  return isExact(a) && isExact(b) ? 'decimal' : 'json'
}
