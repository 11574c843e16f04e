// The sink for DuckDB: rows, dead letters and checkpoint in one file, committed together.

import { resolve } from 'node:path'
import { checkKeys } from '../../base/check.ts'
import type { Columns } from '../column.ts'
import type { SchemaMode } from '../kits/sql/evolve.ts'
import { FOLDED } from '../kits/sql/shape.ts'
import { type AboutSink, sqlSink } from '../kits/sql/sink.ts'
import { checkDatabaseFile, checkTables } from '../kits/sql/sink-options.ts'
import type { EpochLength, RowOf, Sink } from '../sink.ts'
import { checkMemory } from './options.ts'

export interface DuckdbSinkOptions<Key extends string = string> {
  /** The table that rows go to; created if it does not exist. */
  readonly table: string
  /** Columns that identify a row, never null. A row with an existing key overwrites that row. */
  readonly key?: readonly Key[]
  /** The columns of the table, if not those of the source. */
  readonly columns?: Columns
  /** The table that dead letters go to: `dead_letters` by default. */
  readonly deadLetters?: string
  /**
   * Rows that do not fit the table: `freeze` makes dead letters of them; `evolve` adds the columns and widens the types
   * that they need (`integer` → `real` → `text`), in the same transaction. By default `evolve` for a table that this
   * sink created, else `freeze`.
   */
  readonly schema?: SchemaMode
  /**
   * The memory limit of DuckDB, which spills to a folder beside the file: `256MB` by default. With `key` its merge
   * takes up to 400 MB more, and the index of all keys must fit.
   */
  readonly memory?: string
}

/** Bulk inserts of over 122,880 rows are written directly into the file instead of into its log first. */
const EPOCHS: EpochLength = { ms: 5000, events: 500_000 }

/**
 * Writes rows into a table of a DuckDB database file, by columns.
 *
 * - **Commits** the rows of an epoch, its dead letters and the checkpoint in one transaction, every five seconds by
 *   default: DuckDB prefers few large ones.
 * - **Columns** are those of `columns`, else the source's if the flow keeps its rows, else inferred from the rows, and
 *   from later ones as `schema` says: text is VARCHAR, integer BIGINT, real DOUBLE, decimal DECIMAL(38,9), boolean
 *   BOOLEAN, time TIMESTAMP (UTC), json VARCHAR, bytes BLOB. For an existing table, its types decide what it takes.
 * - **Keys**: with `key`, a later row overwrites an earlier one of the same key; without it, rows are appended.
 * - **Rejects** a row that is not an object, a value that its column would not return unchanged, and what the table's
 *   NOT NULL, CHECK and UNIQUE constraints reject; the other rows are written.
 * - **One process** can have the file open: a second one gets an error that names the first (PIPELINE_HELD).
 *
 * Needs the package `@duckdb/node-api`.
 *
 * @param path - a file in an existing folder; created if missing
 * @throws {SluiceError} CONFIG_INVALID for an invalid path, name, type or key
 * @example
 * const sink = duckdbSink('out.duckdb', { table: 'requests' })
 * sink.title // => 'table requests in out.duckdb'
 * sink.guarantee // => 'exactly-once'
 * @see https://duckdb.org/docs/stable/data/appender
 */
export function duckdbSink<Row>(path: string, options: DuckdbSinkOptions<keyof Row & string>): Sink<Row>
export function duckdbSink<const Key extends string = never>(
  path: string,
  options: DuckdbSinkOptions<Key>,
): Sink<RowOf<Key>>
export function duckdbSink<Row>(path: string, options: DuckdbSinkOptions): Sink<Row> {
  checkDatabaseFile('duckdbSink', path)
  checkKeys('duckdbSink', options, ['table', 'key', 'columns', 'deadLetters', 'schema', 'memory'])
  const { table, key, columns, deadLetters = 'dead_letters', schema: mode, memory } = options
  const tables = { table, key, columns, mode, deadLetters }
  checkTables('duckdbSink', tables, FOLDED)
  if (memory !== undefined) checkMemory('duckdbSink', memory)
  const file = `file ${resolve(path)}`
  const load = async () => await import('./table/database.ts')
  const about: AboutSink<Row> = {
    kind: 'duckdb',
    title: `table ${table} in ${path}`,
    deadLetters: `table ${deadLetters} in ${path}`,
    epochs: EPOCHS,
    locks: file,
    database: `duckdb ${file}`,
    inspect: async (pipeline) => await (await load()).inspectDuckdb({ path, table, deadLetters, pipeline }),
  }
  return sqlSink(about, tables, async (given) => await (await load()).openDuckdb<Row>({ path, memory, ...given }))
}
