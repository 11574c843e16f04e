// Writes rows to their table, many with one statement; rejected rows are returned as dead letters.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { messageOf } from '../../../base/errors.ts'
import { invariant } from '../../../base/invariant.ts'
import { type Batch, deadLetterAt } from '../../batch.ts'
import { foldName } from '../../kits/sql/name.ts'
import { faultOfRow, strayOf, type TableRow } from '../../kits/sql/row.ts'
import type { Shape } from '../../kits/sql/shape.ts'
import { adaptTable, ensureTable, keyOf, unfitTable } from '../../kits/sql/table.ts'
import { upsert } from '../../kits/sql/upsert.ts'
import type { RowTable } from '../../kits/store/database.ts'
import type { DeadLetter, Origin } from '../../origin.ts'
import { isRowFault } from '../errors.ts'
import { RULES } from './rules.ts'
import { doWork } from './session.ts'
import { type Place, sqliteTables, type Table, type TableColumn } from './table.ts'
import { faultOfValue, REFUSED, type SqliteValue, toSqlite } from './value.ts'

/** The step of this sink's dead letters. */
export const STEP = 'sqlite'

/**
 * Rows written by one statement: a fifth less time per row than one by one, for 16 columns; more than 16 rows gain
 * nothing.
 */
const ROWS_AT_ONCE = 16
/** The most values that SQLite binds to a statement. */
const MAX_VALUES = 32_766

/** A table, as needed to bind its rows. */
interface Ready {
  readonly table: Table
  /** The columns that rows have. */
  readonly own: readonly TableColumn[]
  /** Whether every object inherits a property of that name: such a column is read from a row's own properties only. */
  readonly isInherited: readonly boolean[]
  readonly isKey: readonly boolean[]
  readonly known: ReadonlySet<string>
  readonly rowsAtOnce: number
  /** Writes `rowsAtOnce` rows. */
  readonly many: StatementSync
  /** Writes one row. */
  readonly one: StatementSync
  /** Values of the current rows, one after the other; bound as it is when it is full. */
  readonly values: SqliteValue[]
}

/**
 * Writes rows inside a transaction that the caller has begun.
 *
 * A failed statement leaves nothing of its rows behind; they are then written one by one, so that only the bad ones are
 * rejected. Rows that the table has no column for change the table if allowed.
 */
export class RowWriter implements RowTable {
  readonly #database: DatabaseSync
  readonly #place: Place
  readonly #shape: Shape
  /** Undefined until the table exists. */
  #made: Ready | undefined
  /** The current rows, by their indices in the batch. */
  #held: number[] = []
  /** Whether the last error is that the table has no column for a value. */
  #isMisfit = false

  constructor(database: DatabaseSync, place: Place, shape: Shape) {
    this.#database = database
    this.#place = place
    this.#shape = shape
  }

  ensure(): void {
    this.#made ??= readyOf(this.#database, doWork(this.#database, ensureTable(sqliteTables(this.#place), this.#shape)))
  }

  enter(): void {
    this.ensure()
  }

  /** Takes rows; returns a dead letter for each rejected one, all others are written. */
  write(rows: Batch): DeadLetter[] {
    const letters: DeadLetter[] = []
    let isAdapted = false
    this.#held = []
    for (let at = 0; at < rows.length; at += 1) {
      const row = rows.at(at)
      let fault = this.#take(row, rows, at)
      if (fault !== undefined && this.#isMisfit && !isAdapted) {
        // Once for all that are left: what does not fit then never will.
        isAdapted = true
        this.#writeEach(rows, letters)
        this.#adapt(rows.slice(at).values())
        fault = this.#take(row, rows, at)
      }
      if (fault !== undefined) {
        letters.push(deadLetterAt(rows, at, STEP, fault))
        continue
      }
      this.#held.push(at)
      if (this.#held.length === this.#ready.rowsAtOnce) this.#writeMany(rows, letters)
    }
    this.#writeEach(rows, letters)
    return letters
  }

  /** Uses more of the table's columns, and adds some if allowed, so that rows fit. */
  #adapt(rows: readonly unknown[]): void {
    const table = doWork(this.#database, adaptTable(sqliteTables(this.#place), this.#ready.table, rows))
    this.#made = readyOf(this.#database, table)
  }

  get #ready(): Ready {
    invariant(this.#made !== undefined, 'rows were written to a table that was not prepared')
    return this.#made
  }

  /** Appends a row's values to the current ones; returns the reason if it is invalid. */
  #take(row: unknown, rows: Batch, at: number): string | undefined {
    this.#isMisfit = false
    const fault = faultOfRow(row)
    if (fault !== undefined) return fault
    try {
      return this.#bind(row as TableRow, rows, at)
    } catch (error) {
      // A getter of the row threw.
      return messageOf(error)
    }
  }

  #bind(row: TableRow, rows: Batch, at: number): string | undefined {
    const { table, own, isInherited, isKey, values } = this.#ready
    const { key, isInferred } = table.shape
    const width = table.columns.length
    const from = this.#held.length * width
    const prototype = Object.getPrototypeOf(row)
    const isPlain = prototype === Object.prototype || prototype === null
    let present = 0
    for (let i = 0; i < own.length; i += 1) {
      const { name, kind } = own[i] as TableColumn
      const isOwn = (isPlain && isInherited[i] === false) || Object.hasOwn(row, name)
      const value = isOwn ? row[name] : undefined
      if (value !== undefined) present += 1
      const stored = toSqlite(kind, value)
      if (stored === REFUSED) return this.#faultOf(own[i] as TableColumn, value)
      if (stored === null && isKey[i] === true) return `column ${name} is part of the key: found ${String(value)}`
      values[from + i] = stored
    }
    const stray = isInferred ? strayOf(row, present, this.#ready.known, foldName) : undefined
    if (stray !== undefined) {
      this.#isMisfit = stray.isMisfit
      return stray.fault
    }
    if (present === 0)
      return `a row has some of the columns ${[...this.#ready.known].slice(0, 5).join(', ')}: found none`
    if (key === undefined) {
      const origin = rows.origin(at) as Origin
      values[from + width - 3] = origin.source
      values[from + width - 2] = origin.offset
      values[from + width - 1] = origin.part ?? 0
    }
    return undefined
  }

  #faultOf({ name, kind, evolving }: TableColumn, value: unknown): string {
    const fault = faultOfValue(name, kind, value)
    return kind === evolving || toSqlite(evolving, value) === REFUSED ? fault : `${fault}; schema: 'evolve' accepts it`
  }

  #writeMany(rows: Batch, letters: DeadLetter[]): void {
    try {
      this.#ready.many.run(...this.#ready.values)
      this.#held = []
    } catch (error) {
      if (!isRowFault(error)) throw error
      this.#checkTransaction(error)
      this.#writeEach(rows, letters)
    }
  }

  #writeEach(rows: Batch, letters: DeadLetter[]): void {
    const { table, one, values } = this.#ready
    const width = table.columns.length
    for (const [index, at] of this.#held.entries()) {
      try {
        one.run(...values.slice(index * width, (index + 1) * width))
      } catch (error) {
        if (!isRowFault(error)) throw error
        this.#checkTransaction(error)
        letters.push(deadLetterAt(rows, at, STEP, `table ${table.shape.table} rejects the row: ${messageOf(error)}`))
      }
    }
    this.#held = []
  }

  /** A trigger can roll back everything: earlier rows would be lost unnoticed. */
  #checkTransaction(error: unknown): void {
    if (this.#database.isTransaction) return
    const { path } = this.#place
    const { table } = this.#ready.table.shape
    const found = `a trigger rolled back the transaction: ${messageOf(error)}`
    throw unfitTable(`of ${JSON.stringify(path)}`, path, table, found)
  }
}

function readyOf(database: DatabaseSync, table: Table): Ready {
  const { columns, shape } = table
  const own = shape.key === undefined ? columns.slice(0, -RULES.identity.length) : columns
  const keys = new Set(shape.key?.map(foldName))
  const rowsAtOnce = Math.max(1, Math.min(ROWS_AT_ONCE, Math.floor(MAX_VALUES / columns.length)))
  return {
    table,
    own,
    isInherited: own.map(({ name }) => name in Object.prototype),
    isKey: own.map(({ name }) => keys.has(foldName(name))),
    known: new Set(own.map(({ name }) => name)),
    rowsAtOnce,
    many: database.prepare(insertSql(table, rowsAtOnce)),
    one: database.prepare(insertSql(table, 1)),
    values: Array<SqliteValue>(rowsAtOnce * columns.length).fill(null),
  }
}

/** A statement that writes `count` rows and overwrites those of the same key. */
function insertSql({ sql: table, columns, shape }: Table, count: number): string {
  const names = columns.map(({ name }) => name)
  const rows = Array<string>(count).fill(`(${names.map(() => '?').join(', ')})`)
  const sql = upsert({ table, columns: names, key: keyOf(shape, RULES) ?? [], rows }, foldName)
  // "or abort": a clause of the table itself (`unique on conflict ignore`) must not silently drop rows.
  return sql.replace('insert', 'insert or abort')
}
