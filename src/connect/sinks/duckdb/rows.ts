// Writes rows into their table; what the table refuses comes back as dead letters.

import { describeValue } from '../../../base/check.ts'
import { type Batch, letterAt } from '../../batch.ts'
import { ANY, fieldOf, fromTexts, RowsText, type Separators, unlikely, valuesOf } from '../../duckdb/rows-text.ts'
import type { Session, Statement } from '../../duckdb/session.ts'
import type { DeadLetter } from '../../origin.ts'
import { faultOfStray, hintOfValue } from '../../sql/evolve.ts'
import { foldName, quoteName } from '../../sql/name.ts'
import { faultOfRow, type TableRow } from '../../sql/row.ts'
import { type Codec, faultOfValue } from './codec.ts'
import { makeChanges } from './evolving.ts'
import { changesOf, ensureTable, type Place, type Shape, type Table, type TableColumn } from './table.ts'

export const STEP = 'duckdb'

/** The number of a row in its batch: beside the columns of the table where rows are looked at before they go in. */
const NUMBER = 'sluice_n'
const STAGE = 'sluice_stage'

/** A batch, ready to be sent. */
interface Packed {
  readonly text: string
  readonly separators: Separators
  /** The keys of its rows; empty without a key. */
  readonly keys: ReadonlyMap<string, number>
  /** Its rows, by their indices in the batch. */
  readonly taken: readonly number[]
  readonly letters: readonly DeadLetter[]
  /** Whether the table has no place for something of its rows. */
  readonly hasMisfits: boolean
}

/** A table as its rows are collected. */
interface Ready {
  readonly table: Table
  readonly known: ReadonlySet<string>
  readonly mustBe: readonly boolean[]
  readonly isKey: readonly boolean[]
  /** For texts with the usual separators. */
  readonly insert: Statement
}

interface Fault {
  readonly fault: string
  readonly isMisfit?: boolean
}

/**
 * Writes rows inside the transaction that its caller has begun. DuckDB gives a whole transaction up for one bad row: what
 * the table's constraints would refuse is therefore looked for before.
 *
 * A batch goes over as one text, which DuckDB takes apart in its own thread: a call for each value, as its chunks of
 * columns need, takes this thread longer than all else that a load does.
 */
export class RowWriter {
  readonly #place: Place
  readonly #session: Session
  /** Grows with the columns that rows have. */
  #shape: Shape
  #ready: Ready
  /** Whether rows were written in the transaction at hand. */
  #isTouched = false
  /** Rows that were taken and not sent, no two with the same key. */
  #waiting: string[] = []
  readonly #waitingKeys = new Set<string>()
  /** The statement under way: the next batch is made meanwhile. */
  #running: Promise<void> = Promise.resolve()

  private constructor(place: Place, shape: Shape, ready: Ready) {
    this.#place = place
    this.#session = place.session
    this.#shape = shape
    this.#ready = ready
  }

  /** Makes the table where it is missing, or checks the one that is there. */
  static async open(place: Place, shape: Shape): Promise<RowWriter> {
    return new RowWriter(place, shape, await makeReady(place.session, await ensureTable(place, shape)))
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
    if (this.#ready.table.mayRefuse) {
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

  /** A transaction begins. */
  begin(): void {
    this.#isTouched = false
  }

  /** Uses more of the table's columns, and changes the table where that is allowed, so that rows fit into it. */
  async #adapt(rows: readonly unknown[]): Promise<void> {
    let { table } = this.#ready
    this.#ready.insert.close()
    for (;;) {
      this.#shape = { ...this.#shape, columns: [...this.#shape.columns, ...unusedOf(rows, table)] }
      table = await ensureTable(this.#place, this.#shape)
      if (table.mode === 'freeze') break
      const isOverwritten = this.#isTouched && table.shape.key !== undefined
      const changes = await makeChanges(this.#session, table, changesOf(rows, table), isOverwritten)
      for (const change of changes) this.#place.onNote?.(`${change} in table ${this.#shape.table}`)
      if (changes.length === 0) break
      table = await ensureTable(this.#place, this.#shape)
    }
    this.#ready = await makeReady(this.#session, table)
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
    this.#ready.insert.close()
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
    const { table, insert: usual } = this.#ready
    const values = valuesOf(texts, textsOf(table))
    if (separators === ANY) return await usual.run(values)
    const insert = await this.#session.prepare(insertTexts(table, separators))
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

  #pack(rows: Batch, separators: Separators = ANY): Packed {
    const { columns, mayRefuse } = this.#ready.table
    const width = columns.length + (mayRefuse ? 1 : 0)
    const texts = new RowsText(width, separators)
    const taken: number[] = []
    const letters: DeadLetter[] = []
    const hasKey = this.#shape.key !== undefined
    let hasMisfits = false
    /** Key → its row: of rows with equal keys the last one counts. */
    const keys = new Map<string, number>()
    for (let index = 0; index < rows.length; index += 1) {
      const key = this.#add(rows.at(index), texts)
      if (typeof key !== 'string') {
        texts.dropRow()
        if (key.isMisfit === true) hasMisfits = true
        letters.push(letterAt(rows, index, STEP, key.fault))
        continue
      }
      const at = keys.get(key) ?? taken.length
      if (mayRefuse) texts.add(String(at))
      texts.endRow(at)
      taken[at] = index
      if (hasKey) keys.set(key, at)
    }
    // A value may have what stands between values in it.
    if (!texts.isClear()) return this.#pack(rows, unlikely())
    return { text: texts.text(), separators, keys, taken, letters, hasMisfits }
  }

  /** Adds the values of a row, and gives its key; or says why it cannot be one. */
  #add(given: unknown, texts: RowsText): string | Fault {
    const fault = faultOfRow(given)
    if (fault !== undefined) return { fault }
    const row = given as TableRow
    const { table, known, mustBe, isKey } = this.#ready
    const { columns, shape, mode } = table
    const stray = shape.isInferred ? strayOf(row, known) : undefined
    if (stray !== undefined) return stray
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
      // Both zeros are one key.
      if (isKey[at] === true) key += `${text === '-0' && codec.like === 'real' ? '0' : text}\0`
      texts.add(text)
    }
    if (present === 0)
      return { fault: `a row has some of the columns ${[...known].slice(0, 5).join(', ')}: found none` }
    return key
  }

  /** Puts into the table what is on the stage and the table does not refuse; the stage is empty then. */
  async #fromStage(rows: Batch, taken: readonly number[]): Promise<readonly DeadLetter[]> {
    const letters = await this.#refuse(rows, taken)
    const { table } = this.#ready
    const all = table.columns.map(({ name, type, codec }) => `${quoteName(name)}${codec.isCast ? `::${type}` : ''}`)
    await this.#session.run(insertInto(table, `select ${all.join(', ')} from ${STAGE}`))
    await this.#session.run(`truncate ${STAGE}`)
    return letters
  }

  /** Takes out of the stage what the table's constraints would refuse. */
  async #refuse(rows: Batch, taken: readonly number[]): Promise<DeadLetter[]> {
    const { table } = this.#ready
    const { checks, unique } = table.constraints
    const found = new Map<number, string>()
    const look = async (text: string, condition: string): Promise<void> => {
      const refused = await this.#session.all(`select ${NUMBER} as n from ${STAGE} s where ${condition}`)
      for (const { n } of refused) if (!found.has(Number(n))) found.set(Number(n), `the table refuses it: ${text}`)
    }
    for (const { name, type, codec } of table.columns) {
      if (!codec.isCast) continue
      const column = quoteName(name)
      const words = `column ${name} takes ${codec.words}`
      await look(words, `${column} is not null and try_cast(${column} as ${type})::varchar is distinct from ${column}`)
    }
    for (const { sql, text } of checks) await look(text, `not (${sql})`)
    const names = new Set(table.columns.map(({ name }) => foldName(name)))
    for (const { columns, text } of unique) {
      // Columns that rows do not have are null, and nulls stand in nobody's way.
      if (!columns.every((name) => names.has(foldName(name)))) continue
      const same = columns.map((name) => `x.${quoteName(name)} = s.${quoteName(name)}`).join(' and ')
      await look(text, `exists (select 1 from ${STAGE} x where ${same} and x.${NUMBER} < s.${NUMBER})`)
      const isOther = this.#otherThanKey()
      await look(text, `exists (select 1 from ${quoteName(table.shape.table)} x where ${same}${isOther})`)
    }
    if (found.size > 0)
      await this.#session.run(`delete from ${STAGE} where ${NUMBER} in (${[...found.keys()].join(', ')})`)
    return [...found].map(([at, reason]) => letterAt(rows, taken[at] as number, STEP, reason))
  }

  /** A row that is overwritten does not stand in its own way. */
  #otherThanKey(): string {
    const { key } = this.#shape
    if (key === undefined) return ''
    return ` and not (${key.map((name) => `x.${quoteName(name)} = s.${quoteName(name)}`).join(' and ')})`
  }
}

/** Columns that the table has, rows have values for, and were not used before. */
function unusedOf(rows: readonly unknown[], { columns, found, shape }: Table): Shape['columns'] {
  const names = new Set(found.columns.map(({ name }) => foldName(name)))
  const used = new Set([...columns, ...shape.columns].map(({ name }) => foldName(name)))
  const unused: string[] = []
  for (const name of rows.flatMap((row) => Object.keys(Object(row)))) {
    const folded = foldName(name)
    if (used.has(folded) || !names.has(folded)) continue
    used.add(folded)
    unused.push(name)
  }
  return unused.map((name) => ({ name, type: undefined }))
}

/** Nobody said that a column may be left out: a value without one is a reason to refuse the row. */
function strayOf(row: TableRow, known: ReadonlySet<string>): Fault | undefined {
  for (const name of Object.keys(row)) {
    const value = row[name]
    if (known.has(name) || value === null || value === undefined) continue
    const other = [...known].find((one) => foldName(one) === foldName(name))
    if (other === undefined) return { fault: faultOfStray(name), isMisfit: true }
    return { fault: `column ${describeValue(name)} is ${describeValue(other)} in the rows before` }
  }
  return undefined
}

async function makeReady(session: Session, table: Table): Promise<Ready> {
  const { columns, constraints, shape, mayRefuse } = table
  if (mayRefuse) {
    const fields = columns.map(({ name, type, codec }) => `${quoteName(name)} ${codec.isCast ? 'VARCHAR' : type}`)
    await session.run(`create or replace temp table ${STAGE} (${[...fields, `${NUMBER} bigint`].join(', ')})`)
  }
  const keys = shape.key?.map(foldName) ?? []
  const isKey = columns.map(({ name }) => keys.includes(foldName(name)))
  return {
    table,
    known: new Set(columns.map(({ name }) => name)),
    isKey,
    mustBe: columns.map(({ name }, at) => constraints.notNull.has(foldName(name)) || isKey[at] === true),
    insert: await session.prepare(insertTexts(table, ANY)),
  }
}

/** The statement that puts the rows of texts into the table, or on the stage where they are looked at first. */
function insertTexts(table: Table, separators: Separators): string {
  const { columns, mayRefuse } = table
  const read = (codec: Codec, at: number): string => {
    const text = fieldOf(at, separators)
    return codec.isCast ? text : codec.read(text)
  }
  const values = columns.map(({ codec }, at) => read(codec, at))
  const from = fromTexts(textsOf(table), separators)
  if (!mayRefuse) return insertInto(table, `select ${values.join(', ')} from ${from}`)
  const numbered = [...values, `${fieldOf(values.length, separators)}::bigint`]
  return `insert into ${STAGE} select ${numbered.join(', ')} from ${from}`
}

/** How many texts a statement takes. */
function textsOf({ shape, mayRefuse }: Table): number {
  return mayRefuse ? 1 : atOnce(shape)
}

/** Batches that go over at once: with a key a statement costs about as much for a few rows as for many. */
function atOnce({ key }: Shape): number {
  return key === undefined ? 1 : 8
}

/** Puts what `select` gives into the table, over what has the same key. */
function insertInto({ shape: { table, key }, columns }: Table, select: string): string {
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
