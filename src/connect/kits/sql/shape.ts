// The shape of the table that rows go to: from the columns that are known, or from the first rows.

import { SluiceError } from '../../../base/errors.ts'
import type { Columns, ColumnType } from '../../column.ts'
import { inferColumns } from './infer.ts'
import { checkColumnName, foldName } from './name.ts'

/** A column as rows have it. */
export interface ShapeColumn {
  readonly name: string
  /** Undefined where rows have no value for it yet. */
  readonly type: ColumnType | undefined
}

export interface Shape {
  readonly table: string
  readonly columns: readonly ShapeColumn[]
  /** Names of columns by which rows are overwritten; undefined where none were named. */
  readonly key: readonly string[] | undefined
  /** Whether the columns were found out from rows. */
  readonly isInferred: boolean
}

/** What columns a database takes, and which of them are one to it. */
export interface ShapeRules {
  fold(name: string): string
  /** @throws {SluiceError} CONFIG_INVALID */
  checkColumn(name: string): void
  /** Whether a column of rows can have a column of its name. */
  isKept(name: string): boolean
  /** Columns that a table gets beside those of rows, and that are its key, where no key was named. */
  readonly identity: readonly ShapeColumn[]
}

/** To SQLite and DuckDB names that differ only by the case of ASCII letters are one. */
export const FOLDED: ShapeRules = { fold: foldName, checkColumn: checkColumnName, isKept: () => true, identity: [] }

/**
 * The table for columns that were named.
 *
 * @throws {SluiceError} CONFIG_INVALID for a name that cannot be one, or a key that is no column
 */
export function shapeOf(table: string, columns: Columns, key: readonly string[] | undefined, rules: ShapeRules): Shape {
  const named = Object.entries(columns).map(([name, type]) => ({ name, type }))
  return checked({ table, columns: named, key, isInferred: false }, rules)
}

/**
 * The table for rows whose columns nobody named; undefined while none of them has any.
 *
 * @param known - the types of some columns, which rule over what values look like
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

/** Refuses two columns that are one to the database. */
function checkDistinct(names: readonly string[], fold: ShapeRules['fold']): ReadonlyMap<string, string> {
  const seen = new Map<string, string>()
  for (const name of names) {
    const other = seen.get(fold(name))
    if (other !== undefined) {
      const allowed = 'columns whose names differ by more than upper and lower case'
      const message = `Cannot make a table of the columns ${JSON.stringify(other)} and ${JSON.stringify(name)}: it takes ${allowed}`
      throw new SluiceError('CONFIG_INVALID', message, { key: 'columns', value: name, allowed })
    }
    seen.set(fold(name), name)
  }
  return seen
}
