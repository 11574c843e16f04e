// The rows of a query as sent by the server, batch by batch, as of one moment.

import type { FieldDef } from 'pg'
import type Cursor from 'pg-cursor'
import { SluiceError } from '../../../base/errors.ts'
import type { Columns } from '../../column.ts'
import type { QueryFeed, Side } from '../../kits/rows/query-reader.ts'
import type { ValueChoices } from '../../kits/rows/times.ts'
import { define, inColumn } from '../../kits/rows/values.ts'
import type { Json } from '../../source.ts'
import type { PostgresClient } from '../client.ts'
import { type ParseValue, parserOf } from './parse.ts'

/** The approximate size of a batch; the number of rows follows from their size. */
const BATCH_BYTES = 4 * 1024 * 1024
/** The first rows, before their size is known; each batch has at most so many times the rows of the previous one. */
const FIRST_ROWS = 16
const GROWTH = 8

/** A statement, and what it selects after the columns of a row. */
export interface Statement {
  readonly sql: string
  readonly values: readonly string[]
  /** How many columns the cursor has, as text. */
  readonly keys: number
  /** Whether a column says on which side of the position a row is: 1, 0 or -1. */
  readonly hasSide: boolean
  /** Whether a column says if the cursor equals that of the previous row: if texts cannot tell. */
  readonly hasTies: boolean
}

export interface FeedOptions {
  readonly PgCursor: typeof Cursor
  readonly client: PostgresClient
  readonly source: string
  readonly statement: Statement
  readonly columns: Columns | undefined
  readonly choices: ValueChoices
  readonly fetch: number
  /** Makes an error from the server's answer. */
  readonly trouble: (thrown: unknown) => unknown
}

/** A row as received: all of its values as text, those for the reader last. */
export type RawRow = readonly (string | null)[]

interface Field {
  readonly name: string
  readonly parse: ParseValue
}

/** A connection of its own, in a read-only transaction. */
export class PostgresFeed<Row> implements QueryFeed<RawRow, Row> {
  readonly #options: FeedOptions
  readonly #cursor: Cursor<RawRow>
  #fields: readonly Field[] = []
  /** How many rows to ask for. */
  #fetch: number

  private constructor(options: FeedOptions, cursor: Cursor<RawRow>) {
    this.#options = options
    this.#cursor = cursor
    this.#fetch = Math.min(FIRST_ROWS, options.fetch)
  }

  /** Starts the query. */
  static open<Row>(options: FeedOptions): PostgresFeed<Row> {
    const { sql, values } = options.statement
    const types = { getTypeParser: () => (text: string) => text }
    const config = { rowMode: 'array' as const, types: types as never }
    const cursor = new options.PgCursor<RawRow>(sql, [...values], config)
    return new PostgresFeed<Row>(options, options.client.read(cursor))
  }

  get doneBytes(): number {
    return this.#options.client.bytesRead
  }

  async next(): Promise<readonly RawRow[] | undefined> {
    const { client, fetch, trouble } = this.#options
    const before = client.bytesRead
    try {
      const { rows, fields } = await client.watch(() => readRows(this.#cursor, this.#fetch))
      if (this.#fields.length === 0) this.#fields = this.#fieldsOf(fields)
      const perRow = (client.bytesRead - before) / Math.max(1, rows.length)
      const fits = Math.max(1, Math.floor(BATCH_BYTES / Math.max(1, perRow)))
      this.#fetch = Math.min(fetch, fits, this.#fetch * GROWTH)
      return rows.length === 0 ? undefined : rows
    } catch (error) {
      throw trouble(error)
    }
  }

  valueOf(row: RawRow): Row {
    const value: Record<string, unknown> = {}
    for (let i = 0; i < this.#fields.length; i += 1) {
      const field = this.#fields[i] as Field
      const text = row[i] as string | null
      const parsed = text === null ? null : parsedBy(field, text)
      define(value, field.name, parsed)
    }
    return value as Row
  }

  rawOf(row: RawRow): string {
    return JSON.stringify(Object.fromEntries(this.#fields.map(({ name }, i) => [name, row[i]])))
  }

  cursorOf(row: RawRow): Json {
    return row.slice(this.#fields.length, this.#fields.length + this.#options.statement.keys)
  }

  sideOf(row: RawRow): Side {
    const { keys, hasSide } = this.#options.statement
    const side = hasSide ? row[this.#fields.length + keys] : '1'
    return side === '1' ? 'beyond' : side === '0' ? 'at' : 'before'
  }

  isTied(row: RawRow, before: RawRow): boolean {
    const { keys, hasTies } = this.#options.statement
    if (hasTies) return row.at(-1) === 't'
    const first = this.#fields.length
    for (let i = first; i < first + keys; i += 1) if (row[i] !== before[i]) return false
    return true
  }

  close(): Promise<void> {
    return this.#options.client.close()
  }

  #fieldsOf(all: readonly FieldDef[]): Field[] {
    const { source, columns, choices, statement } = this.#options
    const more = statement.keys + Number(statement.hasSide) + Number(statement.hasTies)
    const fields = all.slice(0, all.length - more).map(({ name, dataTypeID, dataTypeModifier }) => {
      const wanted = columns !== undefined && Object.hasOwn(columns, name) ? columns[name] : undefined
      return { name, parse: parserOf({ oid: dataTypeID, modifier: dataTypeModifier }, wanted, choices) }
    })
    const double = fields.find(({ name }, i) => fields.findIndex((field) => field.name === name) !== i)
    if (double === undefined) return fields
    const allowed = 'columns of different names'
    const message = `Cannot read ${source}: it takes ${allowed}, and two are named ${JSON.stringify(double.name)}`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'query', value: double.name, allowed })
  }
}

function parsedBy({ name, parse }: Field, text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    throw inColumn(name, error)
  }
}

function readRows(cursor: Cursor<RawRow>, count: number): Promise<{ rows: RawRow[]; fields: readonly FieldDef[] }> {
  return new Promise((resolve, reject) => {
    cursor.read(count, (error, rows, result) => {
      if (error) reject(error)
      // At the end there is no result any more.
      else resolve({ rows, fields: (result as typeof result | undefined)?.fields ?? [] })
    })
  })
}
