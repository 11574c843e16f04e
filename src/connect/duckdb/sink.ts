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
  /** The table that rows go to; made if it is not there. */
  readonly table: string
  /** Columns that tell rows apart, none of them ever null. A row whose key is there overwrites that row. */
  readonly key?: readonly Key[]
  /** The columns of the table, where they are not those of the source. */
  readonly columns?: Columns
  /** The table that dead letters go to: `dead_letters` by default. */
  readonly deadLetters?: string
  /**
   * What becomes of rows that do not fit into the table: `freeze` makes dead letters of them; `evolve` adds the columns
   * and widens the types that they need (`integer` → `real` → `text`), in the same transaction. By default `evolve` for a
   * table that this sink made, else `freeze`.
   */
  readonly schema?: SchemaMode
  /**
   * What DuckDB may hold in memory, beside what it writes to a folder by the file: `256MB` by default. With `key` its
   * merge takes up to 400 MB more, and the index of all keys has to fit into it.
   */
  readonly memory?: string
}

/** What a transaction adds in bulk, over 122,880 rows, is written into the file at once instead of first into its log. */
const EPOCHS: EpochLength = { ms: 5000, events: 500_000 }

/**
 * Writes rows into a table of a DuckDB database file, by columns.
 *
 * - **Commits** the rows of an epoch, its dead letters and the checkpoint in one transaction, every five seconds where
 *   nothing else is said: DuckDB likes few large ones.
 * - **Columns** are those of `columns`, else the source's where the flow keeps its rows, else found out from the rows, and
 *   from later ones as `schema` says: text is VARCHAR, integer BIGINT, real DOUBLE, decimal DECIMAL(38,9), boolean
 *   BOOLEAN, time TIMESTAMP (UTC), json VARCHAR, bytes BLOB. A table that is there says by its types what it takes.
 * - **Keys**: with `key`, a later row overwrites an earlier one of the same key; without it rows are only added.
 * - **Refuses** a row that is no object, a value that its column would not give back the same, and what the table's NOT
 *   NULL, CHECK and UNIQUE constraints refuse; the other rows are written.
 * - **One process** can have the file open: another one is told who has it (PIPELINE_HELD).
 *
 * Needs the package `@duckdb/node-api`.
 *
 * @param path - a file in a folder that is there; made if it is missing
 * @throws {SluiceError} CONFIG_INVALID for a path, name, type or key that cannot be used
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
