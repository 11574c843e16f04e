// Opens a query: finds out what its columns are and where to begin, and reads it as a stream.

import { existsSync } from 'node:fs'
import { SluiceError } from '../../../base/errors.ts'
import { Session } from '../../duckdb/session.ts'
import { rowReader } from '../../rows/buffered-reader.ts'
import type { Json, Position, SplitReader } from '../../source.ts'
import { foldName, quoteName } from '../../sql/name.ts'
import { QueryFeed, type QueryPlan } from './feed.ts'
import { queryTrouble } from './trouble.ts'

export interface QueryOpening {
  readonly path: string
  readonly source: string
  /** Either a table or a query. */
  readonly table: string | undefined
  readonly query: string | undefined
  readonly cursor: string | undefined
  readonly memory: string | undefined
  readonly from: Position | undefined
  readonly signal: AbortSignal | undefined
}

/** Where a run stood, checked. */
interface Stood {
  readonly rows: number
  /** The cursor of the last row as text, and the type that it has; undefined before the first. */
  readonly after: { readonly text: string; readonly type: string } | undefined
}

export async function openQuery<Row>(opening: QueryOpening): Promise<SplitReader<Row>> {
  const { path, source, signal } = opening
  signal?.throwIfAborted()
  const stood = parsePosition(opening)
  if (!existsSync(path)) {
    const message = `Cannot read ${JSON.stringify(path)}: there is no such file (ENOENT)`
    throw new SluiceError('SOURCE_MISSING', message, { source: path })
  }
  const session = await openSession(opening)
  const onAbort = (): void => session.interrupt()
  signal?.addEventListener('abort', onAbort)
  try {
    const plan = await planOf(session, opening, stood)
    const result = await session.stream(plan.sql, plan.values)
    const feed = new QueryFeed<Row>({ session, result, plan, source, path, signal, from: stood.rows })
    return rowReader<Row>(feed, stood.rows, signal)
  } catch (error) {
    session.close()
    throw queryTrouble(error, opening)
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

async function openSession({ path, memory }: QueryOpening): Promise<Session> {
  try {
    return await Session.open(path, { memory, isReading: true })
  } catch (error) {
    if (!(error instanceof SluiceError) || error.code === 'CONFIG_INVALID') throw error
    const message = error.message.replace(/^Cannot open /, 'Cannot read ')
    const errno = error.code === 'PIPELINE_HELD' ? 'EBUSY' : 'unknown'
    throw new SluiceError('SOURCE_UNREADABLE', message, { source: path, offset: 0, errno }, { cause: error })
  }
}

async function planOf(session: Session, opening: QueryOpening, { rows, after }: Stood): Promise<QueryPlan> {
  const { source, cursor } = opening
  const from = rowsOf(opening)
  const columns = await session.columnsOf(`select * from ${from} as q`)
  const names = columns.map(({ name }) => foldName(name))
  // A stream that fails in a row ends as if that were its end: the last row says that it is the last one.
  const last = `select ${columns.map(() => 'null').join(', ')}, null, true`
  if (cursor === undefined) {
    const all = `select *, null, false from ${from} as q${rows === 0 ? '' : ` offset ${rows}`}`
    return { sql: `(${all}) union all (${last})`, values: [], columns, cursor, type: undefined }
  }
  const at = names.indexOf(foldName(cursor))
  const type = String(columns[at]?.type)
  if (at < 0) {
    const allowed = columns.map(({ name }) => name).join(', ')
    const message = `Cannot read ${source} by ${JSON.stringify(cursor)}: its columns are ${allowed}`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'cursor', value: cursor, allowed })
  }
  if (after !== undefined && after.type !== type) throw lost(opening, `${cursor} was ${after.type} and is ${type}`)
  const name = `q.${quoteName(columns[at]?.name ?? cursor)}`
  // Nulls are last in their order: a row without a cursor is found, and not passed over.
  const beyond = after === undefined ? '' : ` where ${name} > cast($1 as ${type}) or ${name} is null`
  const all = `select *, cast(${name} as varchar), false from ${from} as q${beyond}`
  const order = `${columns.length + 2}, ${at + 1} asc nulls last`
  return {
    sql: `(${all}) union all (${last}) order by ${order}`,
    values: after === undefined ? [] : [after.text],
    columns,
    cursor,
    type,
  }
}

function rowsOf({ table, query = '' }: QueryOpening): string {
  if (table !== undefined) return quoteName(table)
  // On a line of its own, as it may end in a comment.
  return `(\n${query.trim().replace(/;$/, '')}\n)`
}

function parsePosition(opening: QueryOpening): Stood {
  const { from, cursor } = opening
  if (from === undefined) return { rows: 0, after: undefined }
  const found = (typeof from === 'object' && from !== null ? from : {}) as Record<string, Json>
  const { rows, after, type, cursor: was } = found
  if (!Number.isSafeInteger(rows) || Number(rows) < 0 || was !== cursor) {
    throw lost(opening, `it was read ${typeof was === 'string' ? `by ${was}` : 'without a cursor'}`)
  }
  if (after === undefined) return { rows: Number(rows), after: undefined }
  if (typeof after !== 'string' || typeof type !== 'string') throw lost(opening, 'it says no value of the cursor')
  return { rows: Number(rows), after: { text: after, type } }
}

function lost({ source, from }: QueryOpening, found: string): SluiceError<'POSITION_LOST'> {
  const position = JSON.stringify(from)
  return new SluiceError('POSITION_LOST', `Cannot resume ${source} from ${position}: ${found}`, { source, position })
}
