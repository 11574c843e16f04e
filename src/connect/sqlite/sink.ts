// The sink for SQLite: rows, dead letters and checkpoint in one file, committed together.

import { resolve } from 'node:path'
import { checkKeys } from '../../base/check.ts'
import type { Columns } from '../column.ts'
import { checkNoSchema, type SchemaMode } from '../kits/sql/evolve.ts'
import { type AboutSink, sqlSink } from '../kits/sql/sink.ts'
import { checkDatabaseFile, checkTables } from '../kits/sql/sink-options.ts'
import type { RowOf, Sink } from '../sink.ts'
import { RULES } from './table/rules.ts'

export interface SqliteSinkOptions<Key extends string = string> {
  /** The table that rows go to; created if it does not exist. */
  readonly table: string
  /** Columns that identify a row, never null. A row with an existing key overwrites that row. */
  readonly key?: readonly Key[]
  /** The columns of the table, if not those of the source. */
  readonly columns?: Columns
  /**
   * Rows that do not fit the table: `freeze` makes dead letters of them; `evolve` adds the columns that they need, in
   * the same transaction, and accepts values of other types. By default `evolve` for a table that this sink created,
   * else `freeze`.
   */
  readonly schema?: SchemaMode
  /** The table that dead letters go to: `dead_letters` by default. */
  readonly deadLetters?: string
}

/**
 * Writes rows into a table of an SQLite database file.
 *
 * - **Commits** the rows of an epoch, its dead letters and the checkpoint in one transaction, synced to the disk:
 *   whatever ends the process, the table is as of a commit, and the next run continues from there.
 * - **Columns** are those of `columns`, else the source's if the flow keeps its rows, else inferred from the rows, and
 *   from later ones as `schema` says. With declared columns, other fields of a row are left out.
 * - **Keys**: with `key`, a later row overwrites an earlier one of the same key. Without it, three columns are added
 *   and are the key: the record that a row was made from (`_source`, `_offset`), and the number of the event among
 *   those made from that record (`_part`: 0 for the only one). A result of many records has no source, and a number of
 *   its own.
 * - **Rejects** a row that is not an object, a value that its column would not return unchanged, and what the table's
 *   own constraints reject; the other rows are written. Booleans become 0 and 1, dates epoch milliseconds, `json`
 *   values JSON text, bytes a blob, decimals text.
 * - **An existing table** is used as it is if it has all declared columns; its types decide what it takes, and its
 *   other columns are left alone.
 *
 * Checkpoints are kept in the same file, in tables whose names begin with `sluice_`.
 *
 * @param path - a file in an existing folder; created if missing
 * @throws {SluiceError} CONFIG_INVALID for an invalid path, name, type or key
 * @example
 * const sink = sqliteSink('out.db', { table: 'requests', key: ['file', 'offset'] })
 * sink.title // => 'table requests in out.db'
 * sink.guarantee // => 'exactly-once'
 * @see https://www.sqlite.org/lang_upsert.html
 */
export function sqliteSink<Row>(path: string, options: SqliteSinkOptions<keyof Row & string>): Sink<Row>
export function sqliteSink<const Key extends string = never>(
  path: string,
  options: SqliteSinkOptions<Key>,
): Sink<RowOf<Key>>
export function sqliteSink<Row>(path: string, options: SqliteSinkOptions): Sink<Row> {
  checkDatabaseFile('sqliteSink', path)
  checkKeys('sqliteSink', options, ['table', 'key', 'columns', 'schema', 'deadLetters'])
  const { table, key, columns, schema: mode, deadLetters = 'dead_letters' } = options
  for (const name of [table, deadLetters]) {
    if (typeof name === 'string') checkNoSchema(name, ['main', 'temp'], (_, rest) => `use table: '${rest}'`)
  }
  const tables = { table, key, columns, mode, deadLetters }
  checkTables('sqliteSink', tables, RULES)
  const file = `file ${resolve(path)}`
  // Loaded on demand: programs and threads without a database start sooner.
  const load = async () => await import('./table/database.ts')
  const about: AboutSink<Row> = {
    kind: 'sqlite',
    title: `table ${table} in ${path}`,
    deadLetters: `table ${deadLetters} in ${path}`,
    locks: file,
    database: `sqlite ${file}`,
    lends: true,
    inspect: async (pipeline) => (await load()).inspectSqlite({ path, table, deadLetters, pipeline }),
  }
  return sqlSink(about, tables, async (given) => await (await load()).openSqliteWriter<Row>({ path, ...given }))
}
