// The source of rows of a SQLite database: a table or a query, all of it or what is new since the last run.

import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { checkKeys, describeValue } from '../../base/check.ts'
import { messageOf, SluiceError } from '../../base/errors.ts'
import { specialKind } from '../files/list.ts'
import { cannotRead, quotePath } from '../files/trouble.ts'
import { rowReader } from '../rows/buffered-reader.ts'
import type { Json, Position, Source } from '../source.ts'
import { checkColumnName, quoteName } from '../sql/name.ts'
import { openSqlite } from '../sql/open-sqlite.ts'

export interface SqliteQueryOptions {
  /** The table to read; or `query`. */
  readonly table?: string
  /** A `select`, without parameters. */
  readonly query?: string
  /**
   * A column by which rows are read, different in every row and never null: a later run reads only rows beyond the last
   * one. Without it a later run counts off the rows that earlier ones have read.
   */
  readonly cursor?: string
}

type Row = Readonly<Record<string, SQLOutputValue>>

/** Rows read at once. */
const AT_ONCE = 1000

/**
 * Reads the rows of a table or a query of a SQLite database file, which it opens for reading only.
 *
 * - **Values**: whole numbers are numbers, and bigints beyond 2^53; texts, other numbers, null and bytes as they are.
 * - **Resumes** with `cursor` beyond the last row by value: rows that came later with a lower value are not seen. Without
 *   it, after so many rows: the query must give the same rows in the same order, and new ones last.
 * - **Memory** does not grow with the table: rows are read 1,000 at a time.
 *
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit; then, from `open`: SOURCE_MISSING, SOURCE_UNREADABLE,
 *   POSITION_LOST
 * @example
 * sqliteQuery('shop.db', { table: 'orders', cursor: 'id' }).title // => 'table orders in shop.db'
 */
export function sqliteQuery<R = Row>(path: string, options: SqliteQueryOptions): Source<R> {
  checkKeys('sqliteQuery', options, ['table', 'query', 'cursor'])
  const { table, query, cursor } = options
  if (typeof path !== 'string' || path === '') throw invalid('path', path, 'the path of a file')
  if ((table === undefined) === (query === undefined)) throw invalid('table', table, 'a table, or query one, not both')
  if (table !== undefined) checkColumnName(table)
  if (cursor !== undefined) checkColumnName(cursor)
  const source = table === undefined ? `query ${digestOf(query ?? '')}` : `table ${table}`
  const from = table === undefined ? `(${query})` : quoteName(table)
  return {
    kind: 'sqlite',
    title: `${source} in ${path}`,
    splits: async () => [{ id: source }],
    async open(_split, position, { signal } = {}) {
      signal?.throwIfAborted()
      await checkFile(path)
      const stood = parsePosition(source, position, cursor)
      const database = openSqlite(path, { readOnly: true, timeout: 5000 })
      try {
        const rows = rowsOf(database, from, cursor, stood)
        return rowReader<R>(
          {
            next: () => batchOf(rows, path) as readonly R[] | undefined,
            originOf: (row, number) => ({ source, line: 0, offset: number, raw: rawOf(row) }),
            positionAfter: (row, number) => positionOf(row as Row | undefined, number, cursor, stood),
            close: () => database.close(),
          },
          stood.rows,
          signal,
        )
      } catch (error) {
        database.close()
        throw unreadable(path, error)
      }
    },
  }
}

/** Refuses what is no file: to open a pipe would wait for who writes into it. */
async function checkFile(path: string): Promise<void> {
  try {
    const stats = await stat(path)
    if (stats.isFile()) return
    if (!stats.isDirectory()) throw refuseKind(path, specialKind(stats))
  } catch (error) {
    throw cannotRead(path, 0, error)
  }
  const message = `Cannot read ${quotePath(path)}: it is a directory (EISDIR)`
  throw new SluiceError('SOURCE_UNREADABLE', message, { source: path, offset: 0, errno: 'EISDIR' })
}

function refuseKind(path: string, kind: string): SluiceError {
  const message = `Cannot read ${quotePath(path)}: it is a ${kind}, not a file`
  return new SluiceError('SOURCE_UNREADABLE', message, { source: path, offset: 0, errno: 'unknown' })
}

interface Stood {
  readonly rows: number
  /** The cursor's value in the last row; undefined before the first. */
  readonly after: SQLOutputValue | undefined
}

function rowsOf(
  database: DatabaseSync,
  from: string,
  cursor: string | undefined,
  { rows, after }: Stood,
): Iterator<Row> {
  const by = cursor === undefined ? '' : ` order by ${quoteName(cursor)}`
  const beyond = cursor === undefined || after === undefined ? '' : ` where ${quoteName(cursor)} > ?`
  const behind = cursor === undefined && rows > 0 ? ` limit -1 offset ${rows}` : ''
  const statement = database.prepare(`select * from ${from}${beyond}${by}${behind}`)
  statement.setReadBigInts(true)
  return (beyond === '' ? statement.iterate() : statement.iterate(after as never)) as Iterator<Row>
}

function batchOf(rows: Iterator<Row>, path: string): readonly Row[] | undefined {
  const batch: Row[] = []
  try {
    while (batch.length < AT_ONCE) {
      const { done, value } = rows.next()
      if (done === true) break
      batch.push(plainRow(value))
    }
  } catch (error) {
    throw unreadable(path, error)
  }
  return batch.length === 0 ? undefined : batch
}

/** Whole numbers come as bigints, so that none is rounded: those that fit become numbers. */
function plainRow(row: Row): Row {
  const plain: Record<string, SQLOutputValue> = {}
  for (const [name, value] of Object.entries(row)) {
    const number = typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
    Object.defineProperty(plain, name, { value: number, enumerable: true, writable: true, configurable: true })
  }
  return plain
}

function positionOf(row: Row | undefined, rows: number, cursor: string | undefined, stood: Stood): Position {
  if (cursor === undefined) return { rows }
  const value = row === undefined ? stood.after : row[cursor]
  if (row !== undefined && (value === null || value === undefined || value instanceof Uint8Array)) {
    throw invalid('cursor', cursor, 'a column of numbers or texts that is never null')
  }
  return {
    rows,
    cursor,
    ...(value === undefined ? {} : { after: typeof value === 'bigint' ? { bigint: `${value}` } : (value as Json) }),
  }
}

function parsePosition(source: string, position: Position | undefined, cursor: string | undefined): Stood {
  if (position === undefined) return { rows: 0, after: undefined }
  const found = (typeof position === 'object' && position !== null ? position : {}) as Record<string, Json>
  const { rows, after, cursor: was } = found
  if (!Number.isSafeInteger(rows) || was !== cursor) {
    const message = `Cannot resume ${source} from ${JSON.stringify(position)}: it was read ${was === undefined ? 'without a cursor' : `by ${was}`}`
    throw new SluiceError('POSITION_LOST', message, { source, position: JSON.stringify(position) })
  }
  const big = typeof after === 'object' && after !== null ? (after as Record<string, Json>).bigint : undefined
  return { rows: Number(rows), after: big === undefined ? (after as SQLOutputValue | undefined) : BigInt(String(big)) }
}

function rawOf(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))
}

function digestOf(query: string): string {
  return createHash('sha256').update(query).digest('hex').slice(0, 12)
}

function unreadable(path: string, error: unknown): unknown {
  if (error instanceof SluiceError) return error
  const message = `Cannot read ${JSON.stringify(path)}: ${messageOf(error)}`
  return new SluiceError('SOURCE_UNREADABLE', message, { source: path, offset: 0, errno: 'unknown' }, { cause: error })
}

function invalid(key: string, value: unknown, allowed: string): SluiceError<'CONFIG_INVALID'> {
  const message = `Cannot use ${describeValue(value)} as ${key} of sqliteQuery: it takes ${allowed}`
  return new SluiceError('CONFIG_INVALID', message, { key, value, allowed })
}
