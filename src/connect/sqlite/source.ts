// The source of rows from an SQLite database: a table or a query, all of it or what is new since the last run.

import type { SQLOutputValue } from 'node:sqlite'
import { checkKeys } from '../../base/check.ts'
import type { Duration } from '../../base/duration.ts'
import { optionInvalid } from '../kits/config.ts'
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
   * A column to read rows by, never null: a later run reads only rows beyond the last one. Without it a later run skips
   * as many rows as earlier ones have read.
   */
  readonly cursor?: string
  /**
   * How far before the last row a later run reads again: a number, or for ISO 8601 texts a text such as `'10m'`. This
   * finds rows that came late; all rows of that range come again, and the sink needs a `key` to overwrite them. None by
   * default.
   */
  readonly lookBack?: Duration
  /** How long the file may be locked before the run fails, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
  /**
   * Cuts the table into ranges of a column, shared by threads, and by copies with `--shard`. Each resumes
   * independently.
   */
  readonly ranges?: SqlRanges
}

type Row = Readonly<Record<string, SQLOutputValue>>

/**
 * Reads the rows of a table or a query of an SQLite database file, which is opened read-only.
 *
 * - **Values**: integers are numbers, and bigints beyond 2^53; texts, other numbers, null and bytes are as SQLite
 *   stores them, whatever the declared type of their column.
 * - **Resumes** with `cursor` after the last row by value, texts in the order of their bytes; rows that came later with
 *   the same value are read, up to 10,000 per value. Rows that were changed, or came later with a lower value, are only
 *   seen with `lookBack`. Without a cursor it resumes after that number of rows: the query must return the same rows in
 *   the same order, and new ones last; if the last row is gone, the run fails (POSITION_LOST). Changed rows are not
 *   seen: rereading a whole table in each run is not supported yet.
 * - **Reads** a consistent snapshot, 1,000 rows at a time: memory does not grow with the table. The source waits for a
 *   locked file, for `retryMs`.
 *
 * @throws {SluiceError} CONFIG_INVALID for invalid options; then, from `open`: SOURCE_MISSING, SOURCE_UNREADABLE,
 *   POSITION_LOST
 * @example
 * sqliteSource('shop.db', { table: 'orders', cursor: 'id' }).title // => 'table orders in shop.db'
 */
export function sqliteSource<R = Row>(path: string, options: SqliteSourceOptions): Source<R> {
  checkKeys('sqliteSource', options, ['table', 'query', 'cursor', 'lookBack', 'retryMs', 'ranges'])
  if (typeof path !== 'string' || path === '') throw optionInvalid('sqliteSource', 'path', path, 'the path of a file')
  const query = queryOf('sqliteSource', options)
  const { text, hasMore } = trimQuery(query.query ?? 'select', { hasBrackets: true })
  if (text === '' || hasMore) throw optionInvalid('sqliteSource', 'query', query.query, 'one select')
  return querySource('sqlite', path, { ...query, path }, async () => await import('./query/open.ts'))
}
