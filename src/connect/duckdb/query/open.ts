// Opens a query: finds its columns and where to begin, and reads it as a stream.

import { existsSync } from 'node:fs'
import type { DuckDBType } from '@duckdb/node-api'
import { isSluiceError, SluiceError } from '../../../base/errors.ts'
import type { Columns } from '../../column.ts'
import { type LookBack, unfitLookBack } from '../../kits/rows/look-back.ts'
import { QueryReader } from '../../kits/rows/query-reader.ts'
import { fromPosition, lost, type Stood } from '../../kits/rows/stood.ts'
import type { ValueChoices } from '../../kits/rows/times.ts'
import { foldName, quoteName } from '../../kits/sql/name.ts'
import type { SqlDialect } from '../../kits/sql/query.ts'
import { type QueryToRead, rowsOf } from '../../kits/sql/query-source.ts'
import type { OpenOptions, Position, SplitReader } from '../../source.ts'
import { Session } from '../connection.ts'
import { queryError } from './errors.ts'
import { DuckdbFeed, type QueryPlan, type RawRow } from './feed.ts'
import { columnTypeOf, kindOf } from './value.ts'

export interface QueryOpening extends QueryToRead {
  readonly path: string
  readonly choices: ValueChoices
  readonly memory: string | undefined
}

/** Another process has the file open. */
const HELD = 'EBUSY'
const SQL: SqlDialect = { hasDollars: true }

/** The columns of a query in DuckDB, and in its rows. */
export async function findColumns(opening: QueryOpening, signal: AbortSignal | undefined): Promise<Columns> {
  checkFile(opening)
  const session = await openSession(opening)
  try {
    const columns = await session.columnsOf(`select * from ${rowsOf(opening, SQL)} as q`)
    const { duckdb } = session
    return Object.fromEntries(columns.map(({ name, type }) => [name, columnTypeOf(duckdb, type, opening.choices)]))
  } catch (error) {
    throw queryError(error, { ...opening, signal })
  } finally {
    session.close()
  }
}

export function mayPass(error: unknown): boolean {
  return isSluiceError(error, 'SOURCE_UNREADABLE') && error.details.errno === HELD
}

function checkFile({ path }: QueryOpening): void {
  if (existsSync(path)) return
  const message = `Cannot read ${JSON.stringify(path)}: there is no such file (ENOENT)`
  throw new SluiceError('SOURCE_MISSING', message, { source: path })
}

/** Opens a reader that continues after `position`. */
export async function openQuery<Row>(
  opening: QueryOpening,
  position: Position | undefined,
  { signal, onNote }: OpenOptions,
): Promise<SplitReader<Row>> {
  const { path, source, choices } = opening
  const [cursor] = opening.cursor
  signal?.throwIfAborted()
  const from = fromPosition({ source, cursor }, position)
  checkFile(opening)
  const session = await openSession(opening)
  const onAbort = (): void => session.interrupt()
  signal?.addEventListener('abort', onAbort)
  let feed: DuckdbFeed<Row> | undefined
  try {
    const plan = await planOf(session, opening, from, position)
    const result = await session.stream(plan.sql, plan.values)
    feed = new DuckdbFeed<Row>({ session, result, plan, source, path, choices, signal })
    const looksBack = opening.lookBack !== undefined
    const reader = { source, cursor, type: plan.type, step: 'duckdb', feed, from, looksBack, signal, onNote }
    return await QueryReader.open<RawRow, Row>(reader)
  } catch (error) {
    if (feed === undefined) session.close()
    else await feed.close()
    throw queryError(error, { path, source, signal })
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
    const errno = error.code === 'PIPELINE_HELD' ? HELD : 'unknown'
    throw new SluiceError('SOURCE_UNREADABLE', message, { source: path, offset: 0, errno }, { cause: error })
  }
}

async function planOf(
  session: Session,
  opening: QueryOpening,
  { rows, after, type: was }: Stood,
  position: Position | undefined,
): Promise<QueryPlan> {
  const { source, lookBack } = opening
  const [cursor] = opening.cursor
  const from = rowsOf(opening, SQL)
  const columns = await session.columnsOf(`select * from ${from} as q`)
  // A stream that fails in a row simply ends: an end marker shows that it was complete.
  const last = `select ${columns.map(() => 'null').join(', ')}, null, null, true`
  if (cursor === undefined) {
    const all = `select *, null, 1, false from ${from} as q${rows === 0 ? '' : ` offset ${rows - 1}`}`
    return { sql: `(${all}) union all (${last})`, values: [], columns, cursor, type: undefined }
  }
  const at = columns.findIndex(({ name }) => foldName(name) === foldName(cursor))
  const column = columns[at]
  if (column === undefined) {
    const allowed = columns.map(({ name }) => name).join(', ')
    const message = `Cannot read ${source} by ${JSON.stringify(cursor)}: its columns are ${allowed}`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'cursor', value: cursor, allowed })
  }
  const type = String(column.type)
  if (after !== undefined && (typeof after !== 'string' || was === undefined)) {
    throw lost(opening, position, 'it has no value for the cursor')
  }
  if (after !== undefined && was !== type) throw lost(opening, position, `${cursor} was ${was} and is ${type}`)
  const name = `q.${quoteName(column.name)}`
  // Texts that a collation considers equal are distinct.
  const isText = column.type.typeId === session.duckdb.DuckDBTypeId.VARCHAR
  const key = isText ? `(${name} collate "C")` : name
  const mark = `cast($1 as ${type})`
  const bound = lookBack === undefined ? mark : boundOf(lookBack, mark, session, column.type, source, cursor)
  const side = after === undefined ? '1' : `case when ${key} > ${mark} then 1 when ${key} = ${mark} then 0 else -1 end`
  const beyond = after === undefined ? '' : ` where ${key} >= ${bound} or ${name} is null`
  const all = `select *, cast(${name} as varchar), ${side}, false from ${from} as q${beyond}`
  const order = `${columns.length + 3}, ${isText ? `${at + 1} collate "C"` : at + 1} asc nulls last`
  return {
    sql: `(${all}) union all (${last}) order by ${order}`,
    values: after === undefined ? [] : [after as string],
    columns,
    cursor,
    type,
  }
}

/** Where rows are read again from. */
function boundOf(
  lookBack: LookBack,
  mark: string,
  { duckdb }: Session,
  type: DuckDBType,
  source: string,
  cursor: string,
): string {
  const kind = kindOf(duckdb, type)
  if (lookBack.kind === 'time') {
    if (kind === 'moment' || kind === 'day') return `(${mark} - to_milliseconds(${lookBack.ms}))`
  } else if (kind === 'integer' || kind === 'long') return `(${mark}::hugeint - ${Math.ceil(lookBack.by)})`
  else if (kind === 'decimal' || kind === 'real') return `(${mark}::double - ${lookBack.by})`
  throw unfitLookBack(source, cursor, lookBack, String(type))
}
