// What the tests of the sink for PostgreSQL share: writers on a real server, rows, checkpoints, and digests of tables.

import { match, ok } from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type ErrorCode, isSluiceError } from '../../src/base/errors.ts'
import { type Batch, batchOf } from '../../src/connect/batch.ts'
import { type PostgresSinkOptions, postgresSink } from '../../src/connect/postgres/sink.ts'
import type { Checkpoint, Sink, SinkOptions, SinkWriter } from '../../src/connect/sink.ts'
import { NO_TOTALS } from '../../src/connect/totals.ts'
import type { PostgresServer } from './postgres.ts'

export interface Row {
  readonly id: number
  readonly text?: string | null
}

export const COLUMNS = { id: 'integer', text: 'text' } as const

/** What goes into `open` besides the sink's own options. */
export type Opening = Partial<PostgresSinkOptions> & Partial<SinkOptions>

/** Opens a writer for table `t`, by key `id` unless told otherwise. */
export function openAt<R = Row>(url: string, opening: Opening = {}): Promise<SinkWriter<R>> {
  const { pipeline = 'test', leaseMs, owner, signal, ...options } = opening
  const sink: Sink<R> = postgresSink(url, { table: 't', key: ['id'], columns: COLUMNS, ...options })
  return sink.open({
    pipeline,
    ...(leaseMs === undefined ? {} : { leaseMs }),
    ...(owner === undefined ? {} : { owner }),
    ...(signal === undefined ? {} : { signal }),
  })
}

/** Values as events of lines of one file. */
export function events<R>(values: readonly R[], from = 0): Batch<R> {
  return batchOf(values, {
    at: (i) => ({ source: 'a.log', line: from + i + 1, offset: (from + i) * 10, raw: `line ${from + i + 1}` }),
  })
}

export function rows(...ids: number[]): Batch<Row> {
  const origin = (id: number) => ({ source: 'a.log', line: id, offset: id * 10, raw: String(id) })
  return batchOf(
    ids.map((id) => ({ id })),
    { at: (at) => origin(ids[at] as number) },
  )
}

/** Rows `from` to `to`, without the last, with a text that is told by the number. */
export function range(from: number, to: number): Batch<Row> {
  return events(
    Array.from({ length: to - from }, (_, i) => ({ id: from + i, text: `text of ${from + i}` })),
    from,
  )
}

export function checkpoint(
  epoch: number,
  positions: Readonly<Record<string, number>> = { 'a.log': epoch },
): Checkpoint {
  return {
    epoch,
    positions: new Map(Object.entries(positions)),
    states: new Map(),
    totals: { ...NO_TOTALS, read: epoch, loaded: epoch },
  }
}

export const failsWith =
  (code: ErrorCode, message: RegExp) =>
  (error: unknown): boolean => {
    ok(isSluiceError(error, code), String(error))
    match(error.message, message)
    return true
  }

/** The number of rows of a table, and one digest over all of them, whatever their order. */
export async function digestOf(server: PostgresServer, database: string, table = 't'): Promise<string> {
  const found = await server.query(database, `select t::text as row from ${table} t order by 1`)
  const hash = createHash('sha256')
  for (const { row } of found) hash.update(`${row}\n`)
  return `${found.length} rows ${hash.digest('hex').slice(0, 16)}`
}
