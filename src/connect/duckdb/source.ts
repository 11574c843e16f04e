// The source of rows from a DuckDB database: a table or a query, all of it or what is new since the last run.

import { checkKeys } from '../../base/check.ts'
import type { Duration } from '../../base/duration.ts'
import { isPath, optionInvalid } from '../kits/config.ts'
import type { JsonBigInts } from '../kits/json/numbers.ts'
import { choicesOf, type Times } from '../kits/rows/times.ts'
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
   * A column to read rows by, never null: a later run reads only rows beyond the last one. Without it a later run skips
   * as many rows as earlier ones have read.
   */
  readonly cursor?: string
  /**
   * How far before the last row a later run reads again: a number, or for timestamps a text such as `'10m'`. This finds
   * rows that came late; all rows of that range come again, and the sink needs a `key` to overwrite them. None by
   * default.
   */
  readonly lookBack?: Duration
  /** Integers beyond 2^53 in JSON: `reject` (the default), `bigint` or `number`. */
  readonly bigints?: JsonBigInts
  /**
   * What timestamps become: epoch milliseconds (`ms`), microseconds or nanoseconds, or text with all their digits
   * (`text`). If the unit cannot represent one, its row is a dead letter. By default milliseconds if the type holds
   * nothing finer (`TIMESTAMP_S`, `TIMESTAMP_MS`), else text.
   */
  readonly times?: Times
  /** The memory limit of DuckDB, which spills to a folder beside the file: `256MB` by default. */
  readonly memory?: string
  /**
   * How long another process may have the file open for writing before the run fails, in milliseconds: 60,000 by
   * default.
   */
  readonly retryMs?: number
  /**
   * Cuts the table into ranges of a column, shared by threads, and by copies with `--shard`. Each resumes
   * independently.
   */
  readonly ranges?: SqlRanges
}

const OPTIONS = ['table', 'query', 'cursor', 'lookBack', 'bigints', 'times', 'memory', 'retryMs', 'ranges']

/**
 * Reads the rows of a table or a query of a DuckDB database file, which is opened read-only.
 *
 * - **Values** are exact, or their row is a dead letter: integers are numbers, and bigints beyond 2^53; `DECIMAL` is a
 *   string of digits; for timestamps see `times`: with a zone their text is ISO 8601 in UTC, and numbers interpret
 *   those without as UTC; `JSON` is parsed as by {@link json}; lists are arrays, structs objects, maps arrays of key
 *   and value; blobs are bytes; all other types are text as DuckDB writes it.
 * - **Reads** a consistent snapshot, some rows at a time: memory does not grow with the table. With a cursor DuckDB
 *   sorts, beyond `memory` in a folder beside the file.
 * - **Resumes** with `cursor` after the last row by value; rows that came later with the same value are read, up to
 *   10,000 per value. Rows that were changed, or came later with a lower value, are only seen with `lookBack`. Without
 *   a cursor it resumes after that number of rows: the query must return the same rows in the same order, and new ones
 *   last; if the last row is gone, the run fails (POSITION_LOST). Changed rows are not seen: rereading a whole table in
 *   each run is not supported yet.
 * - **One process** can have the file open for writing, and nobody else can read it meanwhile: the source waits for it,
 *   for `retryMs`. Many can read. A sink of the same pipeline may write to the file if the flow runs in one thread.
 *
 * Needs the package `@duckdb/node-api`.
 *
 * @throws {SluiceError} CONFIG_INVALID for invalid options; then, from `open`: SOURCE_MISSING, SOURCE_UNREADABLE,
 *   POSITION_LOST, CONFIG_INVALID if the rows show that `cursor` cannot work
 * @example
 * duckdbSource('shop.duckdb', { table: 'orders', cursor: 'id' }).title // => 'table orders in shop.duckdb'
 */
export function duckdbSource<Row = Record<string, unknown>>(path: string, options: DuckdbSourceOptions): Source<Row> {
  checkKeys('duckdbSource', options, OPTIONS)
  const { memory } = options
  if (!isPath(path) || path === ':memory:') throw optionInvalid('duckdbSource', 'path', path, 'the path of a file')
  const query = queryOf('duckdbSource', options)
  if (memory !== undefined) checkMemory('duckdbSource', memory)
  const choices = choicesOf(options)
  const opening = { ...query, path, choices, memory }
  return querySource('duckdb', path, opening, async () => await import('./query/open.ts'))
}
