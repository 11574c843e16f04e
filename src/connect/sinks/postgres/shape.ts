// The shape of the table that rows go to: from the columns that are known, or from the first rows.

import { describeValue } from '../../../base/check.ts'
import { SluiceError } from '../../../base/errors.ts'
import type { Columns, ColumnType } from '../../column.ts'
import { inferColumns } from '../../sql/infer.ts'
import { checkColumnName, checkTableName } from '../../sql/name.ts'

/** The longest name that a server keeps; it cuts off the rest, and two names may then be one. */
const MAX_NAME_BYTES = 63
/** Columns that every table has. */
const SYSTEM_COLUMNS = ['ctid', 'xmin', 'xmax', 'cmin', 'cmax', 'tableoid']

/** A column as rows have it. */
export interface ShapeColumn {
  readonly name: string
  /** Undefined where rows have no value for it yet. */
  readonly type: ColumnType | undefined
}

export interface Shape {
  readonly table: string
  readonly columns: readonly ShapeColumn[]
  /** Names of columns by which rows are overwritten; undefined where rows are only added. */
  readonly key: readonly string[] | undefined
  /** Whether the columns were found out from rows. */
  readonly isInferred: boolean
}

/**
 * The table for columns that were named.
 *
 * @throws {SluiceError} CONFIG_INVALID for a name that cannot be one, or a key that is no column
 */
export function shapeOf(table: string, columns: Columns, key: readonly string[] | undefined): Shape {
  const named = Object.entries(columns).map(([name, type]) => ({ name, type }))
  return checked({ table, columns: named, key, isInferred: false })
}

/** The table for rows whose columns nobody named; undefined while none of them has any. */
export function shapeOfRows(
  table: string,
  rows: readonly unknown[],
  key: readonly string[] | undefined,
): Shape | undefined {
  const inferred = inferColumns(rows)
  if (inferred.size === 0) return undefined
  const columns = [...inferred].map(([name, type]) => ({ name, type: type === 'mixed' ? 'text' : type }))
  return checked({ table, columns, key, isInferred: true })
}

/** @throws {SluiceError} CONFIG_INVALID for a name that the server would not keep as it is, or of an inner table */
export function checkTable(what: string, name: unknown): asserts name is string {
  checkTableName(name)
  checkLength(what, name)
}

/** @throws {SluiceError} CONFIG_INVALID for a name that the server would not keep as it is */
export function checkSchema(name: unknown): asserts name is string {
  checkColumnName(name)
  checkLength('schema', name)
}

function checked(shape: Shape): Shape {
  const names = shape.columns.map(({ name }) => name)
  for (const name of names) {
    checkColumnName(name)
    checkLength('column', name)
    if (SYSTEM_COLUMNS.includes(name)) throw invalid('column', name, 'a name that no table has already')
  }
  const stray = shape.key?.find((name) => !names.includes(name))
  if (stray !== undefined) {
    const allowed = names.join(', ')
    const message = `Cannot use ${JSON.stringify(stray)} as a key of table ${shape.table}: its columns are ${allowed}`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'key', value: stray, allowed })
  }
  return shape
}

/** Whether the server keeps a name of a column as it is. */
export function isKept(name: string): boolean {
  return Buffer.byteLength(name) <= MAX_NAME_BYTES && !SYSTEM_COLUMNS.includes(name)
}

function checkLength(what: string, name: string): void {
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) throw invalid(what, name, `a text of at most ${MAX_NAME_BYTES} bytes`)
}

function invalid(what: string, name: unknown, allowed: string): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot name a ${what} ${describeValue(name)}: a ${what} of PostgreSQL takes ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key: what, value: name, allowed })
}
