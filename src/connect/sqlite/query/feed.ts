// The rows of a statement, some at a time.

import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { QueryFeed, Side } from '../../kits/rows/query-reader.ts'
import { plainWhole } from '../../kits/rows/times.ts'
import { define, rawRow } from '../../kits/rows/values.ts'
import type { Json } from '../../source.ts'
import { toKept } from './cursor.ts'

/** The values of a row, then its cursor, then its side of the position. */
export type RawRow = readonly SQLOutputValue[]

export interface FeedOptions {
  readonly database: DatabaseSync
  readonly names: readonly string[]
  readonly rows: Iterator<RawRow>
  readonly cursor: string | undefined
  readonly trouble: (error: unknown) => unknown
}

/** Rows read at once. */
const AT_ONCE = 1000

export class SqliteFeed<Row> implements QueryFeed<RawRow, Row> {
  readonly #options: FeedOptions
  #isOver = false
  readonly doneBytes = 0

  constructor(options: FeedOptions) {
    this.#options = options
  }

  next(): readonly RawRow[] | undefined {
    const batch: RawRow[] = []
    try {
      while (!this.#isOver && batch.length < AT_ONCE) {
        const { done, value } = this.#options.rows.next()
        if (done === true) this.#isOver = true
        else batch.push(value)
      }
    } catch (error) {
      throw this.#options.trouble(error)
    }
    return batch.length === 0 ? undefined : batch
  }

  /** Integers come as bigints, so that none is rounded: those that fit become numbers. */
  valueOf(raw: RawRow): Row {
    const row: Record<string, unknown> = {}
    for (const [at, name] of this.#options.names.entries()) {
      const value = raw[at]
      define(row, name, typeof value === 'bigint' ? plainWhole(value) : value)
    }
    return row as Row
  }

  rawOf(raw: RawRow): string {
    return rawRow(this.valueOf(raw))
  }

  cursorOf(raw: RawRow): Json | undefined {
    return toKept(raw[this.#options.names.length] as SQLOutputValue)
  }

  sideOf(raw: RawRow): Side {
    const side = raw.at(-1)
    return side === 1n ? 'beyond' : side === 0n ? 'at' : 'before'
  }

  isTied(raw: RawRow, before: RawRow): boolean {
    const at = this.#options.names.length
    const [one, other] = [raw[at], before[at]]
    if (one instanceof Uint8Array && other instanceof Uint8Array) return Buffer.compare(one, other) === 0
    // 1 and 1.0 are equal in SQLite, and a bigint and a number here.
    // biome-ignore lint/suspicious/noDoubleEquals: a number of either kind
    return typeof one === 'string' || typeof other === 'string' ? one === other : one == other
  }

  close(): void {
    this.#isOver = true
    this.#options.database.close()
  }
}
