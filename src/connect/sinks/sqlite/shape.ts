// The shape of the table that rows go to: from the columns that are known, or from the first rows.

import { SluiceError } from '../../../base/errors.ts'
import type { Columns, ColumnType } from '../../column.ts'
import { inferColumns } from '../../sql/infer.ts'
import { checkColumnName, foldName } from '../../sql/name.ts'

/** The columns that tell rows apart where no key was named: place of the record, and which row of it. */
export const IDENTITY: readonly ShapeColumn[] = [
  { name: '_source', type: 'text' },
  { name: '_offset', type: 'integer' },
  { name: '_part', type: 'integer' },
]

/** A column as rows have it. */
export interface ShapeColumn {
  readonly name: string
  /** Undefined where rows have no value for it yet. */
  readonly type: ColumnType | undefined
}

export interface Shape {
  readonly table: string
  readonly columns: readonly ShapeColumn[]
  /** Names of the columns of the primary key, by which rows are overwritten. */
  readonly key: readonly string[]
  /** Whether the columns were found out from rows. */
  readonly isInferred: boolean
  /** Whether {@link IDENTITY} is the key, behind the columns of rows. */
  readonly hasIdentity: boolean
}

/**
 * The table for columns that were named.
 *
 * @throws {SluiceError} CONFIG_INVALID for a name that cannot be one, or a key that is no column
 */
export function shapeOf(table: string, columns: Columns, key: readonly string[] | undefined): Shape {
  const named = Object.entries(columns).map(([name, type]) => ({ name, type }))
  return makeShape(table, named, key, false)
}

/** The table for rows whose columns nobody named; undefined while none of them has any. */
export function shapeOfRows(
  table: string,
  rows: readonly unknown[],
  key: readonly string[] | undefined,
): Shape | undefined {
  const inferred = inferColumns(rows)
  if (inferred.size === 0) return undefined
  const columns = [...inferred].map(([name, type]) => ({ name, type: type === 'mixed' ? 'text' : type }) as const)
  return makeShape(table, columns, key, true)
}

function makeShape(
  table: string,
  columns: readonly ShapeColumn[],
  key: readonly string[] | undefined,
  isInferred: boolean,
): Shape {
  const names = [...columns, ...(key === undefined ? IDENTITY : [])].map(({ name }) => name)
  for (const name of names) checkColumnName(name)
  checkDistinct(names)
  const known = new Set(names.map(foldName))
  const stray = key?.find((column) => !known.has(foldName(column)))
  if (stray !== undefined) {
    const allowed = names.join(', ')
    const message = `Cannot use ${JSON.stringify(stray)} as a key of table ${table}: its columns are ${allowed}`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'key', value: stray, allowed })
  }
  const keyNames = key ?? IDENTITY.map(({ name }) => name)
  return { table, columns, key: keyNames, isInferred, hasIdentity: key === undefined }
}

/** Refuses two columns whose names differ only by the case of ASCII letters: to SQLite they are one. */
function checkDistinct(names: readonly string[]): void {
  const seen = new Map<string, string>()
  for (const name of names) {
    const other = seen.get(foldName(name))
    if (other !== undefined) {
      const allowed = 'columns whose names differ by more than upper and lower case'
      const message = `Cannot make a table of the columns ${JSON.stringify(other)} and ${JSON.stringify(name)}: it takes ${allowed}`
      throw new SluiceError('CONFIG_INVALID', message, { key: 'columns', value: name, allowed })
    }
    seen.set(foldName(name), name)
  }
}
