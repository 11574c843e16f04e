// Opens a query: connects, finds out where to begin, and sends the SQL.

import type Cursor from 'pg-cursor'
import { isSluiceError, SluiceError } from '../../../base/errors.ts'
import type { Columns } from '../../column.ts'
import { loadPackage } from '../../kits/package.ts'
import { QueryReader } from '../../kits/rows/query-reader.ts'
import { fromPosition, lost, type Reading, type Stood } from '../../kits/rows/stood.ts'
import type { OpenOptions, Position, SplitReader } from '../../source.ts'
import { PostgresClient } from '../client.ts'
import { errorKind, reasonOf, sqlStateOf } from '../errors.ts'
import { PostgresFeed, type RawRow } from './feed.ts'
import { columnsOf, type QueryOpening, statementOf } from './statement.ts'

/** How the server formats values, and the order in which it reads a table, must not depend on its settings. */
const SETTINGS = `set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; set extra_float_digits = 1;
  set bytea_output = 'hex'; set synchronize_seqscans = off`
/** Everything is read as of one moment. */
const BEGIN = `${SETTINGS}; begin isolation level repeatable read read only`

/** The columns of a query in the server, and in its rows. */
export async function findColumns(opening: QueryOpening, signal: AbortSignal | undefined): Promise<Columns> {
  // A missing package is reported before connecting.
  await loadCursor()
  const client = await connect(opening, signal)
  try {
    return await columnsOf(client, opening)
  } catch (error) {
    throw sourceError(error, opening, 0)
  } finally {
    await client.close()
  }
}

async function loadCursor(): Promise<typeof Cursor> {
  return (await loadPackage('pg-cursor', () => import('pg-cursor'))).default
}

export function mayPass(error: unknown): boolean {
  return isSluiceError(error, 'SOURCE_UNREADABLE') && errorKind(error.cause) === 'lost'
}

/** Opens a reader that continues after `position`. */
export async function openQuery<Row>(
  opening: QueryOpening,
  position: Position | undefined,
  { signal, onNote }: OpenOptions,
): Promise<SplitReader<Row>> {
  const { source, columns, choices, fetch, lookBack } = opening
  const from = stoodAt(opening, position)
  let reader: QueryReader<RawRow, Row> | undefined
  const trouble = (thrown: unknown): unknown => {
    return sourceError(thrown, opening, from.rows + (reader?.counts.read ?? 0))
  }
  const PgCursor = await loadCursor()
  const client = await connect(opening, signal)
  try {
    await client.query(BEGIN)
    const statement = await statementOf(client, opening, from)
    const feed = PostgresFeed.open<Row>({ PgCursor, client, source, statement, columns, choices, fetch, trouble })
    const looksBack = lookBack !== undefined
    reader = await QueryReader.open<RawRow, Row>({
      ...readingOf(opening),
      step: 'postgres',
      feed,
      from,
      looksBack,
      signal: undefined,
      onNote,
    })
    return reader
  } catch (error) {
    await client.close()
    throw trouble(error)
  }
}

async function connect(opening: QueryOpening, signal: AbortSignal | undefined): Promise<PostgresClient> {
  const { connection, source, timeoutMs } = opening
  try {
    return await PostgresClient.open({ connection, name: `sluice/${source}`, timeoutMs, signal })
  } catch (error) {
    throw sourceError(error, opening, 0)
  }
}

function readingOf({ source, cursor }: QueryOpening): Reading {
  return { source, cursor: cursor.length === 0 ? undefined : cursor }
}

/**
 * @throws {SluiceError} POSITION_LOST if it does not belong to this query
 */
function stoodAt(opening: QueryOpening, position: Position | undefined): Stood {
  const reading = readingOf(opening)
  const { rows, after = [], known } = fromPosition(reading, position)
  if (!Array.isArray(after) || !after.every((text) => typeof text === 'string')) {
    throw lost(reading, position, 'that is not a position of a query')
  }
  if (after.length === 0) return { rows, after: undefined, known }
  const { length } = opening.cursor
  if (after.length === length) return { rows, after, known }
  throw lost(reading, position, `it has ${after.length} values for ${length} cursor columns`)
}

/** Turns an error into one that the caller can act on; one that did not come from the server is unchanged. */
function sourceError(thrown: unknown, { source, server }: QueryOpening, rows: number): unknown {
  const kind = thrown instanceof SluiceError ? undefined : errorKind(thrown)
  if (kind === undefined) return thrown
  const reason = reasonOf(thrown)
  const name = `${source} in ${server}`
  const message = `Cannot read ${name}: ${reason}`
  const options = { cause: thrown }
  if (kind === 'missing') return new SluiceError('SOURCE_MISSING', message, { source: name }, options)
  if (kind === 'settings') {
    const allowed = 'a user, a password and a database that the server knows'
    return new SluiceError('CONFIG_INVALID', message, { key: 'connection', value: server, allowed }, options)
  }
  if (/^(42|0A|3F)/.test(sqlStateOf(thrown) ?? '')) {
    const allowed = 'SQL that the server accepts, of tables that the user may read'
    return new SluiceError('CONFIG_INVALID', message, { key: 'query', value: source, allowed }, options)
  }
  const errno = sqlStateOf(thrown) ?? 'connection'
  return new SluiceError('SOURCE_UNREADABLE', message, { source: name, offset: rows, errno }, options)
}
