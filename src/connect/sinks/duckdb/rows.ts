// Writes rows into their table; what the table refuses comes back as dead letters.

import { isPromise } from '../../../base/promise.ts'
import { ANY, fromTexts, RowsText, type Separators, unlikely, valuesOf } from '../../duckdb/rows-text.ts'
import type { Session, Statement } from '../../duckdb/session.ts'
import { type DeadLetter, deadLetter, type Traced } from '../../origin.ts'
import { foldName, quoteName } from '../../sql/name.ts'
import { ROW_IS_PROMISE } from '../sqlite/rows.ts'
import { type Constraints, ensureTable, type TableColumn } from './table.ts'
import { faultOfValue, fromText, REFUSED, toText, typeOf } from './value.ts'

export const STEP = 'duckdb'

export interface RowsOptions {
  readonly table: string
  readonly columns: readonly TableColumn[]
  readonly key: readonly string[] | undefined
  readonly extend: boolean
  /** Whether the columns were found out from rows: a row may then have no others. */
  readonly isInferred: boolean
}

/** The number of a row in its batch: beside the columns of the table where rows are looked at before they go in. */
const NUMBER = 'sluice_n'
const STAGE = 'sluice_stage'

/** A batch, ready to be sent. */
interface Batch {
  readonly text: string
  readonly separators: Separators
  /** The keys of its rows; empty without a key. */
  readonly keys: ReadonlyMap<string, number>
  readonly taken: readonly Traced<unknown>[]
  readonly letters: readonly DeadLetter[]
}

/**
 * Writes rows inside the transaction that its caller has begun. DuckDB gives a whole transaction up for one bad row: what
 * the table's constraints would refuse is therefore looked for before.
 *
 * A batch goes over as one text, which DuckDB takes apart in its own thread: a call for each value, as its chunks of
 * columns need, takes this thread longer than all else that a load does.
 */
export class RowWriter {
  readonly #session: Session
  readonly #options: RowsOptions
  readonly #constraints: Constraints
  readonly #known: ReadonlySet<string>
  readonly #mustBe: readonly boolean[]
  readonly #isKey: readonly boolean[]
  /** For texts with the usual separators. */
  readonly #insert: Statement
  /** Rows that were taken and not sent, no two with the same key. */
  #waiting: string[] = []
  readonly #waitingKeys = new Set<string>()
  /** The statement under way: the next batch is made meanwhile. */
  #running: Promise<void> = Promise.resolve()

  private constructor(session: Session, options: RowsOptions, constraints: Constraints, insert: Statement) {
    const { columns, key = [] } = options
    this.#session = session
    this.#options = options
    this.#constraints = constraints
    this.#insert = insert
    this.#known = new Set(columns.map(({ name }) => name))
    const keys = key.map(foldName)
    this.#isKey = columns.map(({ name }) => keys.includes(foldName(name)))
    this.#mustBe = columns.map(({ name }, at) => constraints.notNull.has(foldName(name)) || this.#isKey[at] === true)
  }

  static async open(session: Session, options: RowsOptions): Promise<RowWriter> {
    const { table, columns, key, extend } = options
    const constraints = await ensureTable(session, table, columns, key, extend)
    if (constraints.mayRefuse) {
      const fields = columns.map(({ name, type }) => `${quoteName(name)} ${typeOf(type)}`)
      await session.run(`create or replace temp table ${STAGE} (${[...fields, `${NUMBER} bigint`].join(', ')})`)
    }
    const insert = await session.prepare(insertTexts(options, constraints, ANY))
    return new RowWriter(session, options, constraints, insert)
  }

  async write(events: readonly Traced<unknown>[]): Promise<readonly DeadLetter[]> {
    const { text, separators, keys, taken, letters } = this.#batch(events)
    if (taken.length === 0) return letters
    if (this.#constraints.mayRefuse) {
      await this.#insertTexts([text], separators)
      return [...letters, ...(await this.#fromStage(taken))]
    }
    const isUsual = separators === ANY
    if (!isUsual || this.#doWait(keys)) await this.#send()
    this.#waiting.push(text)
    for (const key of keys.keys()) this.#waitingKeys.add(key)
    if (!isUsual || this.#waiting.length === atOnce(this.#options)) await this.#send(separators)
    return letters
  }

  /** Nothing is under way: what failed is told now, and not by what comes next. */
  async settled(): Promise<void> {
    await this.#running
  }

  /** All that was written is in the transaction: before a commit. */
  async flush(): Promise<void> {
    await this.#send()
    await this.#running
  }

  /** Waits for what is under way, in the transaction that is to be rolled back. */
  async abandon(): Promise<void> {
    await this.#running.catch(() => {}) // It was told of, or is rolled back.
    this.#insert.close()
  }

  /** Sends what waits, once what was sent before is done. */
  async #send(separators: Separators = ANY): Promise<void> {
    await this.#running
    if (this.#waiting.length === 0) return
    this.#running = this.#insertTexts(this.#waiting, separators)
    this.#running.catch(() => {}) // Told to who sends or commits next.
    this.#waiting = []
    this.#waitingKeys.clear()
  }

  async #insertTexts(texts: readonly string[], separators: Separators): Promise<void> {
    const values = valuesOf(texts, textsOf(this.#options, this.#constraints))
    if (separators === ANY) return await this.#insert.run(values)
    const insert = await this.#session.prepare(insertTexts(this.#options, this.#constraints, separators))
    try {
      await insert.run(values)
    } finally {
      insert.close()
    }
  }

  /** Whether a row with one of the keys waits. */
  #doWait(keys: ReadonlyMap<string, number>): boolean {
    if (this.#waitingKeys.size === 0) return false
    for (const key of keys.keys()) if (this.#waitingKeys.has(key)) return true
    return false
  }

  #batch(events: readonly Traced<unknown>[], separators: Separators = ANY): Batch {
    const width = this.#options.columns.length + (this.#constraints.mayRefuse ? 1 : 0)
    const rows = new RowsText(width, separators)
    const taken: Traced<unknown>[] = []
    const letters: DeadLetter[] = []
    const hasKey = this.#options.key !== undefined
    /** Key → its row: of rows with equal keys the last one counts. */
    const keys = new Map<string, number>()
    for (const event of events) {
      const key = this.#add(event.value, rows)
      if (typeof key !== 'string') {
        rows.dropRow()
        letters.push(deadLetter(event.origin, STEP, key.fault))
        continue
      }
      const at = keys.get(key) ?? taken.length
      if (this.#constraints.mayRefuse) rows.add(String(at))
      rows.endRow(at)
      taken[at] = event
      if (hasKey) keys.set(key, at)
    }
    // A value may have what stands between values in it.
    if (!rows.isClear()) return this.#batch(events, unlikely())
    return { text: rows.text(), separators, keys, taken, letters }
  }

  /** Adds the values of a row, and gives its key; or says why it cannot be one. */
  #add(row: unknown, rows: RowsText): string | { readonly fault: string } {
    if (isPromise(row)) return { fault: ROW_IS_PROMISE }
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      return { fault: 'a row is an object with columns' }
    }
    const { columns, isInferred } = this.#options
    if (isInferred) {
      for (const name of Object.keys(row)) {
        if (!this.#known.has(name)) return { fault: `the table has no column named ${name}` }
      }
    }
    let key = ''
    for (let at = 0; at < columns.length; at += 1) {
      const { name, type } = columns[at] as TableColumn
      const value: unknown = Object.hasOwn(row, name) ? (row as Record<string, unknown>)[name] : undefined
      const stored = toText(type, value)
      if (stored === REFUSED) return { fault: faultOfValue(name, type, value) }
      if (stored === null && this.#mustBe[at] === true) return { fault: `column ${name} must not be null` }
      // Both zeros are one key.
      if (this.#isKey[at] === true) key += `${stored === '-0' && type === 'real' ? '0' : stored}\0`
      rows.add(stored)
    }
    return key
  }

  /** Puts into the table what is on the stage and the table does not refuse; the stage is empty then. */
  async #fromStage(taken: readonly Traced<unknown>[]): Promise<readonly DeadLetter[]> {
    const letters = await this.#refuse(taken)
    const all = this.#options.columns.map(({ name }) => quoteName(name)).join(', ')
    await this.#session.run(insertInto(this.#options, `select ${all} from ${STAGE}`))
    await this.#session.run(`truncate ${STAGE}`)
    return letters
  }

  /** Takes out of the stage what the table's constraints would refuse. */
  async #refuse(events: readonly Traced<unknown>[]): Promise<DeadLetter[]> {
    const { checks, unique } = this.#constraints
    const found = new Map<number, string>()
    const look = async (text: string, condition: string): Promise<void> => {
      const rows = await this.#session.all(`select ${NUMBER} as n from ${STAGE} s where ${condition}`)
      for (const { n } of rows) if (!found.has(Number(n))) found.set(Number(n), `the table refuses it: ${text}`)
    }
    for (const { sql, text } of checks) await look(text, `not (${sql})`)
    const names = new Set(this.#options.columns.map(({ name }) => foldName(name)))
    for (const { columns, text } of unique) {
      // Columns that rows do not have are null, and nulls stand in nobody's way.
      if (!columns.every((name) => names.has(foldName(name)))) continue
      const same = columns.map((name) => `x.${quoteName(name)} = s.${quoteName(name)}`).join(' and ')
      await look(text, `exists (select 1 from ${STAGE} x where ${same} and x.${NUMBER} < s.${NUMBER})`)
      const isOther = this.#otherThanKey()
      await look(text, `exists (select 1 from ${quoteName(this.#options.table)} x where ${same}${isOther})`)
    }
    if (found.size > 0)
      await this.#session.run(`delete from ${STAGE} where ${NUMBER} in (${[...found.keys()].join(', ')})`)
    return [...found].map(([at, reason]) => deadLetter((events[at] as Traced<unknown>).origin, STEP, reason))
  }

  /** A row that is overwritten does not stand in its own way. */
  #otherThanKey(): string {
    const { key } = this.#options
    if (key === undefined) return ''
    return ` and not (${key.map((name) => `x.${quoteName(name)} = s.${quoteName(name)}`).join(' and ')})`
  }
}

/** The statement that puts the rows of texts into the table, or on the stage where they are looked at first. */
function insertTexts(options: RowsOptions, constraints: Constraints, separators: Separators): string {
  const { columns } = options
  const values = columns.map(({ type }, at) => fromText(type, at, separators))
  const from = fromTexts(textsOf(options, constraints), separators)
  if (!constraints.mayRefuse) return insertInto(options, `select ${values.join(', ')} from ${from}`)
  const numbered = [...values, fromText('integer', values.length, separators)]
  return `insert into ${STAGE} select ${numbered.join(', ')} from ${from}`
}

/** How many texts a statement takes. */
function textsOf(options: RowsOptions, { mayRefuse }: Constraints): number {
  return mayRefuse ? 1 : atOnce(options)
}

/** Batches that go over at once: with a key a statement costs about as much for a few rows as for many. */
function atOnce({ key }: RowsOptions): number {
  return key === undefined ? 1 : 8
}

/** Puts what `select` gives into the table, over what has the same key. */
function insertInto({ table, columns, key }: RowsOptions, select: string): string {
  const names = columns.map(({ name }) => name)
  const insert = `insert into ${quoteName(table)} (${names.map(quoteName).join(', ')}) ${select}`
  if (key === undefined) return insert
  const keys = key.map(foldName)
  const set = names
    .filter((name) => !keys.includes(foldName(name)))
    .map((name) => `${quoteName(name)} = excluded.${quoteName(name)}`)
  const change = set.length === 0 ? 'do nothing' : `do update set ${set.join(', ')}`
  return `${insert} on conflict (${key.map(quoteName).join(', ')}) ${change}`
}
