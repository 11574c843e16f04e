// The rows of a query as they come, some at a time, up to the one that says that it is the last.

import type { DuckDBDataChunk, DuckDBResult, DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { SluiceError } from '../../../base/errors.ts'
import type { Session } from '../../duckdb/session.ts'
import type { Origin } from '../../origin.ts'
import type { RowFeed } from '../../rows/buffered-reader.ts'
import type { Position } from '../../source.ts'
import { queryTrouble } from './trouble.ts'
import { type Decode, decoderOf, define } from './value.ts'

/** What is read: the columns, then the cursor as text, then whether the row is the one behind the last. */
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
  readonly signal: AbortSignal | undefined
  /** How many rows earlier runs had read. */
  readonly from: number
}

/** Rows made of a chunk at once: a chunk of large values need not be whole in memory twice. */
const AT_ONCE = 256

export class QueryFeed<Row> implements RowFeed<Row> {
  readonly #options: FeedOptions
  readonly #decoders: readonly Decode[]
  readonly #onAbort = (): void => this.#options.session.interrupt()
  /** What is under way: DuckDB must not be asked for two chunks at once, nor closed meanwhile. */
  #reading: Promise<unknown> = Promise.resolve()
  #chunk: DuckDBDataChunk | undefined
  /** The next row of the chunk. */
  #at = 0
  /** Whether the last row has come. */
  #isOver = false
  /** Cursors of the rows that were given last, and the number of the first of them. */
  #cursors: readonly (string | undefined)[] = []
  #cursorsFrom: number
  /** Of the last row that was taken. */
  #after: string | undefined
  /** Of the last row that was given, to find two of the same. */
  #previous: string | undefined
  #given: number

  constructor(options: FeedOptions) {
    this.#options = options
    const { session, plan, from } = options
    this.#decoders = plan.columns.map(({ type }) => decoderOf(session.duckdb, type))
    this.#after = plan.values[0] as string | undefined
    this.#given = from
    this.#cursorsFrom = from
    options.signal?.addEventListener('abort', this.#onAbort)
  }

  next(): Promise<readonly Row[] | undefined> {
    const reading = this.#next()
    this.#reading = reading.catch(() => {}) // Told to who waits for it.
    return reading
  }

  async #next(): Promise<readonly Row[] | undefined> {
    const { signal } = this.#options
    try {
      if (this.#chunk === undefined || this.#at === this.#chunk.rowCount) await this.#fetch()
      signal?.throwIfAborted()
      const rows = this.#take()
      if (this.#isOver && this.#chunk !== undefined) await this.#end()
      return rows
    } catch (error) {
      throw queryTrouble(error, this.#options, this.#given)
    }
  }

  originOf(row: Row, number: number): Origin {
    this.#after = this.#cursors[number - this.#cursorsFrom]
    return { source: this.#options.source, line: 0, offset: number, raw: rawOf(row) }
  }

  positionAfter(_row: Row | undefined, rows: number): Position {
    const { cursor, type = '' } = this.#options.plan
    if (cursor === undefined) return { rows }
    return { rows, cursor, ...(this.#after === undefined ? {} : { after: this.#after, type }) }
  }

  /** What is under way is ended first: a result that was not read to its end keeps the file open. */
  async close(): Promise<void> {
    const { session, result, signal } = this.#options
    signal?.removeEventListener('abort', this.#onAbort)
    session.interrupt()
    try {
      await this.#reading
      session.interrupt()
      if (!this.#isOver) await result.fetchChunk()
    } catch {
      // It was to end, and has.
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

  /** Nothing comes behind the last row, and the result lets go of the file. */
  async #end(): Promise<void> {
    this.#chunk = undefined
    const chunk = await this.#options.result.fetchChunk()
    if (chunk !== null && chunk.rowCount > 0) throw behindTheLast()
  }

  #take(): readonly Row[] | undefined {
    const chunk = this.#chunk
    if (chunk === undefined || this.#isOver) return undefined
    const rows: Row[] = []
    const cursors: string[] = []
    const to = Math.min(chunk.rowCount, this.#at + AT_ONCE)
    for (; this.#at < to; this.#at += 1) {
      const values = chunk.getRowValues(this.#at)
      if (values.at(-1) === true) {
        if (this.#at + 1 < chunk.rowCount) throw behindTheLast()
        this.#isOver = true
        break
      }
      rows.push(this.#rowOf(values))
      if (this.#options.plan.cursor !== undefined) cursors.push(this.#checked(values.at(-2)))
    }
    if (rows.length === 0) return undefined
    this.#cursors = cursors
    this.#cursorsFrom = this.#given
    this.#given += rows.length
    return rows
  }

  #rowOf(values: readonly DuckDBValue[]): Row {
    const row: Record<string, unknown> = {}
    for (const [at, { name }] of this.#options.plan.columns.entries()) {
      define(row, name, this.#decoders[at]?.(values[at] as DuckDBValue))
    }
    return row as Row
  }

  /** After a null or a tie, a later run would begin behind rows that nobody has read. */
  #checked(cursor: DuckDBValue | undefined): string {
    if (typeof cursor !== 'string') throw this.#unfit('a column that is null in no row', 'there is a null')
    if (cursor === this.#previous) {
      throw this.#unfit('a column that is different in every row', `two rows have ${JSON.stringify(cursor)}`)
    }
    this.#previous = cursor
    return cursor
  }

  #unfit(allowed: string, found: string): SluiceError<'CONFIG_INVALID'> {
    const { source, plan } = this.#options
    const message = `Cannot read ${source} by ${plan.cursor}: cursor takes ${allowed}, and ${found}`
    return new SluiceError('CONFIG_INVALID', message, { key: 'cursor', value: plan.cursor, allowed })
  }

  /** A stream does not say why it broke off: the same again, with its rows thrown away, does. */
  async #brokenOff(): Promise<unknown> {
    const { session, plan } = this.#options
    this.#isOver = true
    try {
      await session.run(`explain analyze ${plan.sql}`, plan.values)
    } catch (error) {
      return error
    }
    return new Error(`DuckDB broke off after ${this.#given} rows, and does not say why`)
  }
}

function behindTheLast(): Error {
  return new Error('DuckDB gave a row behind the last one')
}

function rawOf(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) => {
    if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
    return typeof value === 'bigint' ? `${value}` : value
  })
}
