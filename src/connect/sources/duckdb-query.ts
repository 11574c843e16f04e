// The source of rows of a DuckDB database: a table or a query, all of it or what is new since the last run.

import { createHash } from 'node:crypto'
import { checkKeys, describeValue } from '../../base/check.ts'
import { SluiceError } from '../../base/errors.ts'
import { checkMemory } from '../duckdb/memory.ts'
import type { Source } from '../source.ts'
import { checkColumnName } from '../sql/name.ts'

export interface DuckdbQueryOptions {
  /** The table to read; or `query`. */
  readonly table?: string
  /** A `select`, without parameters. */
  readonly query?: string
  /**
   * A column by which rows are read, different in every row and never null: a later run reads only rows beyond the last
   * one. Without it a later run counts off the rows that earlier ones have read.
   */
  readonly cursor?: string
  /** What DuckDB may hold in memory, beside what it writes to a folder by the file: `256MB` by default. */
  readonly memory?: string
}

/**
 * Reads the rows of a table or a query of a DuckDB database file, which it opens for reading only.
 *
 * - **Values**: whole numbers are numbers, and bigints beyond 2^53; timestamps are epoch milliseconds, taken for UTC,
 *   without what is finer; `DECIMAL`, `DATE`, `TIME`, `UUID` and types without a like are text as DuckDB writes it;
 *   `JSON` is parsed; lists are arrays, structs objects, maps arrays of key and value; blobs are bytes.
 * - **Reads** as of one moment, some rows at a time: memory does not grow with the table. By a cursor DuckDB sorts, and
 *   beyond `memory` it does so in a folder beside the file.
 * - **Resumes** with `cursor` beyond the last row by value: rows that came later with a lower value are not seen. Without
 *   it, after so many rows: the query must give the same rows in the same order, and new ones last.
 * - **One process** can have the file open to write, and then nobody else reads it; many can read. A sink of the same
 *   pipeline may write to the file where the flow runs in one thread.
 *
 * Needs the package `@duckdb/node-api`.
 *
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit; then, from `open`: SOURCE_MISSING, SOURCE_UNREADABLE,
 *   POSITION_LOST, CONFIG_INVALID where the rows tell that `cursor` does not fit
 * @example
 * duckdbQuery('shop.duckdb', { table: 'orders', cursor: 'id' }).title // => 'table orders in shop.duckdb'
 */
export function duckdbQuery<Row = Record<string, unknown>>(path: string, options: DuckdbQueryOptions): Source<Row> {
  checkKeys('duckdbQuery', options, ['table', 'query', 'cursor', 'memory'])
  const { table, query, cursor, memory } = options
  if (typeof path !== 'string' || path === '' || path.includes('\0') || path === ':memory:') {
    throw invalid('path', path, 'the path of a file')
  }
  if ((table === undefined) === (query === undefined)) throw invalid('table', table, 'a table, or query one, not both')
  if (query !== undefined && (typeof query !== 'string' || query.trim() === '' || query.includes('\0'))) {
    throw invalid('query', query, 'a select')
  }
  if (table !== undefined) checkColumnName(table)
  if (cursor !== undefined) checkColumnName(cursor)
  if (memory !== undefined) checkMemory('duckdbQuery', memory)
  const source = nameOf(options)
  return {
    kind: 'duckdb',
    title: `${source} in ${path}`,
    splits: async () => [{ id: source }],
    async open(_split, from, { signal } = {}) {
      // Not before it is needed: programs and threads without a database start sooner.
      const { openQuery } = await import('./duckdb-query/open.ts')
      return await openQuery<Row>({ path, source, table, query, cursor, memory, from, signal })
    },
  }
}

/** The same in every run for the same rows, and short. */
function nameOf({ table, query = '' }: DuckdbQueryOptions): string {
  return table === undefined
    ? `query ${createHash('sha256').update(query).digest('hex').slice(0, 12)}`
    : `table ${table}`
}

function invalid(key: string, value: unknown, allowed: string): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot use ${describeValue(value)} as ${key} of duckdbQuery: it takes ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key, value, allowed })
}
