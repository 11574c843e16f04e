// Opens a query: finds out where to begin, and reads it row by row.

import { stat } from 'node:fs/promises'
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import { isSluiceError, messageOf, SluiceError } from '../../../base/errors.ts'
import { cannotRead } from '../../kits/files/errors.ts'
import { checkIsFile } from '../../kits/files/list.ts'
import { QueryReader } from '../../kits/rows/query-reader.ts'
import { fromPosition } from '../../kits/rows/stood.ts'
import { quoteName } from '../../kits/sql/name.ts'
import { openSqlite } from '../../kits/sql/open-sqlite.ts'
import type { SqlDialect } from '../../kits/sql/query.ts'
import { nullInCursor, type QueryToRead, rowsOf } from '../../kits/sql/query-source.ts'
import type { OpenOptions, Position, SplitReader } from '../../source.ts'
import { isBusy } from '../errors.ts'
import { boundOf, fromKept } from './cursor.ts'
import { type RawRow, SqliteFeed } from './feed.ts'

export interface QueryOpening extends QueryToRead {
  readonly path: string
}

/** How long SQLite itself waits for a lock: the thread is blocked meanwhile. */
const BUSY_TIMEOUT_MS = 20
const SQL: SqlDialect = { hasBrackets: true }

export function mayPass(error: unknown): boolean {
  return isSluiceError(error, 'SOURCE_UNREADABLE') && isBusy(error.cause)
}

/** Opens a reader that continues after `position`. */
export async function openQuery<Row>(
  opening: QueryOpening,
  position: Position | undefined,
  { signal, onNote }: OpenOptions,
): Promise<SplitReader<Row>> {
  const { path, source, lookBack } = opening
  const rows = rowsOf(opening, SQL)
  const [cursor] = opening.cursor
  signal?.throwIfAborted()
  await checkFile(path)
  const from = fromPosition({ source, cursor }, position)
  const after = from.after === undefined ? undefined : fromKept(opening, position, from.after)
  const trouble = (error: unknown): unknown => unreadable(path, error)
  let database: DatabaseSync | undefined
  try {
    database = openSqlite(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    // Everything is read as of one moment.
    database.exec('begin')
    if (cursor !== undefined) checkCursor(database, opening, rows, cursor)
    const bound = lookBack === undefined || after === undefined ? after : boundOf(lookBack, after, source, `${cursor}`)
    const statement = statementOf(database, rows, cursor, after, bound, from.rows)
    const feed = new SqliteFeed<Row>({ database, ...statement, cursor, trouble })
    const looksBack = lookBack !== undefined
    const reader = { source, cursor, step: 'sqlite', feed, from, looksBack, signal, onNote }
    return await QueryReader.open<RawRow, Row>(reader)
  } catch (error) {
    database?.close()
    throw trouble(error)
  }
}

/** Rejects what is not a file: opening a pipe would wait for its writer. */
async function checkFile(path: string): Promise<void> {
  try {
    checkIsFile('read', path, await stat(path))
  } catch (error) {
    throw cannotRead(path, 0, error)
  }
}

/** A row without a value for the cursor would never be read. */
function checkCursor(database: DatabaseSync, opening: QueryOpening, rows: string, cursor: string): void {
  const sql = `select 1 from ${rows} as q where q.${quoteName(cursor)} is null limit 1`
  if (database.prepare(sql).get() !== undefined) throw nullInCursor(opening)
}

/** The rows with their cursor and their side of the position: 1, 0 or -1. */
function statementOf(
  database: DatabaseSync,
  rows: string,
  cursor: string | undefined,
  after: SQLOutputValue | undefined,
  bound: SQLOutputValue | undefined,
  given: number,
): { readonly names: readonly string[]; readonly rows: Iterator<RawRow> } {
  // Texts that a collation considers equal are distinct. A qualified name is never taken for a text.
  const key = cursor === undefined ? 'null' : `q.${quoteName(cursor)} collate binary`
  const side = after === undefined ? '1' : `case when ${key} > ?1 then 1 when ${key} = ?1 then 0 else -1 end`
  const where = after === undefined ? '' : ` where ${key} >= ?2`
  const order = cursor === undefined ? '' : ` order by ${key}`
  const from = cursor === undefined && given > 0 ? ` limit -1 offset ${given - 1}` : ''
  const statement = database.prepare(`select q.*, ${key}, ${side} from ${rows} as q${where}${order}${from}`)
  statement.setReadBigInts(true)
  statement.setReturnArrays(true)
  const names = statement.columns().map(({ name }) => name)
  const found = after === undefined ? statement.iterate() : statement.iterate(after as never, bound as never)
  return { names: names.slice(0, -2), rows: found as unknown as Iterator<RawRow> }
}

function unreadable(path: string, error: unknown): unknown {
  if (error instanceof SluiceError) return error
  const message = `Cannot read ${JSON.stringify(path)}: ${messageOf(error)}`
  return new SluiceError('SOURCE_UNREADABLE', message, { source: path, offset: 0, errno: 'unknown' }, { cause: error })
}
