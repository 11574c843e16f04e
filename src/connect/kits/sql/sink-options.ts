// Options of all SQL sinks.

import { checkChoice } from '../../../base/check.ts'
import { COLUMN_TYPES, type Columns } from '../../column.ts'
import { isPath, optionInvalid } from '../config.ts'
import { SCHEMA_MODES, type SchemaMode } from './evolve.ts'
import { checkTableName } from './name.ts'
import { type ShapeRules, shapeOf } from './shape.ts'

export interface TableOptions {
  readonly table: string
  readonly key?: readonly string[] | undefined
  readonly columns?: Columns | undefined
  readonly deadLetters: string
  readonly mode?: SchemaMode | undefined
}

/**
 * Rejects options that are invalid for any table.
 *
 * @param sink - whose options they are: `sqliteSink`
 * @throws {SluiceError} CONFIG_INVALID
 */
export function checkTables(
  sink: string,
  { table, key, columns, deadLetters, mode }: TableOptions,
  rules: ShapeRules,
  checkTable: (name: unknown) => void = checkTableName,
): void {
  if (mode !== undefined) checkChoice('schema', mode, SCHEMA_MODES)
  checkTable(table)
  checkTable(deadLetters)
  if (rules.fold(table) === rules.fold(deadLetters)) {
    throw optionInvalid(sink, 'deadLetters', deadLetters, 'another table than the one that rows go to')
  }
  if (key !== undefined && (!Array.isArray(key) || key.length === 0)) {
    throw optionInvalid(sink, 'key', key, 'the names of one column or more')
  }
  if (columns === undefined) return
  if (Object.keys(columns).length === 0) throw optionInvalid(sink, 'columns', columns, 'one column or more')
  for (const [name, type] of Object.entries(columns)) checkChoice(`The type of column ${name}`, type, COLUMN_TYPES)
  shapeOf(table, columns, key, rules)
}

/** Rejects an invalid path of a database file. @throws {SluiceError} CONFIG_INVALID */
export function checkDatabaseFile(sink: string, path: unknown): void {
  if (isPath(path) && path !== ':memory:') return
  const hint = path === ':memory:' ? ': no run can continue from a database in memory' : ''
  throw optionInvalid(sink, 'path', path, `the path of a file${hint}`)
}
