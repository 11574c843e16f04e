// Writes rows into their table by columns; what the table refuses comes back as dead letters.

import type { DuckDBType, DuckDBValue } from '@duckdb/node-api'
import { isPromise } from '../../../base/promise.ts'
import type { Bulk, Session } from '../../duckdb/session.ts'
import { type DeadLetter, deadLetter, type Traced } from '../../origin.ts'
import { foldName, quoteName } from '../../sql/name.ts'
import { ROW_IS_PROMISE } from '../sqlite/rows.ts'
import { type Constraints, ensureTable, type TableColumn } from './table.ts'
import { encoderOf, faultOfValue, REFUSED, typeOf } from './value.ts'

export const STEP = 'duckdb'

export interface RowsOptions {
  readonly table: string
  readonly columns: readonly TableColumn[]
  readonly key: readonly string[] | undefined
  readonly extend: boolean
  /** Whether the columns were found out from rows: a row may then have no others. */
  readonly isInferred: boolean
}

/** Rows that wait to be handed over to the table, at most. */
const FLUSH_ROWS = 65_536

/** The number of a row in its batch: beside the columns of the table where rows are looked at before they go in. */
const NUMBER = 'sluice_n'

/**
 * Writes rows inside the transaction that its caller has begun. DuckDB gives a whole transaction up for one bad row: what
 * the table's constraints would refuse is therefore looked for before.
 */
export class RowWriter {
  readonly #session: Session
  readonly #options: RowsOptions
  readonly #constraints: Constraints
  readonly #types: readonly DuckDBType[]
  readonly #encoders: readonly ((value: unknown) => DuckDBValue | typeof REFUSED)[]
  readonly #known: ReadonlySet<string>
  readonly #mustBe: readonly boolean[]
  readonly #keyColumns: readonly number[]
  /** Rows that were added and not handed over: each time that is done has its price. */
  #bulk: Bulk | undefined
  #waiting = 0

  private constructor(session: Session, options: RowsOptions, constraints: Constraints) {
    const { columns, key = [] } = options
    this.#session = session
    this.#options = options
    this.#constraints = constraints
    this.#types = columns.map(({ type }) => typeOf(session.duckdb, type))
    this.#encoders = columns.map(({ type }) => encoderOf(session.duckdb, type))
    this.#known = new Set(columns.map(({ name }) => name))
    const keys = key.map(foldName)
    this.#keyColumns = columns.flatMap(({ name }, at) => (keys.includes(foldName(name)) ? [at] : []))
    this.#mustBe = columns.map(({ name }) => constraints.notNull.has(foldName(name)) || keys.includes(foldName(name)))
  }

  static async open(session: Session, options: RowsOptions): Promise<RowWriter> {
    const { table, columns, key, extend } = options
    return new RowWriter(session, options, await ensureTable(session, table, columns, key, extend))
  }

  async write(events: readonly Traced<unknown>[]): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = []
    const taken: Traced<unknown>[] = []
    const columns: DuckDBValue[][] = this.#options.columns.map(() => [])
    for (const event of events) {
      const fault = this.#add(event.value, columns)
      if (fault === undefined) taken.push(event)
      else letters.push(deadLetter(event.origin, STEP, fault))
    }
    if (taken.length === 0) return letters
    if (this.#constraints.isPlain) {
      await this.#append(columns, taken.length)
      return letters
    }
    return [...letters, ...(await this.#writeStaged(taken, columns))]
  }

  /** Hands over what waits: before a commit. */
  flush(): void {
    const bulk = this.#bulk
    this.#bulk = undefined
    this.#waiting = 0
    try {
      bulk?.flush()
    } finally {
      bulk?.close()
    }
  }

  /** Lets go of what waits, in the transaction that is to be rolled back. */
  abandon(): void {
    this.#bulk?.close()
    this.#bulk = undefined
  }

  async #append(columns: readonly DuckDBValue[][], rows: number): Promise<void> {
    this.#bulk ??= await this.#session.bulk(this.#options.table, this.#types)
    this.#bulk.add(columns)
    this.#waiting += rows
    if (this.#waiting >= FLUSH_ROWS) this.flush()
  }

  /** Adds a row to the columns, or says why it cannot be one. */
  #add(row: unknown, columns: readonly DuckDBValue[][]): string | undefined {
    if (isPromise(row)) return ROW_IS_PROMISE
    if (typeof row !== 'object' || row === null || Array.isArray(row)) return 'a row is an object with columns'
    const { columns: shape, isInferred } = this.#options
    if (isInferred)
      for (const name of Object.keys(row)) if (!this.#known.has(name)) return `the table has no column named ${name}`
    const values: DuckDBValue[] = []
    for (let at = 0; at < shape.length; at += 1) {
      const { name, type } = shape[at] as TableColumn
      const value: unknown = Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined
      const stored = this.#encoders[at]?.(value) ?? null
      if (stored === REFUSED) return faultOfValue(name, type, value)
      if (stored === null && this.#mustBe[at] === true) return `column ${name} must not be null`
      values.push(stored as DuckDBValue)
    }
    for (let at = 0; at < values.length; at += 1) columns[at]?.push(values[at] as DuckDBValue)
    return undefined
  }

  async #writeStaged(events: readonly Traced<unknown>[], columns: readonly DuckDBValue[][]): Promise<DeadLetter[]> {
    const { columns: shape, table, key } = this.#options
    const names = shape.map(({ name }) => name)
    const { BIGINT } = this.#session.duckdb
    const numbers = events.map((_, at) => BigInt(at))
    const stage = await this.#session.stage([...names, NUMBER], [...this.#types, BIGINT], [...columns, numbers])
    if (key !== undefined && this.#mayRepeat(columns)) await this.#keepLast(stage, key)
    const letters = await this.#refuse(stage, events)
    const all = names.map(quoteName).join(', ')
    const others = names.filter((name) => key?.includes(name) !== true)
    const set = others.map((name) => `${quoteName(name)} = excluded.${quoteName(name)}`).join(', ')
    const conflict =
      key === undefined
        ? ''
        : `on conflict (${key.map(quoteName).join(', ')}) ${others.length === 0 ? 'do nothing' : `do update set ${set}`}`
    await this.#session.run(`insert into ${quoteName(table)} (${all}) select ${all} from ${stage} ${conflict}`)
    return letters
  }

  /** Whether two rows may have the same key: looked for here, as most batches have none. */
  #mayRepeat(columns: readonly DuckDBValue[][]): boolean {
    const keys = this.#keyColumns.map((at) => columns[at] as DuckDBValue[])
    const rows = keys[0]?.length ?? 0
    const seen = new Set<string>()
    for (let row = 0; row < rows; row += 1) {
      let text = ''
      for (const values of keys) text += `${keyText(values[row])}\0`
      seen.add(text)
    }
    return seen.size < rows
  }

  /** Of rows with equal keys the last one counts. */
  async #keepLast(stage: string, key: readonly string[]): Promise<void> {
    const keys = key.map(quoteName).join(', ')
    await this.#session.run(
      `delete from ${stage} where ${NUMBER} not in (select max(${NUMBER}) from ${stage} group by ${keys})`,
    )
  }

  /** Takes out of the stage what the table's constraints would refuse. */
  async #refuse(stage: string, events: readonly Traced<unknown>[]): Promise<DeadLetter[]> {
    const { checks, unique } = this.#constraints
    const found = new Map<number, string>()
    const look = async (text: string, condition: string): Promise<void> => {
      const rows = await this.#session.all(`select ${NUMBER} as n from ${stage} s where ${condition}`)
      for (const { n } of rows) if (!found.has(Number(n))) found.set(Number(n), `the table refuses it: ${text}`)
    }
    for (const { sql, text } of checks) await look(text, `not (${sql})`)
    const names = new Set(this.#options.columns.map(({ name }) => foldName(name)))
    for (const { columns, text } of unique) {
      // Columns that rows do not have are null, and nulls stand in nobody's way.
      if (!columns.every((name) => names.has(foldName(name)))) continue
      const same = columns.map((name) => `x.${quoteName(name)} = s.${quoteName(name)}`).join(' and ')
      await look(text, `exists (select 1 from ${stage} x where ${same} and x.${NUMBER} < s.${NUMBER})`)
      const isOther = this.#otherThanKey()
      await look(text, `exists (select 1 from ${quoteName(this.#options.table)} x where ${same}${isOther})`)
    }
    if (found.size > 0)
      await this.#session.run(`delete from ${stage} where ${NUMBER} in (${[...found.keys()].join(', ')})`)
    return [...found].map(([at, reason]) => deadLetter((events[at] as Traced<unknown>).origin, STEP, reason))
  }

  /** A row that is overwritten does not stand in its own way. */
  #otherThanKey(): string {
    const { key } = this.#options
    if (key === undefined) return ''
    return ` and not (${key.map((name) => `x.${quoteName(name)} = s.${quoteName(name)}`).join(' and ')})`
  }
}

/** The same for equal values of one column; it may be the same for others. */
function keyText(value: DuckDBValue | undefined): string {
  return typeof value === 'object' && value !== null && 'micros' in value ? String(value.micros) : String(value)
}
