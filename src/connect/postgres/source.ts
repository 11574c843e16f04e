// The source of rows from a PostgreSQL database: a table or a query, all of it or what is new since the last run.

import { checkChoice, checkInteger, checkKeys } from '../../base/check.ts'
import type { Duration } from '../../base/duration.ts'
import { COLUMN_TYPES, type Columns } from '../column.ts'
import { optionInvalid } from '../kits/config.ts'
import type { JsonBigInts } from '../kits/json/numbers.ts'
import { choicesOf, type Times } from '../kits/rows/times.ts'
import { checkColumnName } from '../kits/sql/name.ts'
import { queryOf, querySource } from '../kits/sql/query-source.ts'
import type { SqlRanges } from '../kits/sql/ranges.ts'
import type { Source } from '../source.ts'
import { addressOf, type PostgresConnection } from './connection.ts'
import type { QueryOpening } from './query/statement.ts'

export interface PostgresSourceOptions {
  /** The table to read; or `query`. */
  readonly table?: string
  /** The schema of the table; otherwise it is looked up in the user's search path. */
  readonly schema?: string
  /** A `select`, without parameters. */
  readonly query?: string
  /**
   * One or several columns to read rows by: a later run reads only rows after the last one. None of them may be null.
   * Without it a later run skips as many rows as earlier ones have read.
   */
  readonly cursor?: string | readonly string[]
  /**
   * How far before the last row a later run reads again, by the first column of the cursor: a number, or for timestamps
   * a text such as `'10m'`. This finds rows that were committed late; all rows of that range come again, and the sink
   * needs a `key` to overwrite them. None by default.
   */
  readonly lookBack?: Duration
  /** The columns to read, and their types. All of them by default. */
  readonly columns?: Columns
  /** Integers beyond 2^53 in JSON: `reject` (the default), `bigint` or `number`. */
  readonly bigints?: JsonBigInts
  /**
   * What `timestamptz` becomes: epoch milliseconds (`ms`), microseconds or nanoseconds, or ISO 8601 with all its digits
   * (`text`). If the unit cannot represent one, its row is a dead letter. By default milliseconds if the column holds
   * nothing finer, as `timestamptz(3)` does, else text.
   */
  readonly times?: Times
  /** The most rows fetched at once; fewer if rows are large. 5,000 by default. */
  readonly fetch?: number
  /** The longest time without any byte while the server is awaited, in milliseconds. 300,000 by default. */
  readonly timeoutMs?: number
  /** How long the server may be gone before the run fails, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
  /**
   * Cuts the table into ranges of a column, shared by threads, and by copies with `--shard`. Each resumes
   * independently.
   */
  readonly ranges?: SqlRanges
}

const OPTIONS = [
  'table',
  'schema',
  'query',
  'cursor',
  'lookBack',
  'columns',
  'bigints',
  'times',
  'fetch',
  'timeoutMs',
  'retryMs',
  'ranges',
]
const FETCH_ROWS = 5000
const TIMEOUT_MS = 300_000

/**
 * Reads the rows of a table or a query of a PostgreSQL database. Needs the packages `pg` and `pg-cursor`.
 *
 * - **Reads** a consistent snapshot, in one read-only transaction, batch by batch: memory does not grow with the table.
 * - **Values** are exact, or their row is a dead letter: integers are numbers, and bigints beyond 2^53; `numeric` is a
 *   string of digits; for `timestamptz` see `times`; `bytea` is bytes; `json` is parsed as by {@link json}; all other
 *   types are text as the server writes it. With `columns`, numbers and times become the declared `real`, `integer`,
 *   `time` or `text`; a time without a zone is interpreted as UTC.
 * - **Resumes** with `cursor` after the last row by value; rows that came later with the same value are read, up to
 *   10,000 per value. Rows that were changed, or were committed late with a lower value, are only seen with `lookBack`.
 *   Without a cursor it resumes after that number of rows: the query must return the same rows in the same order, and
 *   new ones last; if the last row is gone, the run fails (POSITION_LOST). Changed rows are not seen: rereading a whole
 *   table in each run is not supported yet.
 * - **Reconnects** when the server is lost, for `retryMs`, and continues after the last row. If the server rejects the
 *   query, the run fails.
 * - **Origins** name the table or query, and the number of the row from 0 as the offset.
 *
 * @param connection - a URL, or host, database and so on; omitted settings come from `PGHOST`, `PGUSER` …
 * @throws {SluiceError} CONFIG_INVALID for invalid options; then, from `open`: SOURCE_MISSING, POSITION_LOST,
 *   SOURCE_UNREADABLE, CONFIG_INVALID if the rows show that `cursor` cannot work
 * @example
 * const orders = postgresSource('postgres://etl:secret@db.example/shop', { table: 'orders', cursor: 'id' })
 * orders.title // => 'table orders in db.example:5432/shop'
 */
export function postgresSource<Row = Record<string, unknown>>(
  connection: string | PostgresConnection,
  options: PostgresSourceOptions,
): Source<Row> {
  const server = addressOf(connection)
  checkKeys('postgresSource', options, OPTIONS)
  const { columns, fetch = FETCH_ROWS, timeoutMs = TIMEOUT_MS } = options
  const query = queryOf('postgresSource', options)
  if (columns !== undefined) checkColumns(columns)
  checkInteger('fetch', fetch, 1)
  checkInteger('timeoutMs', timeoutMs, 1, 2 ** 31 - 1)
  const choices = choicesOf(options)
  const opening = { ...query, connection, server, columns, choices, fetch, timeoutMs }
  const source = querySource<Row, QueryOpening>('postgres', server, opening, async () => {
    return await import('./query/open.ts')
  })
  return columns === undefined ? source : { ...source, columns }
}

function checkColumns(columns: Columns): void {
  if (Object.keys(columns).length === 0) throw optionInvalid('postgresSource', 'columns', columns, 'one column or more')
  for (const [name, type] of Object.entries(columns)) {
    checkColumnName(name)
    checkChoice(`The type of column ${name}`, type, COLUMN_TYPES)
  }
}
