// The source of rows of a SQLite database: a table or a query, all of it or what is new since the last run.

import { createHash } from 'node:crypto'
import type { SQLOutputValue } from 'node:sqlite'
import { checkKeys, checkMs, describeValue } from '../../base/check.ts'
import type { Duration } from '../../base/duration.ts'
import { SluiceError } from '../../base/errors.ts'
import { lookBackOf } from '../rows/look-back.ts'
import type { Source } from '../source.ts'
import { checkColumnName, quoteName } from '../sql/name.ts'
import { trimQuery } from '../sql/query.ts'
import { readOnBy } from '../sql/read-on.ts'

export interface SqliteQueryOptions {
  /** The table to read; or `query`. */
  readonly table?: string
  /** A `select`, without parameters. */
  readonly query?: string
  /**
   * A column by which rows are read, never null: a later run reads only rows beyond the last one. Without it a later run
   * counts off the rows that earlier ones have read.
   */
  readonly cursor?: string
  /**
   * How far behind the last row a later run looks again: a number, or for texts of ISO 8601 a text like `'10m'`. Rows that
   * came late are then found; all rows of that stretch come again, and the sink needs a `key` to overwrite them. Not at
   * all by default.
   */
  readonly lookBack?: Duration
  /** How long the file may be locked before the run ends, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
}

type Row = Readonly<Record<string, SQLOutputValue>>

const RETRY_MS = 60_000

/**
 * Reads the rows of a table or a query of a SQLite database file, which it opens for reading only.
 *
 * - **Values**: whole numbers are numbers, and bigints beyond 2^53; texts, other numbers, null and bytes as SQLite keeps
 *   them, whatever type their column was declared with.
 * - **Resumes** with `cursor` beyond the last row by value, texts in the order of their bytes; rows that came later with the
 *   same value are read, up to 10,000 of one value. Rows that were changed, or came later with a lower value, are only
 *   seen with `lookBack`. Without a cursor it resumes after so many rows: the query must give the same rows in the same
 *   order, and new ones last; where the last row is not there any more, it says so (POSITION_LOST).
 * - **Reads** as of one moment, 1,000 rows at a time: memory does not grow with the table. A file that is locked is waited
 *   for, for `retryMs`.
 *
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit; then, from `open`: SOURCE_MISSING, SOURCE_UNREADABLE,
 *   POSITION_LOST
 * @example
 * sqliteQuery('shop.db', { table: 'orders', cursor: 'id' }).title // => 'table orders in shop.db'
 */
export function sqliteQuery<R = Row>(path: string, options: SqliteQueryOptions): Source<R> {
  checkKeys('sqliteQuery', options, ['table', 'query', 'cursor', 'lookBack', 'retryMs'])
  const { table, query, cursor, retryMs = RETRY_MS } = options
  if (typeof path !== 'string' || path === '') throw invalid('path', path, 'the path of a file')
  if ((table === undefined) === (query === undefined)) throw invalid('table', table, 'a table, or query one, not both')
  if (table !== undefined) checkColumnName(table)
  if (cursor !== undefined) checkColumnName(cursor)
  checkMs('retryMs', retryMs)
  const lookBack = lookBackOf('sqliteQuery', options.lookBack, cursor !== undefined)
  const source = table === undefined ? `query ${digestOf(query ?? '')}` : `table ${table}`
  const rows = table === undefined ? bracketed(query) : quoteName(table)
  const opening = { path, source, rows, cursor, lookBack, retryMs }
  return {
    kind: 'sqlite',
    title: `${source} in ${path}`,
    provided: readOnBy(cursor !== undefined),
    isCounted: true,
    ...(lookBack === undefined ? {} : { readsAgain: true as const }),
    splits: async () => [{ id: source }],
    async open(_split, from, open = {}) {
      // Not before it is needed: programs and threads without a database start sooner.
      const { openQuery } = await import('./sqlite-query/open.ts')
      return await openQuery<R>(opening, from, open)
    },
  }
}

function bracketed(query: unknown): string {
  if (typeof query !== 'string' || query.includes('\0')) throw invalid('query', query, 'a select')
  const { text, hasMore } = trimQuery(query, { hasBrackets: true })
  if (text === '' || hasMore) throw invalid('query', query, 'one select')
  return `(\n${text}\n)`
}

function digestOf(query: string): string {
  return createHash('sha256').update(query).digest('hex').slice(0, 12)
}

function invalid(key: string, value: unknown, allowed: string): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot use ${describeValue(value)} as ${key} of sqliteQuery: it takes ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key, value, allowed })
}
