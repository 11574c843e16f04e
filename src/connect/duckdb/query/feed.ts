// The rows of a query, some at a time, up to the one marked as the last.

import type { DuckDBDataChunk, DuckDBResult, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import type { QueryFeed, Side } from '../../kits/rows/query-reader.ts'
import type { ValueChoices } from '../../kits/rows/times.ts'
import { define, inColumn, rawRow } from '../../kits/rows/values.ts'
import { nullInCursor } from '../../kits/sql/query-source.ts'
import type { Json } from '../../source.ts'
import type { Session } from '../connection.ts'
import { queryError } from './errors.ts'
import { type Decode, decoderOf } from './value.ts'

/** What is selected: the columns, then what the reader needs, then whether the row is the end marker. */
export interface QueryPlan {
  readonly sql: string
  readonly values: readonly DuckDBValue[]
  readonly columns: readonly { readonly name: string; readonly type: DuckDBType }[]
  readonly cursor: string | undefined
  /** The type of the cursor. */
  readonly type: string | undefined
}

export interface FeedOptions {
  readonly session: Session
  readonly result: DuckDBResult
  readonly plan: QueryPlan
  readonly source: string
  readonly path: string
  readonly choices: ValueChoices
  readonly signal: AbortSignal | undefined
}

/**
 * A row: its values, its cursor as text, its side (1, 0 or -1), whether it is tied, and whether it is the end marker.
 */
export type RawRow = readonly DuckDBValue[]

/** Rows made from a chunk at once: a chunk of large values need not be whole in memory twice. */
const AT_ONCE = 256

export class DuckdbFeed<Row> implements QueryFeed<RawRow, Row> {
  readonly #options: FeedOptions
  readonly #decoders: readonly Decode[]
  readonly #width: number
  readonly #onAbort = (): void => this.#options.session.interrupt()
  /** The call under way: DuckDB must not be asked for two chunks at once, nor closed meanwhile. */
  #reading: Promise<unknown> = Promise.resolve()
  #chunk: DuckDBDataChunk | undefined
  /** The next row of the chunk. */
  #at = 0
  /** Whether the last row has come. */
  #isOver = false
  #given = 0
  readonly doneBytes = 0

  constructor(options: FeedOptions) {
    this.#options = options
    const { session, plan, choices } = options
    this.#decoders = plan.columns.map(({ type }) => decoderOf(session.duckdb, type, choices))
    this.#width = plan.columns.length
    options.signal?.addEventListener('abort', this.#onAbort)
  }

  next(): Promise<readonly RawRow[] | undefined> {
    const reading = this.#next()
    this.#reading = reading.catch(() => {}) // Reported to the awaiting caller.
    return reading
  }

  async #next(): Promise<readonly RawRow[] | undefined> {
    const { signal } = this.#options
    try {
      if (this.#chunk === undefined || this.#at === this.#chunk.rowCount) await this.#fetch()
      signal?.throwIfAborted()
      const rows = this.#take()
      if (this.#isOver && this.#chunk !== undefined) await this.#end()
      return rows
    } catch (error) {
      throw queryError(error, this.#options, this.#given)
    }
  }

  valueOf(raw: RawRow): Row {
    const row: Record<string, unknown> = {}
    for (const [at, { name }] of this.#options.plan.columns.entries()) {
      define(row, name, this.#decoded(at, name, raw[at] as DuckDBValue))
    }
    return row as Row
  }

  rawOf(raw: RawRow): string {
    const row: Record<string, unknown> = {}
    for (const [at, { name }] of this.#options.plan.columns.entries()) define(row, name, shown(raw[at] as DuckDBValue))
    return rawRow(row)
  }

  cursorOf(raw: RawRow): Json {
    return raw[this.#width] as string
  }

  sideOf(raw: RawRow): Side {
    const side = raw[this.#width + 1]
    return side === 1 ? 'beyond' : side === 0 ? 'at' : 'before'
  }

  isTied(raw: RawRow, before: RawRow): boolean {
    return raw[this.#width] === before[this.#width]
  }

  /** The call under way is ended first: a result that was not read to its end keeps the file open. */
  async close(): Promise<void> {
    const { session, result, signal } = this.#options
    signal?.removeEventListener('abort', this.#onAbort)
    session.interrupt()
    try {
      await this.#reading
      session.interrupt()
      if (!this.#isOver) await result.fetchChunk()
    } catch {
      // It was meant to end, and has.
    }
    session.close()
  }

  async #fetch(): Promise<void> {
    if (this.#isOver) return
    const chunk = await this.#options.result.fetchChunk()
    this.#options.signal?.throwIfAborted()
    if (chunk === null || chunk.rowCount === 0) throw await this.#brokenOff()
    this.#chunk = chunk
    this.#at = 0
  }

  /** Nothing follows the last row, and the result releases the file. */
  async #end(): Promise<void> {
    this.#chunk = undefined
    const chunk = await this.#options.result.fetchChunk()
    if (chunk !== null && chunk.rowCount > 0) throw behindTheLast()
  }

  #take(): readonly RawRow[] | undefined {
    const chunk = this.#chunk
    if (chunk === undefined || this.#isOver) return undefined
    const { source, plan } = this.#options
    const { cursor } = plan
    const rows: RawRow[] = []
    const to = Math.min(chunk.rowCount, this.#at + AT_ONCE)
    for (; this.#at < to; this.#at += 1) {
      const values = chunk.getRowValues(this.#at)
      if (values.at(-1) === true) {
        if (this.#at + 1 < chunk.rowCount) throw behindTheLast()
        this.#isOver = true
        break
      }
      // Nulls come last: a row without a cursor is found, not skipped.
      if (cursor !== undefined && values[this.#width] === null) throw nullInCursor({ source, cursor: [cursor] })
      rows.push(values)
    }
    if (rows.length === 0) return undefined
    this.#given += rows.length
    return rows
  }

  #decoded(at: number, name: string, value: DuckDBValue): unknown {
    try {
      return this.#decoders[at]?.(value)
    } catch (error) {
      throw inColumn(name, error)
    }
  }

  /** A stream does not say why it broke off; the same query again, with its rows discarded, does. */
  async #brokenOff(): Promise<unknown> {
    const { session, plan } = this.#options
    this.#isOver = true
    try {
      await session.run(`explain analyze ${plan.sql}`, plan.values)
    } catch (error) {
      return error
    }
    return new Error(`DuckDB broke off after ${this.#given} rows, without a reason`)
  }
}

function behindTheLast(): Error {
  return new Error('DuckDB returned a row after the last one')
}

/** A value as DuckDB writes it; plain ones unchanged. */
function shown(value: DuckDBValue): unknown {
  return typeof value === 'object' && value !== null ? String(value) : value
}
