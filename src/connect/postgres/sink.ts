// The sink for PostgreSQL: rows, dead letters and checkpoint in one database, committed together.

import { createHash } from 'node:crypto'
import { checkChoice, checkInteger, checkKeys } from '../../base/check.ts'
import type { Columns } from '../column.ts'
import { optionInvalid } from '../kits/config.ts'
import { SCHEMA_MODES, type SchemaMode } from '../kits/sql/evolve.ts'
import { type AboutSink, sqlSink } from '../kits/sql/sink.ts'
import { checkTables } from '../kits/sql/sink-options.ts'
import type { RowOf, Sink } from '../sink.ts'
import { addressOf, type PostgresConnection } from './connection.ts'
import { checkSchema, checkTable, RULES } from './table/names.ts'

export interface PostgresSinkOptions<Key extends string = string> {
  /** The table that rows go to. */
  readonly table: string
  /** Columns that identify a row, never null. A row with an existing key overwrites that row. */
  readonly key?: readonly Key[]
  /** The columns of the table, if not those of the source. */
  readonly columns?: Columns
  /** The table that dead letters go to: `dead_letters` by default. */
  readonly deadLetters?: string
  /** Whether missing tables are created. True by default; otherwise the user needs no right to create any. */
  readonly create?: boolean
  /**
   * Rows that do not fit the table: `freeze` makes dead letters of them; `evolve` adds the columns and widens the types
   * that they need (`integer` → `real` → `text`), in the same transaction. By default `evolve` for a table that this
   * sink created, else `freeze`.
   *
   * Any other name is that of the schema for all tables, by default the one in which the user's new tables are created,
   * usually `public`. Both together: `{ name: 'sales', mode: 'evolve' }`.
   */
  readonly schema?: SchemaMode | (string & {}) | { readonly name?: string; readonly mode?: SchemaMode }
  /**
   * The longest time without any activity of the server while it is awaited, in milliseconds; a slow transfer or a long
   * statement is not a reason to give up. 30,000 by default.
   */
  readonly timeoutMs?: number
}

const OPTIONS = ['table', 'schema', 'key', 'columns', 'deadLetters', 'create', 'timeoutMs']
const TIMEOUT_MS = 30_000

/**
 * Writes rows into a table of a PostgreSQL database, by COPY. Needs the package `pg`.
 *
 * - **Commits** the rows of an epoch, its dead letters and the checkpoint in one transaction, on the server's disk:
 *   whatever ends the process, the connection or the server, the table is as of a commit, and the next run continues
 *   from there. A commit whose answer was lost is looked up, never guessed.
 * - **Columns** are those of `columns`, else the source's if the flow keeps its rows, else inferred from the rows, and
 *   from later ones as `schema` says. With declared columns, other fields of a row are left out.
 * - **Types**: `text` → `text`, `integer` → `bigint`, `real` → `double precision`, `decimal` → `numeric`, `boolean` →
 *   `boolean`, `time` → `timestamptz`, `json` → `jsonb`, `bytes` → `bytea`.
 * - **Keys**: with `key`, a later row overwrites an earlier one of the same key. Without it, rows are added.
 * - **Rejects** a row that is not an object, a value that its column would not return unchanged (a NUL in a text, an
 *   integer beyond 64 bits), and what the table's own constraints and triggers reject; the other rows are written. A
 *   trigger may silently skip a row.
 * - **An existing table** is used as it is if it has all declared columns. Its types decide what it takes, value by
 *   value; its other columns get their defaults. It may be changed between two commits: if it still fits, the run
 *   continues.
 *
 * Works behind a pooler in transaction mode (PgBouncer and the like). Checkpoints are kept in the same schema, in tables whose names begin with `sluice_`.
 *
 * @param connection - a URL, or host, database and so on; omitted settings come from `PGHOST`, `PGUSER` …
 * @throws {SluiceError} CONFIG_INVALID for an invalid URL, name, type or key
 * @example
 * const sink = postgresSink('postgres://etl:secret@db.example/shop', { table: 'requests', key: ['file', 'offset'] })
 * sink.title // => 'table requests in db.example:5432/shop'
 * sink.guarantee // => 'exactly-once'
 * @see https://www.postgresql.org/docs/current/sql-copy.html
 */
export function postgresSink<Row>(
  connection: string | PostgresConnection,
  options: PostgresSinkOptions<keyof Row & string>,
): Sink<Row>
export function postgresSink<const Key extends string = never>(
  connection: string | PostgresConnection,
  options: PostgresSinkOptions<Key>,
): Sink<RowOf<Key>>
export function postgresSink<Row>(connection: string | PostgresConnection, options: PostgresSinkOptions): Sink<Row> {
  const sink = addressOf(connection)
  checkKeys('postgresSink', options, OPTIONS)
  const { table, key, columns, deadLetters = 'dead_letters', timeoutMs = TIMEOUT_MS } = options
  const { name: schema, mode } = schemaOf(options.schema)
  const { create = true } = options
  const tables = { table, key, columns, deadLetters, mode }
  checkTables('postgresSink', tables, RULES, checkTable)
  if (typeof create !== 'boolean') throw optionInvalid('postgresSink', 'create', create, 'true or false')
  checkInteger('timeoutMs', timeoutMs, 1, 2 ** 31 - 1)
  const place = { connection, sink, schema, create, timeoutMs }
  const named = (name: string): string => `table ${schema === undefined ? name : `${schema}.${name}`} in ${sink}`
  const about: AboutSink<Row> = {
    kind: 'postgres',
    title: named(table),
    deadLetters: named(deadLetters),
    database: `postgres ${digestOf(place)}`,
    lends: true,
    async inspect(pipeline) {
      const { inspectPostgres } = await import('./table/inspect.ts')
      return await inspectPostgres({ ...place, table, deadLetters, pipeline })
    },
  }
  return sqlSink(about, tables, async (given) => {
    // Loaded on demand: programs and threads without a database start sooner.
    const { openPostgres } = await import('./table/database.ts')
    return await openPostgres<Row>({ ...place, ...given })
  })
}

/** Distinguishes connections without showing anything of them. */
function digestOf(place: object): string {
  return createHash('sha256').update(JSON.stringify(place)).digest('hex')
}

/** The name of a schema, and what happens to rows that do not fit, from the one option that says both. */
function schemaOf(schema: PostgresSinkOptions['schema']): { readonly name?: string; readonly mode?: SchemaMode } {
  if (typeof schema !== 'object' || schema === null) {
    if (SCHEMA_MODES.includes(schema as SchemaMode)) return { mode: schema as SchemaMode }
    if (schema === undefined) return {}
    checkSchema(schema)
    return { name: schema }
  }
  checkKeys('schema of postgresSink', schema, ['name', 'mode'])
  if (schema.name !== undefined) checkSchema(schema.name)
  if (schema.mode !== undefined) checkChoice('schema.mode', schema.mode, SCHEMA_MODES)
  return schema
}
