// The source of rows of a DuckDB database: a table or a query, all of it or what is new since the last run.

import { checkChoice, checkKeys } from '../../base/check.ts'
import type { Duration } from '../../base/duration.ts'
import { isPath, optionInvalid } from '../kits/config.ts'
import { BIGINTS, type JsonBigInts } from '../kits/json/numbers.ts'
import { TIMES, type Times } from '../kits/rows/times.ts'
import { queryOf, querySource } from '../kits/sql/query-source.ts'
import type { SqlRanges } from '../kits/sql/ranges.ts'
import type { Source } from '../source.ts'
import { checkMemory } from './options.ts'

export interface DuckdbSourceOptions {
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
   * How far behind the last row a later run looks again: a number, or for moments a text like `'10m'`. Rows that came late
   * are then found; all rows of that stretch come again, and the sink needs a `key` to overwrite them. Not at all by default.
   */
  readonly lookBack?: Duration
  /** What becomes of whole numbers beyond 2^53 in JSON: `reject` (the default), `bigint` or `number`. */
  readonly bigints?: JsonBigInts
  /**
   * What timestamps become: epoch milliseconds (`ms`), microseconds or nanoseconds, or text with all their digits
   * (`text`). One that the unit cannot say makes a dead letter of its row. By default milliseconds where the type holds
   * nothing finer (`TIMESTAMP_S`, `TIMESTAMP_MS`), else text.
   */
  readonly times?: Times
  /** What DuckDB may hold in memory, beside what it writes to a folder by the file: `256MB` by default. */
  readonly memory?: string
  /** How long another process may have the file open to write before the run ends, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
  /** Cuts the table into ranges of a column, which threads, and copies with `--shard`, share. Each resumes by itself. */
  readonly ranges?: SqlRanges
}

const OPTIONS = ['table', 'query', 'cursor', 'lookBack', 'bigints', 'times', 'memory', 'retryMs', 'ranges']

/**
 * Reads the rows of a table or a query of a DuckDB database file, which it opens for reading only.
 *
 * - **Values** are exact, or their row is a dead letter: whole numbers are numbers, and bigints beyond 2^53; `DECIMAL` is a
 *   string of digits; timestamps see `times`: with a zone their text is ISO 8601 in UTC, and numbers take those without
 *   for UTC; `JSON` is parsed as {@link json} does; lists are arrays, structs objects, maps arrays of key and value; blobs
 *   are bytes; all other types are text as DuckDB writes it.
 * - **Reads** as of one moment, some rows at a time: memory does not grow with the table. By a cursor DuckDB sorts, and
 *   beyond `memory` it does so in a folder beside the file.
 * - **Resumes** with `cursor` beyond the last row by value; rows that came later with the same value are read, up to
 *   10,000 of one value. Rows that were changed, or came later with a lower value, are only seen with `lookBack`. Without
 *   a cursor it resumes after so many rows: the query must give the same rows in the same order, and new ones last; where
 *   the last row is not there any more, it says so (POSITION_LOST).
 *   Rows that were changed are not seen then: to read all of a table again in each run is not there yet.
 * - **One process** can have the file open to write, and then nobody else reads it: it is waited for, for `retryMs`. Many
 *   can read. A sink of the same pipeline may write to the file where the flow runs in one thread.
 *
 * Needs the package `@duckdb/node-api`.
 *
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit; then, from `open`: SOURCE_MISSING, SOURCE_UNREADABLE,
 *   POSITION_LOST, CONFIG_INVALID where the rows tell that `cursor` does not fit
 * @example
 * duckdbSource('shop.duckdb', { table: 'orders', cursor: 'id' }).title // => 'table orders in shop.duckdb'
 */
export function duckdbSource<Row = Record<string, unknown>>(path: string, options: DuckdbSourceOptions): Source<Row> {
  checkKeys('duckdbSource', options, OPTIONS)
  const { memory, bigints = 'reject', times } = options
  if (!isPath(path) || path === ':memory:') throw optionInvalid('duckdbSource', 'path', path, 'the path of a file')
  const query = queryOf('duckdbSource', options)
  if (memory !== undefined) checkMemory('duckdbSource', memory)
  checkChoice('bigints', bigints, BIGINTS)
  if (times !== undefined) checkChoice('times', times, TIMES)
  const opening = { ...query, path, choices: { bigints, times }, memory }
  return querySource('duckdb', path, opening, async () => await import('./query/open.ts'))
}
