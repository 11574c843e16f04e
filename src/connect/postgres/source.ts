// The source of rows of a PostgreSQL database: a table or a query, all of it or what is new since the last run.

import { checkChoice, checkInteger, checkKeys } from '../../base/check.ts'
import type { Duration } from '../../base/duration.ts'
import { COLUMN_TYPES, type Columns } from '../column.ts'
import { optionInvalid } from '../kits/config.ts'
import { BIGINTS, type JsonBigInts } from '../kits/json/numbers.ts'
import { TIMES, type Times } from '../kits/rows/times.ts'
import { checkColumnName } from '../kits/sql/name.ts'
import { queryOf, querySource } from '../kits/sql/query-source.ts'
import type { SqlRanges } from '../kits/sql/ranges.ts'
import type { Source } from '../source.ts'
import { addressOf, type PostgresConnection } from './connection.ts'
import type { QueryOpening } from './query/opening.ts'

export interface PostgresSourceOptions {
  /** The table to read; or `query`. */
  readonly table?: string
  /** The schema of the table; else it is looked for along the user's search path. */
  readonly schema?: string
  /** A `select`, without parameters. */
  readonly query?: string
  /**
   * A column, or several, by which rows are read: a later run reads only rows that come after the last one. None of them
   * may be null. Without it a later run counts off the rows that earlier ones have read.
   */
  readonly cursor?: string | readonly string[]
  /**
   * How far behind the last row a later run looks again, by the first column of the cursor: a number, or for moments a
   * text like `'10m'`. Rows that were committed late are then found; all rows of that stretch come again, and the sink
   * needs a `key` to overwrite them. Not at all by default.
   */
  readonly lookBack?: Duration
  /** The columns to read, and their types. All of them by default. */
  readonly columns?: Columns
  /** What becomes of whole numbers beyond 2^53 in JSON: `reject` (the default), `bigint` or `number`. */
  readonly bigints?: JsonBigInts
  /**
   * What `timestamptz` becomes: epoch milliseconds (`ms`), microseconds or nanoseconds, or ISO 8601 with all its digits
   * (`text`). One that the unit cannot say makes a dead letter of its row. By default milliseconds where the column holds
   * nothing finer, as `timestamptz(3)` does, else text.
   */
  readonly times?: Times
  /** Most rows that are fetched at once; fewer where rows are large. 5,000 by default. */
  readonly fetch?: number
  /** Longest time in which no byte moves while the server is waited for, in milliseconds. 300,000 by default. */
  readonly timeoutMs?: number
  /** How long the server may be gone before the run ends, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
  /** Cuts the table into ranges of a column, which threads, and copies with `--shard`, share. Each resumes by itself. */
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
 * - **Reads** as of one moment, in one transaction that only reads, batch by batch: memory does not grow with the table.
 * - **Values** are exact, or their row is a dead letter: whole numbers are numbers, and bigints beyond 2^53; `numeric` is
 *   a string of digits; `timestamptz` see `times`; `bytea` is bytes; `json` is parsed as {@link json} does; all other
 *   types are text as the server writes it. With `columns`, `real`, `integer`, `time` and `text` make that of numbers
 *   and times; a time without a zone is taken for UTC.
 * - **Resumes** with `cursor` after the last row by value; rows that came later with the same value are read, up to
 *   10,000 of one value. Those that were changed, or were committed late with a lower value, are only seen with
 *   `lookBack`. Without a cursor it resumes after so many rows: the query must give the same rows in the same order, and
 *   new ones last; where the last row is not there any more, it says so (POSITION_LOST).
 *   Rows that were changed are not seen then: to read all of a table again in each run is not there yet.
 * - **Connects** again when the server is lost, for `retryMs`, and goes on behind the last row. What the server refuses
 *   ends the run.
 * - **Origins** name the table or query, and the number of the row from 0 as the offset.
 *
 * @param connection - a URL, or host, database and so on; what is missing comes from `PGHOST`, `PGUSER` …
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit; then, from `open`: SOURCE_MISSING, POSITION_LOST,
 *   SOURCE_UNREADABLE, CONFIG_INVALID where the rows tell that `cursor` does not fit
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
  const { columns, bigints = 'reject', times, fetch = FETCH_ROWS, timeoutMs = TIMEOUT_MS } = options
  const query = queryOf('postgresSource', options)
  if (columns !== undefined) checkColumns(columns)
  checkInteger('fetch', fetch, 1)
  checkInteger('timeoutMs', timeoutMs, 1, 2 ** 31 - 1)
  checkChoice('bigints', bigints, BIGINTS)
  if (times !== undefined) checkChoice('times', times, TIMES)
  const opening = { ...query, connection, server, columns, choices: { bigints, times }, fetch, timeoutMs }
  const source = querySource<Row, QueryOpening>('postgres', server, opening, async () => {
    return await import('./query/open.ts')
  })
  return columns === undefined ? source : { ...source, columns }
}

function checkColumns(columns: Columns): void {
  if (Object.keys(columns).length === 0) throw optionInvalid('postgresSource', 'columns', columns, 'a column or more')
  for (const [name, type] of Object.entries(columns)) {
    checkColumnName(name)
    checkChoice(`The type of column ${name}`, type, COLUMN_TYPES)
  }
}
