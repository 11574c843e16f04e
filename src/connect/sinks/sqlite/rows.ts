// Writes rows into their table, many with one statement; what the table refuses comes back as dead letters.

import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { describeValue } from '../../../base/check.ts'
import { messageOf } from '../../../base/errors.ts'
import { isPromise } from '../../../base/promise.ts'
import { type DeadLetter, deadLetter, type Origin, type Traced } from '../../origin.ts'
import { foldName } from '../../sql/name.ts'
import { IDENTITY, type RowShape } from './shape.ts'
import { upsert } from './table.ts'
import { isRowFault, mismatch } from './trouble.ts'
import { faultOfValue, REFUSED, type SqliteValue, toSqlite, type ValueKind } from './value.ts'

/** The step of dead letters that this sink makes. */
export const STEP = 'sqlite'

/** Why a promise is refused as a row, for a person to read. */
export const ROW_IS_PROMISE = 'a row is an object: found a promise, which the step before did not wait for'

/** Rows that one statement writes: a fifth less time a row than one by one, for 16 columns; more than 16 gain nothing. */
const ROWS_AT_ONCE = 16
/** The most values that SQLite binds to a statement. */
const MAX_VALUES = 32_766

/**
 * Writes rows inside the transaction that its caller has begun. The caller's table is there and fits.
 *
 * A statement that fails leaves nothing of its rows behind; they are then written one by one, so that only the bad
 * ones are refused.
 */
export class RowWriter {
  readonly #database: DatabaseSync
  readonly #path: string
  readonly #shape: RowShape
  readonly #names: readonly string[]
  readonly #kinds: readonly ValueKind[]
  /** Whether every object inherits something of that name: such a column is looked for among a row's own only. */
  readonly #isInherited: readonly boolean[]
  readonly #isKey: readonly boolean[]
  readonly #known: ReadonlySet<string>
  readonly #rowsAtOnce: number
  /** Writes `#rowsAtOnce` rows. */
  readonly #many: StatementSync
  /** Writes one row. */
  readonly #one: StatementSync
  /** Values of the rows at hand, one row behind the other; bound as it is when it is full. */
  readonly #values: SqliteValue[]
  /** The rows at hand. */
  #held: Traced<unknown>[] = []
  /** The record that the last row was made from. */
  #lastOrigin: Origin | undefined
  /** How many rows were made from it before the last. */
  #part = 0

  constructor(database: DatabaseSync, path: string, shape: RowShape) {
    const { columns, key } = shape.table
    const own = shape.hasIdentity ? columns.slice(0, -IDENTITY.length) : columns
    const keys = new Set(key.map(foldName))
    this.#database = database
    this.#path = path
    this.#shape = shape
    this.#names = own.map((column) => column.name)
    this.#kinds = own.map((column) => column.kind)
    this.#isInherited = this.#names.map((name) => name in Object.prototype)
    this.#isKey = this.#names.map((name) => keys.has(foldName(name)))
    this.#known = new Set(this.#names)
    this.#rowsAtOnce = Math.max(1, Math.min(ROWS_AT_ONCE, Math.floor(MAX_VALUES / columns.length)))
    this.#many = database.prepare(upsert(shape.table, this.#rowsAtOnce))
    this.#one = database.prepare(upsert(shape.table, 1))
    this.#values = Array<SqliteValue>(this.#rowsAtOnce * columns.length).fill(null)
  }

  /** Takes rows; gives back a letter for each that was refused, all others are written. */
  write(events: readonly Traced<unknown>[]): DeadLetter[] {
    const letters: DeadLetter[] = []
    this.#held = []
    for (const event of events) {
      const fault = this.#take(event)
      if (fault !== undefined) {
        letters.push(deadLetter(event.origin, STEP, fault))
        continue
      }
      this.#held.push(event)
      if (this.#held.length === this.#rowsAtOnce) this.#writeMany(letters)
    }
    this.#writeEach(letters)
    return letters
  }

  /** Puts a row's values behind those at hand; gives the reason if there is one against it. */
  #take({ value, origin }: Traced<unknown>): string | undefined {
    this.#countPart(origin)
    if (isPromise(value)) return ROW_IS_PROMISE
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      return `a row is an object: found ${describeValue(value)}`
    }
    try {
      return this.#bind(value as Readonly<Record<string, unknown>>, origin)
    } catch (error) {
      // A getter of the row threw.
      return messageOf(error)
    }
  }

  #bind(row: Readonly<Record<string, unknown>>, origin: Origin): string | undefined {
    const width = this.#shape.table.columns.length
    const from = this.#held.length * width
    const prototype = Object.getPrototypeOf(row)
    const isPlain = prototype === Object.prototype || prototype === null
    let present = 0
    for (let i = 0; i < this.#names.length; i += 1) {
      const name = this.#names[i] as string
      const isOwn = (isPlain && this.#isInherited[i] === false) || Object.hasOwn(row, name)
      const value = isOwn ? row[name] : undefined
      if (value !== undefined) present += 1
      const kind = this.#kinds[i] as ValueKind
      const stored = toSqlite(kind, value)
      if (stored === REFUSED) return faultOfValue(name, kind, value)
      if (stored === null && this.#isKey[i] === true) return `column ${name} is of the key: found ${String(value)}`
      this.#values[from + i] = stored
    }
    if (present === 0) return `a row has some of the columns ${this.#names.slice(0, 5).join(', ')}: found none`
    if (this.#shape.hasIdentity) {
      this.#values[from + width - 3] = origin.source
      this.#values[from + width - 2] = origin.offset
      this.#values[from + width - 1] = this.#part
    }
    return this.#shape.isInferred ? this.#strayOf(row, present) : undefined
  }

  /** Nobody said that a column may be left out: a value without one is a reason to refuse the row. */
  #strayOf(row: Readonly<Record<string, unknown>>, present: number): string | undefined {
    const names = Object.keys(row)
    if (names.length <= present) return undefined
    const stray = names.find((name) => !this.#known.has(name) && row[name] !== undefined && row[name] !== null)
    return stray === undefined ? undefined : `the first rows had no column ${describeValue(stray)}`
  }

  #countPart(origin: Origin): void {
    const last = this.#lastOrigin
    const isSame =
      origin === last || (last !== undefined && origin.offset === last.offset && origin.source === last.source)
    this.#part = isSame ? this.#part + 1 : 0
    this.#lastOrigin = origin
  }

  #writeMany(letters: DeadLetter[]): void {
    try {
      this.#many.run(...this.#values)
      this.#held = []
    } catch (error) {
      if (!isRowFault(error)) throw error
      this.#checkTransaction(error)
      this.#writeEach(letters)
    }
  }

  #writeEach(letters: DeadLetter[]): void {
    const width = this.#shape.table.columns.length
    for (const [index, { origin }] of this.#held.entries()) {
      try {
        this.#one.run(...this.#values.slice(index * width, (index + 1) * width))
      } catch (error) {
        if (!isRowFault(error)) throw error
        this.#checkTransaction(error)
        letters.push(deadLetter(origin, STEP, `table ${this.#shape.table.name} refuses the row: ${messageOf(error)}`))
      }
    }
    this.#held = []
  }

  /** A trigger can roll back everything: rows that were taken before would be lost with nobody told. */
  #checkTransaction(error: unknown): void {
    if (this.#database.isTransaction) return
    const { name } = this.#shape.table
    const found = `a trigger rolled back the transaction: ${messageOf(error)}`
    throw mismatch(`Cannot write to table ${name} of ${JSON.stringify(this.#path)}: ${found}`, this.#path, name, found)
  }
}
