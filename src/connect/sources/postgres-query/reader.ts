// Reads the rows of a query, batch by batch, as of one moment.

import type { FieldDef } from 'pg'
import type Cursor from 'pg-cursor'
import { describeValue } from '../../../base/check.ts'
import { SluiceError } from '../../../base/errors.ts'
import type { Columns } from '../../column.ts'
import { type Entry, type Origin, traced } from '../../origin.ts'
import type { PostgresClient } from '../../postgres/client.ts'
import type { Position, SourceCounts, SplitReader } from '../../source.ts'
import { type ParseValue, parserOf } from './parse.ts'
import { type QueryPosition, toPosition } from './position.ts'

/** What a batch of rows comes to, about; the number of rows follows their size. */
const BATCH_BYTES = 4 * 1024 * 1024
/** The first rows, before their size is known; a later batch has no more than so many times the rows of the last. */
const FIRST_ROWS = 16
const GROWTH = 8

export interface ReaderOptions {
  readonly PgCursor: typeof Cursor
  readonly client: PostgresClient
  readonly source: string
  readonly sql: string
  readonly values: readonly string[]
  readonly columns: Columns | undefined
  readonly from: QueryPosition
  readonly fetch: number
  /** Makes an error of what the server says. */
  readonly trouble: (thrown: unknown, rows: number) => unknown
}

/** A row as it came: all of its values as text, those of the cursor columns last. */
type RawRow = readonly (string | null)[]

interface Field {
  readonly name: string
  readonly parse: ParseValue
}

/** Where a row came from; its raw form is made only for who looks at it. */
class RowOrigin implements Origin {
  readonly source: string
  readonly line = 0
  readonly offset: number
  readonly #fields: readonly Field[]
  readonly #row: RawRow

  constructor(source: string, offset: number, fields: readonly Field[], row: RawRow) {
    this.source = source
    this.offset = offset
    this.#fields = fields
    this.#row = row
  }

  get raw(): string {
    return JSON.stringify(Object.fromEntries(this.#fields.map(({ name }, i) => [name, this.#row[i]])))
  }
}

/** Rows in the order of the query; a connection of its own, in a transaction that only reads. */
export class QueryReader<Row> implements SplitReader<Row> {
  readonly #options: ReaderOptions
  readonly #cursor: Cursor<RawRow>
  readonly counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  /** Set when there is nothing behind where an earlier run ended. */
  note?: string
  #fields: readonly Field[] = []
  /** Rows that came and were not given yet, from `#next` on; undefined at the end. */
  #rows: readonly RawRow[] | undefined = []
  #next = 0
  /** How many rows to ask for. */
  #fetch = FIRST_ROWS
  #position: QueryPosition

  private constructor(options: ReaderOptions, cursor: Cursor<RawRow>) {
    this.#options = options
    this.#cursor = cursor
    this.#position = options.from
    this.#fetch = Math.min(FIRST_ROWS, options.fetch)
  }

  /** Starts the query, and waits for its first rows. */
  static async open<Row>(options: ReaderOptions): Promise<QueryReader<Row>> {
    const types = { getTypeParser: () => (text: string) => text }
    const config = { rowMode: 'array' as const, types: types as never }
    const cursor = new options.PgCursor<RawRow>(options.sql, [...options.values], config)
    const reader = new QueryReader<Row>(options, options.client.read(cursor))
    await reader.#fill()
    if (reader.#rows === undefined && options.from.rows > 0) reader.note = 'there are no new rows'
    return reader
  }

  get doneBytes(): number {
    return this.#options.client.bytesRead
  }

  async read(max: number): Promise<readonly Entry<Row>[] | undefined> {
    const rows = await this.#take(max)
    const { source } = this.#options
    const first = this.#position.rows - (rows?.length ?? 0)
    return rows?.map((row, i) => traced(this.#valueOf(row), new RowOrigin(source, first + i, this.#fields, row)))
  }

  async values(max: number): Promise<readonly Row[] | undefined> {
    return (await this.#take(max))?.map((row) => this.#valueOf(row))
  }

  position(): Position {
    return toPosition(this.#position)
  }

  close(): Promise<void> {
    return this.#options.client.close()
  }

  async #take(max: number): Promise<readonly RawRow[] | undefined> {
    if (this.#rows !== undefined && this.#next === this.#rows.length) await this.#fill()
    const rows = this.#rows?.slice(this.#next, this.#next + max)
    if (rows === undefined) return undefined
    this.#next += rows.length
    this.counts.read += rows.length
    const { cursor } = this.#position
    const after = rows.at(-1)?.slice(this.#fields.length) as string[]
    this.#position = { rows: this.#position.rows + rows.length, cursor, after }
    return rows
  }

  async #fill(): Promise<void> {
    const { client, fetch, trouble } = this.#options
    const before = client.bytesRead
    const last = this.#rows?.at(-1)
    try {
      const { rows, fields } = await client.watch(() => readRows(this.#cursor, this.#fetch))
      if (this.#fields.length === 0) this.#fields = this.#fieldsOf(fields)
      this.#rows = rows.length === 0 ? undefined : rows
      this.#next = 0
      this.#checkOrder(last, rows)
      const perRow = (client.bytesRead - before) / Math.max(1, rows.length)
      const fits = Math.max(1, Math.floor(BATCH_BYTES / Math.max(1, perRow)))
      this.#fetch = Math.min(fetch, fits, this.#fetch * GROWTH)
    } catch (error) {
      throw trouble(error, this.#position.rows)
    }
  }

  /** After a tie, a later run would begin behind rows that nobody has read. */
  #checkOrder(last: RawRow | undefined, rows: readonly RawRow[]): void {
    const { cursor } = this.#position
    if (cursor.length === 0) return
    let previous = last?.slice(this.#fields.length)
    for (const row of rows) {
      const current = row.slice(this.#fields.length)
      if (previous !== undefined && current.every((text, i) => text === previous?.[i])) throw this.#tie(current)
      previous = current
    }
  }

  #tie(values: RawRow): SluiceError<'CONFIG_INVALID'> {
    const { cursor } = this.#position
    const allowed = 'columns that together are different in every row'
    const found = `two rows have ${values.map(describeValue).join(', ')}`
    const message = `Cannot read ${this.#options.source} by ${cursor.join(', ')}: cursor takes ${allowed}, and ${found}`
    return new SluiceError('CONFIG_INVALID', message, { key: 'cursor', value: cursor, allowed })
  }

  #fieldsOf(all: readonly FieldDef[]): Field[] {
    const { source, columns, from } = this.#options
    const fields = all.slice(0, all.length - from.cursor.length).map(({ name, dataTypeID }) => {
      const wanted = columns !== undefined && Object.hasOwn(columns, name) ? columns[name] : undefined
      return { name, parse: parserOf(dataTypeID, wanted) }
    })
    const double = fields.find(({ name }, i) => fields.findIndex((field) => field.name === name) !== i)
    if (double === undefined) return fields
    const allowed = 'columns of different names'
    const message = `Cannot read ${source}: it takes ${allowed}, and two are named ${JSON.stringify(double.name)}`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'query', value: double.name, allowed })
  }

  #valueOf(row: RawRow): Row {
    const value: Record<string, unknown> = {}
    for (let i = 0; i < this.#fields.length; i += 1) {
      const { name, parse } = this.#fields[i] as Field
      const text = row[i] as string | null
      const parsed = text === null ? null : parse(text)
      // As a key of an object that every other one inherits from, it would be lost.
      if (name === '__proto__') Object.defineProperty(value, name, { value: parsed, enumerable: true, writable: true })
      else value[name] = parsed
    }
    return value as Row
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
