// The shape of the target table: from the known columns, or from the first rows.

import { SluiceError } from '../../../base/errors.ts'
import type { Columns, ColumnType } from '../../column.ts'
import { inferColumns } from './infer.ts'
import { checkColumnName, foldName } from './name.ts'

/** A column as it is in rows. */
export interface ShapeColumn {
  readonly name: string
  /** Undefined if rows have no value for it yet. */
  readonly type: ColumnType | undefined
}

export interface Shape {
  readonly table: string
  readonly columns: readonly ShapeColumn[]
  /** Names of the key columns; undefined if there is no key. */
  readonly key: readonly string[] | undefined
  /** Whether the columns were inferred from rows. */
  readonly isInferred: boolean
}

/** Which columns a database accepts, and which of them it considers the same. */
export interface ShapeRules {
  fold(name: string): string
  /** @throws {SluiceError} CONFIG_INVALID */
  checkColumn(name: string): void
  /** Whether rows can have a column of its name. */
  isKept(name: string): boolean
  /** Columns that a table gets besides those of rows, and that are its key if no key was named. */
  readonly identity: readonly ShapeColumn[]
}

/** SQLite and DuckDB ignore the case of ASCII letters in names. */
export const FOLDED: ShapeRules = { fold: foldName, checkColumn: checkColumnName, isKept: () => true, identity: [] }

/**
 * The table for declared columns.
 *
 * @throws {SluiceError} CONFIG_INVALID for an invalid name, or a key that is not a column
 */
export function shapeOf(table: string, columns: Columns, key: readonly string[] | undefined, rules: ShapeRules): Shape {
  const named = Object.entries(columns).map(([name, type]) => ({ name, type }))
  return checked({ table, columns: named, key, isInferred: false }, rules)
}

/**
 * The table for rows without declared columns; undefined while no row has any.
 *
 * @param known - the types of some columns, which take precedence over the values
 */
export function shapeOfRows(
  table: string,
  rows: readonly unknown[],
  { key, types = {} }: { readonly key: readonly string[] | undefined; readonly types?: Columns | undefined },
  rules: ShapeRules,
): Shape | undefined {
  const inferred = inferColumns(rows)
  if (inferred.size === 0) return undefined
  const columns = [...inferred].map(([name, type]) => {
    const known = Object.hasOwn(types, name) ? types[name] : undefined
    return { name, type: known ?? (type === 'mixed' ? 'text' : type) }
  })
  return checked({ table, columns, key, isInferred: true }, rules)
}

function checked(shape: Shape, { fold, checkColumn, identity }: ShapeRules): Shape {
  const { table, columns, key } = shape
  const names = [...columns, ...(key === undefined ? identity : [])].map(({ name }) => name)
  for (const name of names) checkColumn(name)
  const known = checkDistinct(names, fold)
  const stray = key?.find((column) => !known.has(fold(column)))
  if (stray === undefined) return shape
  const allowed = names.join(', ')
  const message = `Cannot use ${JSON.stringify(stray)} as a key of table ${table}: its columns are ${allowed}`
  throw new SluiceError('CONFIG_INVALID', message, { key: 'key', value: stray, allowed })
}

/** Rejects two columns that the database considers the same. */
function checkDistinct(names: readonly string[], fold: ShapeRules['fold']): ReadonlyMap<string, string> {
  const seen = new Map<string, string>()
  for (const name of names) {
    const other = seen.get(fold(name))
    if (other !== undefined) {
      const allowed = 'columns whose names differ by more than case'
      const message = `Cannot make a table of the columns ${JSON.stringify(other)} and ${JSON.stringify(name)}: it takes ${allowed}`
      throw new SluiceError('CONFIG_INVALID', message, { key: 'columns', value: name, allowed })
    }
    seen.set(fold(name), name)
  }
  return seen
}
