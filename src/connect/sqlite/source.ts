// The source of rows of a SQLite database: a table or a query, all of it or what is new since the last run.

import type { SQLOutputValue } from 'node:sqlite'
import { checkKeys } from '../../base/check.ts'
import type { Duration } from '../../base/duration.ts'
import { optionInvalid } from '../kits/config.ts'
import { quoteName } from '../kits/sql/name.ts'
import { trimQuery } from '../kits/sql/query.ts'
import { queryOf, querySource } from '../kits/sql/query-source.ts'
import type { SqlRanges } from '../kits/sql/ranges.ts'
import type { Source } from '../source.ts'

export interface SqliteSourceOptions {
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
  /** Cuts the table into ranges of a column, which threads, and copies with `--shard`, share. Each resumes by itself. */
  readonly ranges?: SqlRanges
}

type Row = Readonly<Record<string, SQLOutputValue>>

/**
 * Reads the rows of a table or a query of a SQLite database file, which it opens for reading only.
 *
 * - **Values**: whole numbers are numbers, and bigints beyond 2^53; texts, other numbers, null and bytes as SQLite keeps
 *   them, whatever type their column was declared with.
 * - **Resumes** with `cursor` beyond the last row by value, texts in the order of their bytes; rows that came later with the
 *   same value are read, up to 10,000 of one value. Rows that were changed, or came later with a lower value, are only
 *   seen with `lookBack`. Without a cursor it resumes after so many rows: the query must give the same rows in the same
 *   order, and new ones last; where the last row is not there any more, it says so (POSITION_LOST).
 *   Rows that were changed are not seen then: to read all of a table again in each run is not there yet.
 * - **Reads** as of one moment, 1,000 rows at a time: memory does not grow with the table. A file that is locked is waited
 *   for, for `retryMs`.
 *
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit; then, from `open`: SOURCE_MISSING, SOURCE_UNREADABLE,
 *   POSITION_LOST
 * @example
 * sqliteSource('shop.db', { table: 'orders', cursor: 'id' }).title // => 'table orders in shop.db'
 */
export function sqliteSource<R = Row>(path: string, options: SqliteSourceOptions): Source<R> {
  checkKeys('sqliteSource', options, ['table', 'query', 'cursor', 'lookBack', 'retryMs', 'ranges'])
  if (typeof path !== 'string' || path === '') throw optionInvalid('sqliteSource', 'path', path, 'the path of a file')
  const query = queryOf('sqliteSource', options)
  const opening = { ...query, path, rows: query.table === undefined ? bracketed(query.query) : quoteName(query.table) }
  return querySource('sqlite', path, opening, async () => await import('./query/open.ts'))
}

function bracketed(query = ''): string {
  const { text, hasMore } = trimQuery(query, { hasBrackets: true })
  if (text === '' || hasMore) throw optionInvalid('sqliteSource', 'query', query, 'one select')
  return `(\n${text}\n)`
}
