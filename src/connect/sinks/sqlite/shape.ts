// The shape of the table that rows go to: from the columns that are known, or from the first rows.

import { SluiceError } from '../../../base/errors.ts'
import type { Columns, ColumnType } from '../../column.ts'
import type { Traced } from '../../origin.ts'
import { inferColumns } from '../../sql/infer.ts'
import { checkColumnName, foldName } from '../../sql/name.ts'
import { checkDistinct, type TableColumn, type TableShape } from './table.ts'

/** The columns that tell rows apart where no key was named: place of the record, and which row of it. */
export const IDENTITY: readonly TableColumn[] = [
  { name: '_source', kind: 'text', type: 'text' },
  { name: '_offset', kind: 'integer', type: 'integer' },
  { name: '_part', kind: 'integer', type: 'integer' },
]

export interface RowShape {
  readonly table: TableShape
  /** Whether the columns were found out from rows: a row may then have no others. */
  readonly isInferred: boolean
  /** Whether the last columns of the table are {@link IDENTITY}. */
  readonly hasIdentity: boolean
}

/**
 * The table for columns that were named.
 *
 * @throws {SluiceError} CONFIG_INVALID for a name that cannot be one, or a key that is no column
 */
export function shapeOf(table: string, columns: Columns, key: readonly string[] | undefined): RowShape {
  const named = Object.entries(columns).map(([name, type]) => ({ name, kind: type, type: declaredType(type) }))
  return makeShape(table, named, key, false)
}

/** The table for rows whose columns nobody named; undefined while none of them has any. */
export function shapeOfRows(
  table: string,
  events: readonly Traced<unknown>[],
  key: readonly string[] | undefined,
): RowShape | undefined {
  const inferred = inferColumns(events.map(({ value }) => value))
  if (inferred.size === 0) return undefined
  const columns = [...inferred].map(([name, type]): TableColumn => {
    if (type === undefined) return { name, kind: 'any', type: '' }
    // That the first rows had whole numbers does not say that all will; and a key declared as integer takes no others.
    if (type === 'integer') return { name, kind: 'number', type: 'numeric' }
    return { name, kind: type, type: declaredType(type) }
  })
  return makeShape(table, columns, key, true)
}

function makeShape(
  name: string,
  columns: readonly TableColumn[],
  key: readonly string[] | undefined,
  isInferred: boolean,
): RowShape {
  const all = key === undefined ? [...columns, ...IDENTITY] : columns
  const names = all.map((column) => column.name)
  for (const column of names) checkColumnName(column)
  checkDistinct(names)
  const known = new Set(names.map(foldName))
  const stray = key?.find((column) => !known.has(foldName(column)))
  if (stray !== undefined) {
    const allowed = names.join(', ')
    const message = `Cannot use ${JSON.stringify(stray)} as a key of table ${name}: its columns are ${allowed}`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'key', value: stray, allowed })
  }
  const table = { name, columns: all, key: key ?? IDENTITY.map((column) => column.name) }
  return { table, isInferred, hasIdentity: key === undefined }
}

function declaredType(type: ColumnType): TableColumn['type'] {
  switch (type) {
    case 'text':
    case 'json':
    // A number would be rounded.
    case 'decimal':
      return 'text'
    case 'real':
      return 'real'
    case 'bytes':
      return 'blob'
    default:
      return 'integer'
  }
}
