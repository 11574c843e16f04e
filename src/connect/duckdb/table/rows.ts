// Writes rows into their table; rejected rows are returned as dead letters.

import { invariant } from '../../../base/invariant.ts'
import { type Batch, deadLetterAt } from '../../batch.ts'
import { hintOfValue } from '../../kits/sql/evolve.ts'
import { foldName, quoteName } from '../../kits/sql/name.ts'
import { faultOfRow, strayOf, type TableRow } from '../../kits/sql/row.ts'
import type { Shape } from '../../kits/sql/shape.ts'
import { adaptTable, ensureTable } from '../../kits/sql/table.ts'
import { onConflict } from '../../kits/sql/upsert.ts'
import type { RowTable } from '../../kits/store/database.ts'
import type { DeadLetter } from '../../origin.ts'
import type { Session, Statement } from '../connection.ts'
import { type Codec, faultOfValue } from './codec.ts'
import { ANY, fieldOf, fromTexts, RowsText, type Separators, unlikely, valuesOf } from './rows-text.ts'
import { doWork } from './session.ts'
import { mayRefuse, otherKeys, type Place, type Table, type TableColumn } from './table.ts'
import { duckdbTables } from './tables.ts'

export const STEP = 'duckdb'

/** The number of a row in its batch: added to the columns of the table if rows are staged. */
const NUMBER = 'sluice_n'

/** A batch, ready to send. */
interface Packed {
  readonly text: string
  readonly separators: Separators
  /** The keys of its rows; empty without a key. */
  readonly keys: ReadonlyMap<string, number>
  /** Its rows, by their indices in the batch. */
  readonly taken: readonly number[]
  readonly letters: readonly DeadLetter[]
  /** Whether a row has a value that the table has no column for. */
  readonly hasMisfits: boolean
}

/** A table, as needed to collect its rows. */
interface Ready {
  readonly table: Table
  /** Whether rows are staged and checked first. */
  readonly isStaged: boolean
  readonly known: ReadonlySet<string>
  readonly mustBe: readonly boolean[]
  readonly isKey: readonly boolean[]
  /** For texts with the default separators. */
  readonly insert: Statement
}

interface Fault {
  readonly fault: string
  readonly isMisfit?: boolean
}

/**
 * Writes rows inside a transaction that the caller has begun. DuckDB aborts a whole transaction for one bad row:
 * violations of the table's constraints are therefore detected beforehand.
 *
 * A batch is transferred as one text, which DuckDB splits in its own thread: a call per value, as its column chunks
 * need, would take this thread longer than the rest of a load.
 */
export class RowWriter implements RowTable {
  readonly #place: Place
  readonly #session: Session
  readonly #shape: Shape
  /** Undefined until the table exists. */
  #made: Ready | undefined
  /** Whether rows were written in the current transaction. */
  #isTouched = false
  /** Rows taken and not yet sent, with distinct keys. */
  #waiting: string[] = []
  readonly #waitingKeys = new Set<string>()
  /** The statement under way: the next batch is prepared meanwhile. */
  #running: Promise<void> = Promise.resolve()

  constructor(session: Session, place: Place, shape: Shape) {
    this.#session = session
    this.#place = place
    this.#shape = shape
  }

  async ensure(): Promise<void> {
    if (this.#made !== undefined) return
    await this.#use(await doWork(this.#session, ensureTable(duckdbTables(this.#place), this.#shape)))
  }

  async enter(): Promise<void> {
    this.#isTouched = false
    await this.ensure()
  }

  async write(rows: Batch): Promise<readonly DeadLetter[]> {
    let packed = this.#pack(rows)
    if (packed.hasMisfits) {
      await this.flush()
      await this.#adapt(rows.values())
      packed = this.#pack(rows)
    }
    const { text, separators, keys, taken, letters } = packed
    if (taken.length === 0) return letters
    this.#isTouched = true
    if (this.#ready.isStaged) {
      await this.#insertTexts([text], separators)
      return [...letters, ...(await this.#fromStage(rows, taken))]
    }
    const isUsual = separators === ANY
    if (!isUsual || this.#doWait(keys)) await this.#send()
    this.#waiting.push(text)
    for (const key of keys.keys()) this.#waitingKeys.add(key)
    if (!isUsual || this.#waiting.length === atOnce(this.#shape)) await this.#send(separators)
    return letters
  }

  /** Uses more of the table's columns, and changes the table if allowed, so that rows fit. */
  async #adapt(rows: readonly unknown[]): Promise<void> {
    const { table, insert } = this.#ready
    insert.close()
    const tables = duckdbTables(this.#place, this.#isTouched && table.shape.key !== undefined)
    await this.#use(await doWork(this.#session, adaptTable(tables, table, rows)))
  }

  async #use(table: Table): Promise<void> {
    this.#made = await makeReady(this.#session, table, this.#place.stage)
  }

  /** Nothing is under way: a failure is reported now, not by a later call. */
  async settled(): Promise<void> {
    await this.#running
  }

  /** Everything written is in the transaction: called before a commit. */
  async flush(): Promise<void> {
    await this.#send()
    await this.#running
  }

  async close(): Promise<void> {
    await this.#running.catch(() => {}) // It was reported, or is rolled back.
    this.#made?.insert.close()
  }

  get #ready(): Ready {
    invariant(this.#made !== undefined, 'rows were written to a table that was not prepared')
    return this.#made
  }

  /** Sends what is waiting, once the previous send is done. */
  async #send(separators: Separators = ANY): Promise<void> {
    await this.#running
    if (this.#waiting.length === 0) return
    this.#running = this.#insertTexts(this.#waiting, separators)
    this.#running.catch(() => {}) // Reported to the next caller that sends or commits.
    this.#waiting = []
    this.#waitingKeys.clear()
  }

  async #insertTexts(texts: readonly string[], separators: Separators): Promise<void> {
    const { table, insert: usual } = this.#ready
    const values = valuesOf(texts, textsOf(table))
    if (separators === ANY) return await usual.run(values)
    const insert = await this.#session.prepare(insertTexts(table, separators, this.#place.stage))
    try {
      await insert.run(values)
    } finally {
      insert.close()
    }
  }

  /** Whether a row with one of the keys is waiting. */
  #doWait(keys: ReadonlyMap<string, number>): boolean {
    if (this.#waitingKeys.size === 0) return false
    for (const key of keys.keys()) if (this.#waitingKeys.has(key)) return true
    return false
  }

  #pack(rows: Batch, separators: Separators = ANY): Packed {
    const { table, isStaged } = this.#ready
    const width = table.columns.length + (isStaged ? 1 : 0)
    const texts = new RowsText(width, separators)
    const taken: number[] = []
    const letters: DeadLetter[] = []
    const hasKey = this.#shape.key !== undefined
    let hasMisfits = false
    /** Key → its row: of rows with equal keys, the last one counts. */
    const keys = new Map<string, number>()
    for (let index = 0; index < rows.length; index += 1) {
      const key = this.#add(rows.at(index), texts)
      if (typeof key !== 'string') {
        texts.dropRow()
        if (key.isMisfit === true) hasMisfits = true
        letters.push(deadLetterAt(rows, index, STEP, key.fault))
        continue
      }
      const at = keys.get(key) ?? taken.length
      if (isStaged) texts.add(String(at))
      texts.endRow(at)
      taken[at] = index
      if (hasKey) keys.set(key, at)
    }
    // A value may contain a separator.
    if (!texts.isClear()) return this.#pack(rows, unlikely())
    return { text: texts.text(), separators, keys, taken, letters, hasMisfits }
  }

  /** Adds the values of a row, and returns its key; or says why it is invalid. */
  #add(given: unknown, texts: RowsText): string | Fault {
    const fault = faultOfRow(given)
    if (fault !== undefined) return { fault }
    const row = given as TableRow
    const { table, known, mustBe, isKey } = this.#ready
    const { columns, shape, mode } = table
    let key = ''
    let present = 0
    for (let at = 0; at < columns.length; at += 1) {
      const { name, codec } = columns[at] as TableColumn
      const value: unknown = Object.hasOwn(row, name) ? row[name] : undefined
      if (value !== undefined) present += 1
      const isNone = value === null || value === undefined
      const text = isNone ? null : codec.write(value)
      if (text === undefined) {
        const hint = shape.isInferred && mode === 'freeze' ? hintOfValue(codec.like, value) : ''
        return { fault: faultOfValue(name, codec, value) + hint, isMisfit: shape.isInferred }
      }
      if (text === null && mustBe[at] === true) return { fault: `column ${name} must not be null` }
      // Positive and negative zero are one key.
      if (isKey[at] === true) key += `${text === '-0' && codec.like === 'real' ? '0' : text}\0`
      texts.add(text)
    }
    const stray = shape.isInferred ? strayOf(row, present, known, foldName) : undefined
    if (stray !== undefined) return stray
    if (present === 0)
      return { fault: `a row has some of the columns ${[...known].slice(0, 5).join(', ')}: found none` }
    return key
  }

  /** Inserts the staged rows that the table accepts; the stage is empty afterwards. */
  async #fromStage(rows: Batch, taken: readonly number[]): Promise<readonly DeadLetter[]> {
    const letters = await this.#refuse(rows, taken)
    const { table } = this.#ready
    const all = table.columns.map(({ name, type, codec }) => `${quoteName(name)}${codec.isCast ? `::${type}` : ''}`)
    const { stage } = this.#place
    await this.#session.run(insertInto(table, `select ${all.join(', ')} from ${stage}`))
    await this.#session.run(`truncate ${stage}`)
    return letters
  }

  /** Removes rows from the stage that would violate the table's constraints. */
  async #refuse(rows: Batch, taken: readonly number[]): Promise<DeadLetter[]> {
    const { table } = this.#ready
    const { checks } = table.found.constraints
    const { stage } = this.#place
    const found = new Map<number, string>()
    const look = async (text: string, condition: string): Promise<void> => {
      const refused = await this.#session.all(`select ${NUMBER} as n from ${stage} s where ${condition}`)
      for (const { n } of refused) if (!found.has(Number(n))) found.set(Number(n), `the table rejects it: ${text}`)
    }
    for (const { name, type, codec } of table.columns) {
      if (!codec.isCast) continue
      const column = quoteName(name)
      const words = `column ${name} takes ${codec.words}`
      await look(words, `${column} is not null and try_cast(${column} as ${type})::varchar is distinct from ${column}`)
    }
    for (const { sql, text } of checks) await look(text, `not (${sql})`)
    const names = new Set(table.columns.map(({ name }) => foldName(name)))
    for (const { columns, text } of otherKeys(table)) {
      // Columns that rows do not have are null, and nulls do not conflict.
      if (!columns.every((name) => names.has(foldName(name)))) continue
      const same = columns.map((name) => `x.${quoteName(name)} = s.${quoteName(name)}`).join(' and ')
      await look(text, `exists (select 1 from ${stage} x where ${same} and x.${NUMBER} < s.${NUMBER})`)
      const isOther = this.#otherThanKey()
      await look(text, `exists (select 1 from ${quoteName(table.shape.table)} x where ${same}${isOther})`)
    }
    if (found.size > 0)
      await this.#session.run(`delete from ${stage} where ${NUMBER} in (${[...found.keys()].join(', ')})`)
    return [...found].map(([at, reason]) => deadLetterAt(rows, taken[at] as number, STEP, reason))
  }

  /** A row being overwritten does not conflict with itself. */
  #otherThanKey(): string {
    const { key } = this.#shape
    if (key === undefined) return ''
    return ` and not (${key.map((name) => `x.${quoteName(name)} = s.${quoteName(name)}`).join(' and ')})`
  }
}

async function makeReady(session: Session, table: Table, stage: string): Promise<Ready> {
  const { columns, found, shape } = table
  const isStaged = mayRefuse(table)
  if (isStaged) {
    const fields = columns.map(({ name, type, codec }) => `${quoteName(name)} ${codec.isCast ? 'VARCHAR' : type}`)
    await session.run(`create or replace temp table ${stage} (${[...fields, `${NUMBER} bigint`].join(', ')})`)
  }
  const keys = shape.key?.map(foldName) ?? []
  const isKey = columns.map(({ name }) => keys.includes(foldName(name)))
  return {
    table,
    isStaged,
    known: new Set(columns.map(({ name }) => name)),
    isKey,
    mustBe: columns.map(({ name }, at) => found.constraints.notNull.has(foldName(name)) || isKey[at] === true),
    insert: await session.prepare(insertTexts(table, ANY, stage)),
  }
}

/** The statement that inserts the rows of texts into the table, or into the stage where they are checked first. */
function insertTexts(table: Table, separators: Separators, stage: string): string {
  const { columns } = table
  const read = (codec: Codec, at: number): string => {
    const text = fieldOf(at, separators)
    return codec.isCast ? text : codec.read(text)
  }
  const values = columns.map(({ codec }, at) => read(codec, at))
  const from = fromTexts(textsOf(table), separators)
  if (!mayRefuse(table)) return insertInto(table, `select ${values.join(', ')} from ${from}`)
  const numbered = [...values, `${fieldOf(values.length, separators)}::bigint`]
  return `insert into ${stage} select ${numbered.join(', ')} from ${from}`
}

/** How many texts a statement takes. */
function textsOf(table: Table): number {
  return mayRefuse(table) ? 1 : atOnce(table.shape)
}

/** Batches sent at once: with a key, a statement costs about as much for a few rows as for many. */
function atOnce({ key }: Shape): number {
  return key === undefined ? 1 : 8
}

/** Inserts the result of `select` into the table, overwriting rows of the same key. */
function insertInto({ shape: { table, key }, columns }: Table, select: string): string {
  const names = columns.map(({ name }) => name)
  const insert = `insert into ${quoteName(table)} (${names.map(quoteName).join(', ')}) ${select}`
  return key === undefined ? insert : `${insert} ${onConflict(names, key, foldName)}`
}
