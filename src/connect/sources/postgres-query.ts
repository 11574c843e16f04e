// The source of rows of a PostgreSQL database: a table or a query, all of it or what is new since the last run.

import { createHash } from 'node:crypto'
import { checkChoice, checkInteger, checkKeys, describeValue } from '../../base/check.ts'
import { SluiceError } from '../../base/errors.ts'
import { COLUMN_TYPES, type Columns } from '../column.ts'
import { addressOf, type PostgresConnection } from '../postgres/connection.ts'
import type { Source } from '../source.ts'
import { checkColumnName } from '../sql/name.ts'

export interface PostgresQueryOptions {
  /** The table to read; or `query`. */
  readonly table?: string
  /** The schema of the table; else it is looked for along the user's search path. */
  readonly schema?: string
  /** A `select`, without parameters. */
  readonly query?: string
  /**
   * A column, or several, by which rows are read and which together are different in every row: a later run reads only
   * rows that come after the last one. Without it a later run counts off the rows that earlier ones have read.
   */
  readonly cursor?: string | readonly string[]
  /** The columns to read, and their types. All of them by default. */
  readonly columns?: Columns
  /** Most rows that are fetched at once; fewer where rows are large. 5,000 by default. */
  readonly fetch?: number
  /** Longest time in which no byte moves while the server is waited for, in milliseconds. 300,000 by default. */
  readonly timeoutMs?: number
}

const OPTIONS = ['table', 'schema', 'query', 'cursor', 'columns', 'fetch', 'timeoutMs']
const FETCH_ROWS = 5000
const TIMEOUT_MS = 300_000

/**
 * Reads the rows of a table or a query of a PostgreSQL database. Needs the packages `pg` and `pg-cursor`.
 *
 * - **Reads** as of one moment, in one transaction that only reads, batch by batch: memory does not grow with the table.
 * - **Values**: whole numbers are numbers, and bigints beyond 2^53; `numeric` and types without a like are text as the
 *   server writes it; `timestamptz` is epoch milliseconds, without what is finer; `json` is parsed. With `columns`,
 *   `real`, `integer`, `time` and `text` make that of numbers and times; a time without a zone is taken for UTC.
 * - **Resumes** with `cursor` after the last row by value: rows that were changed or came late with a lower value are
 *   not seen, so a number given out before its row is committed is a poor cursor where several write. No cursor column
 *   may be null. Without it, after so many rows: the query must give the same rows in the same order, and new ones last.
 * - **Origins** name the table or query, and the number of the row from 0 as the offset.
 *
 * @param connection - a URL, or host, database and so on; what is missing comes from `PGHOST`, `PGUSER` …
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit; then, from `open`: SOURCE_MISSING, POSITION_LOST,
 *   SOURCE_UNREADABLE, CONFIG_INVALID where the rows tell that `cursor` does not fit
 * @example
 * const orders = postgresQuery('postgres://etl:secret@db.example/shop', { table: 'orders', cursor: 'id' })
 * orders.title // => 'table orders in db.example:5432/shop'
 */
export function postgresQuery<Row = Record<string, unknown>>(
  connection: string | PostgresConnection,
  options: PostgresQueryOptions,
): Source<Row> {
  const server = addressOf(connection)
  checkKeys('postgresQuery', options, OPTIONS)
  const cursor = typeof options.cursor === 'string' ? [options.cursor] : (options.cursor ?? [])
  checkOptions(options, cursor)
  const { table, schema, query, columns, fetch = FETCH_ROWS, timeoutMs = TIMEOUT_MS } = options
  const source = nameOf(options)
  return {
    kind: 'postgres',
    title: `${source} in ${server}`,
    ...(columns === undefined ? {} : { columns }),
    splits: async () => [{ id: source }],
    async open(_split, from, { signal } = {}) {
      // Not before it is needed: programs and threads without a database start sooner.
      const { openQuery } = await import('./postgres-query/open.ts')
      const given = {
        connection,
        server,
        source,
        table,
        schema,
        query,
        cursor,
        columns,
        fetch,
        timeoutMs,
        from,
        signal,
      }
      return await openQuery<Row>(given)
    },
  }
}

/** The same in every run for the same rows, and short. */
function nameOf({ table, schema, query = '' }: PostgresQueryOptions): string {
  if (table !== undefined) return `table ${schema === undefined ? table : `${schema}.${table}`}`
  return `query ${createHash('sha256').update(query).digest('hex').slice(0, 12)}`
}

function checkOptions(options: PostgresQueryOptions, cursor: readonly string[]): void {
  const { table, schema, query, columns, fetch, timeoutMs } = options
  if ((table === undefined) === (query === undefined)) throw invalid('table', table, 'a table, or query one, not both')
  if (query !== undefined && (typeof query !== 'string' || query.trim() === '' || query.includes('\0'))) {
    throw invalid('query', query, 'a select')
  }
  if (schema !== undefined && table === undefined) throw invalid('schema', schema, 'the schema of a table')
  for (const name of [table, schema, ...cursor, ...Object.keys(columns ?? {})]) {
    if (name !== undefined) checkColumnName(name)
  }
  if (options.cursor !== undefined && cursor.length === 0) throw invalid('cursor', options.cursor, 'a column or more')
  if (columns !== undefined && Object.keys(columns).length === 0) throw invalid('columns', columns, 'a column or more')
  for (const [name, type] of Object.entries(columns ?? {}))
    checkChoice(`The type of column ${name}`, type, COLUMN_TYPES)
  if (fetch !== undefined) checkInteger('fetch', fetch, 1)
  if (timeoutMs !== undefined) checkInteger('timeoutMs', timeoutMs, 1, 2 ** 31 - 1)
}

function invalid(key: string, value: unknown, allowed: string): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot use ${describeValue(value)} as ${key} of postgresQuery: it takes ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key, value, allowed })
}
