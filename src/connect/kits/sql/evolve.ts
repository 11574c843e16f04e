// The changes that a table needs for rows that do not fit.

import { describeValue } from '../../../base/check.ts'
import { SluiceError } from '../../../base/errors.ts'
import type { ColumnType } from '../../column.ts'
import { MAX_COLUMNS, typeOfValue, type ValueType, widened } from './infer.ts'
import { isNameInSql } from './name.ts'

/**
 * Rows that do not fit a table: `freeze` makes dead letters of them, `evolve` adds the columns and widens the types
 * that they need.
 */
export type SchemaMode = 'freeze' | 'evolve'

export const SCHEMA_MODES: readonly SchemaMode[] = ['freeze', 'evolve']

/** A column as it is now. */
export interface EvolvingColumn {
  /** The type that it resembles; undefined for one that cannot be widened. */
  readonly like: ColumnType | undefined
  takes(value: unknown): boolean
}

/** The changes to a table. */
export interface Changes {
  readonly added: ReadonlyMap<string, ColumnType>
  /** Existing columns, with the type that also holds the rows' values. */
  readonly widened: ReadonlyMap<string, ColumnType>
}

/**
 * The changes after which a table has columns for all values of rows, each of a type that holds them.
 *
 * @param columnOf - the column of that name; undefined if there is no such column
 */
export function changesFor(
  rows: Iterable<unknown>,
  columnOf: (name: string) => EvolvingColumn | undefined,
  columns: number,
): Changes {
  const added = new Map<string, ValueType>()
  const wider = new Map<string, ValueType>()
  for (const row of rows) {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) continue
    for (const [name, value] of Object.entries(row)) {
      const type = typeOfValue(value)
      if (type === undefined) continue
      const column = columnOf(name)
      if (column === undefined) {
        const known = added.get(name)
        if (known === undefined && (columns + added.size >= MAX_COLUMNS || !isNameInSql(name))) continue
        added.set(name, known === undefined ? type : (widened(known, type) ?? known))
      } else if (column.like !== undefined && !column.takes(value)) {
        const wide = widened(wider.get(name) ?? column.like, type)
        if (wide !== undefined) wider.set(name, wide)
      }
    }
  }
  return { added: columnTypes(added), widened: columnTypes(wider) }
}

/** Why a row does not fit a table that lacks a column for one of its values. */
export function faultOfStray(name: string, columns: number): string {
  const lack = `the table has no column ${describeValue(name)}`
  if (columns < MAX_COLUMNS) return `${lack}: schema: 'evolve' adds it`
  return `${lack}, and rows cannot extend a table beyond ${MAX_COLUMNS.toLocaleString('en-US')} columns: omit fields, or combine them`
}

/** What a user can do about a value that a column does not take; empty if nothing. */
export function hintOfValue(like: ColumnType | undefined, value: unknown): string {
  const type = typeOfValue(value)
  const wide = like === undefined || type === undefined ? undefined : widened(like, type)
  return wide === undefined || wide === like || wide === 'long' ? '' : `; schema: 'evolve' makes it ${wide}`
}

/**
 * Rejects a name that is a schema and a table in it, if such a schema exists: a table of that name would be another.
 */
export function checkNoSchema(
  table: string,
  schemas: readonly string[],
  use: (schema: string, table: string) => string,
): void {
  const dot = table.indexOf('.')
  const schema = table.slice(0, Math.max(0, dot))
  if (!schemas.includes(schema)) return
  const allowed = use(schema, table.slice(dot + 1))
  const message = `Cannot use ${describeValue(table)} as a table: there is a schema ${describeValue(schema)}; ${allowed}`
  throw new SluiceError('CONFIG_INVALID', message, { key: 'table', value: table, allowed })
}

function columnTypes(types: ReadonlyMap<string, ValueType>): ReadonlyMap<string, ColumnType> {
  return new Map([...types].map(([name, type]) => [name, type === 'long' ? 'integer' : type]))
}
