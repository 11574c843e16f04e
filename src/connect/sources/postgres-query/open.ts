// Opens a query: connects, finds out where to begin, and sends the SQL.

import { SluiceError } from '../../../base/errors.ts'
import type { Columns } from '../../column.ts'
import { loadPackage } from '../../packages.ts'
import { PostgresClient } from '../../postgres/client.ts'
import type { PostgresConnection } from '../../postgres/connection.ts'
import { reasonOf, sqlStateOf, troubleKind } from '../../postgres/trouble.ts'
import type { Position, SplitReader } from '../../source.ts'
import { quoteName } from '../../sql/name.ts'
import { parseQueryPosition, type QueryPosition } from './position.ts'
import { QueryReader } from './reader.ts'

export interface QueryOpening {
  readonly connection: string | PostgresConnection
  /** The server and database, for errors: never with a password. */
  readonly server: string
  readonly source: string
  /** Either a table, perhaps with its schema, or a query. */
  readonly table: string | undefined
  readonly schema: string | undefined
  readonly query: string | undefined
  readonly cursor: readonly string[]
  readonly columns: Columns | undefined
  readonly fetch: number
  readonly timeoutMs: number
  readonly from: Position | undefined
  readonly signal: AbortSignal | undefined
}

/** How the server writes values must not depend on its settings; and all is read as of one moment. */
const BEGIN = `set timezone = 'UTC'; set datestyle = 'ISO'; set intervalstyle = 'postgres'; set extra_float_digits = 1;
  set bytea_output = 'hex'; begin isolation level repeatable read read only`

/** Opens a reader that goes on after `from`. */
export async function openQuery<Row>(opening: QueryOpening): Promise<SplitReader<Row>> {
  const { connection, source, cursor, columns, fetch, timeoutMs, signal } = opening
  const none: QueryPosition = { rows: 0, cursor, after: [] }
  const from = opening.from === undefined ? none : parseQueryPosition(source, cursor, opening.from)
  const trouble = (thrown: unknown, rows: number): unknown => sourceTrouble(thrown, opening, rows)
  let client: PostgresClient | undefined
  try {
    const { default: PgCursor } = await loadPackage('pg-cursor', () => import('pg-cursor'))
    client = await PostgresClient.open({ connection, name: `sluice/${source}`, timeoutMs, signal })
    await client.query(BEGIN)
    await checkCursor(client, opening)
    const { sql, values } = statement(opening, from)
    return await QueryReader.open<Row>({ PgCursor, client, source, sql, values, columns, from, fetch, trouble })
  } catch (error) {
    await client?.close()
    throw trouble(error, from.rows)
  }
}

function statement(opening: QueryOpening, from: QueryPosition): { sql: string; values: readonly string[] } {
  const { cursor, columns } = opening
  const chosen = columns === undefined ? ['q.*'] : Object.keys(columns).map((name) => `q.${quoteName(name)}`)
  const keys = cursor.map((name) => `q.${quoteName(name)}`)
  const selected = [...chosen, ...keys.map((key) => `${key}::text`)].join(', ')
  const select = `select ${selected} from ${rowsOf(opening)} as q`
  if (cursor.length === 0)
    return from.rows === 0 ? { sql: select, values: [] } : { sql: `${select} offset $1`, values: [String(from.rows)] }
  const marks = keys.map((_, i) => `$${i + 1}`).join(', ')
  const where = from.after.length === 0 ? '' : ` where (${keys.join(', ')}) > (${marks})`
  return { sql: `${select}${where} order by ${keys.join(', ')}`, values: from.after }
}

function rowsOf({ table, schema, query = '' }: QueryOpening): string {
  if (table !== undefined) return schema === undefined ? quoteName(table) : `${quoteName(schema)}.${quoteName(table)}`
  // On a line of its own, as it may end in a comment.
  return `(\n${query.trim().replace(/;$/, '')}\n)`
}

/** A row without a value for the cursor would come in no run. */
async function checkCursor(client: PostgresClient, opening: QueryOpening): Promise<void> {
  const { cursor, source } = opening
  if (cursor.length === 0) return
  const isNull = cursor.map((name) => `q.${quoteName(name)} is null`).join(' or ')
  const { rows } = await client.query(`select 1 from ${rowsOf(opening)} as q where ${isNull} limit 1`)
  if (rows.length === 0) return
  const allowed = 'columns that are null in no row'
  const message = `Cannot read ${source} by ${cursor.join(', ')}: cursor takes ${allowed}, and there is a null`
  throw new SluiceError('CONFIG_INVALID', message, { key: 'cursor', value: cursor, allowed })
}

/** The error that a caller can act on; what came from no server stays as it is. */
function sourceTrouble(thrown: unknown, { source, server }: QueryOpening, rows: number): unknown {
  const kind = thrown instanceof SluiceError ? undefined : troubleKind(thrown)
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
    const allowed = 'SQL that the server takes, of tables that the user may read'
    return new SluiceError('CONFIG_INVALID', message, { key: 'query', value: source, allowed }, options)
  }
  const errno = sqlStateOf(thrown) ?? 'connection'
  return new SluiceError('SOURCE_UNREADABLE', message, { source: name, offset: rows, errno }, options)
}
