// What the sources of rows of SQL databases have in common: a table or a query, and where a later run continues.

import { createHash } from 'node:crypto'
import { checkMs } from '../../../base/check.ts'
import type { Duration } from '../../../base/duration.ts'
import { SluiceError } from '../../../base/errors.ts'
import type { Columns } from '../../column.ts'
import type { OpenOptions, Position, SharedNames, Source, SplitReader } from '../../source.ts'
import { optionInvalid } from '../config.ts'
import { type LookBack, lookBackOf } from '../rows/look-back.ts'
import { retried, retryingReader } from '../rows/retrying.ts'
import { checkColumnName, quoteName } from './name.ts'
import { type SqlDialect, trimQuery } from './query.ts'
import { inRange, rangesOf, type SqlRange, type SqlRanges } from './ranges.ts'

/** Options that all of them have. */
export interface QueryOptions {
  readonly table?: string
  readonly schema?: string
  readonly query?: string
  readonly cursor?: string | readonly string[]
  readonly lookBack?: Duration
  readonly retryMs?: number
  readonly ranges?: SqlRanges
}

/** The table or query to read. */
export interface QueryToRead {
  /** The same in every run for the same rows, and short. */
  readonly source: string
  /** Either a table, optionally with its schema, or a query. */
  readonly table: string | undefined
  readonly schema: string | undefined
  readonly query: string | undefined
  /** The columns by which rows are read. */
  readonly cursor: readonly string[]
  readonly lookBack: LookBack | undefined
  /** How long it may be unreachable, in clock milliseconds. */
  readonly retryMs: number
  /** What it is cut into; empty if it is read as a whole. */
  readonly ranges: readonly SqlRange[]
  /** The one being read. */
  readonly range?: SqlRange
}

const RETRY_MS = 60_000

const SAME_EVERYWHERE: SharedNames = { nameOf: (id) => id, idOf: (name) => name, headOf: async () => undefined }

/** The condition for continuing without a cursor. */
const SAME_ROWS = 'if the same rows come in the same order, and new ones last'

/** @throws {SluiceError} CONFIG_INVALID */
export function queryOf(what: string, options: QueryOptions): QueryToRead {
  const { table, schema, query, retryMs = RETRY_MS } = options
  if ((table === undefined) === (query === undefined)) {
    throw optionInvalid(what, 'table', table, 'a table, or query one, not both')
  }
  if (query !== undefined && (typeof query !== 'string' || query.trim() === '' || query.includes('\0'))) {
    throw optionInvalid(what, 'query', query, 'a select')
  }
  if (schema !== undefined && table === undefined) throw optionInvalid(what, 'schema', schema, 'the schema of a table')
  const cursor = options.cursor === undefined ? [] : [options.cursor].flat()
  for (const name of [table, schema, ...cursor]) if (name !== undefined) checkColumnName(name)
  if (options.cursor !== undefined && cursor.length === 0) {
    throw optionInvalid(what, 'cursor', options.cursor, 'one column or more')
  }
  checkMs('retryMs', retryMs)
  const lookBack = lookBackOf(what, options.lookBack, cursor.length > 0)
  const digest = createHash('sha256')
    .update(query ?? '')
    .digest('hex')
    .slice(0, 12)
  const source =
    table === undefined ? `query ${digest}` : `table ${schema === undefined ? table : `${schema}.${table}`}`
  return { source, table, schema, query, cursor, lookBack, retryMs, ranges: rangesOf(what, options.ranges) }
}

/** The reader of queries of one kind of database. */
interface QueryModule<Opening> {
  /** Opens a reader that continues after `from`. */
  openQuery<Row>(opening: Opening, from: Position | undefined, options: OpenOptions): Promise<SplitReader<Row>>
  /** The columns of a query in the database, and in its rows. Absent if columns have no types. */
  readonly findColumns?: (opening: Opening, signal: AbortSignal | undefined) => Promise<Columns>
  /** Whether the database may be there again soon after an error. */
  mayPass(error: unknown): boolean
}

/**
 * The source of a query.
 *
 * @param place - the file or server, for people
 * @param load - loads the reader on demand: programs and threads without a database start sooner
 */
export function querySource<Row, Opening extends QueryToRead>(
  kind: string,
  place: string,
  opening: Opening,
  load: () => Promise<QueryModule<Opening>>,
): Source<Row> {
  const { source, cursor, lookBack, ranges, retryMs } = opening
  const parts = new Map(ranges.map((range) => [`${source}, ${range.name}`, range]))
  return {
    kind,
    isTabular: true,
    title: `${source} in ${place}`,
    provided: cursor.length > 0 ? 'if the column only grows' : SAME_ROWS,
    isCounted: true,
    ...(lookBack === undefined ? {} : { readsAgain: true as const }),
    // Ranges are the same wherever they are written.
    ...(parts.size === 0 ? {} : { shared: SAME_EVERYWHERE }),
    splits: async () => (parts.size === 0 ? [{ id: source }] : [...parts.keys()].map((id) => ({ id }))),
    async findColumns({ signal } = {}) {
      const { findColumns, mayPass } = await load()
      return findColumns && (await retried(() => findColumns(opening, signal), { mayPass, retryMs, signal }))
    },
    async open({ id }, from, options = {}) {
      const range = parts.get(id)
      const part = range === undefined ? opening : { ...opening, source: id, range }
      const { signal, onNote } = options
      const { openQuery, mayPass } = await load()
      const open = (position: Position | undefined) => openQuery<Row>(part, position, options)
      return await retryingReader<Row>({ open, from, mayPass, retryMs, signal, onNote })
    },
  }
}

/** The rows to read as SQL: a table, or a query in parentheses, as far as the range goes. */
export function rowsOf({ table, schema, query = '', range }: QueryToRead, dialect: SqlDialect): string {
  if (table !== undefined) return inRange([schema ?? [], table].flat().map(quoteName).join('.'), range)
  // Text after the statement would end it here; given two statements, the database says that it accepts one.
  const { text, hasMore } = trimQuery(query, dialect)
  return inRange(`(\n${hasMore ? query : text}\n)`, range)
}

/** The error for rows without a value for the cursor, which no run would read. */
export function nullInCursor({ source, cursor }: Pick<QueryToRead, 'source' | 'cursor'>): SluiceError {
  const allowed = 'columns that are never null'
  const by = cursor.join(', ')
  const message = `Cannot read ${source} by ${by}: cursor takes ${allowed}, and there is a null`
  return new SluiceError('CONFIG_INVALID', message, { key: 'cursor', value: by, allowed })
}
