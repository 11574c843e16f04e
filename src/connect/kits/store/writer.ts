// The writer of a SQL sink: rows, dead letters and checkpoint in one transaction per epoch.

import { orClose } from '../../../base/closing.ts'
import { SluiceError } from '../../../base/errors.ts'
import type { Batch } from '../../batch.ts'
import type { Columns } from '../../column.ts'
import { LEASE_MS, newOwner } from '../../lease.ts'
import type { DeadLetter } from '../../origin.ts'
import type { BatchSize, Checkpoint, ListedSplit, SinkWriter, StoredDeadLetter } from '../../sink.ts'
import type { Json } from '../../source.ts'
import { checkNoSchema } from '../sql/evolve.ts'
import { refuseAll } from '../sql/row.ts'
import { type Shape, shapeOf, shapeOfRows } from '../sql/shape.ts'
import type { TableOptions } from '../sql/table.ts'
import type { RowTable, SqlDatabase } from './database.ts'
import { type Soon, then } from './soon.ts'
import { SqlStore, type StoreOptions } from './store.ts'
import type { NoteOver } from './stored-checkpoint.ts'
import { tablesOf } from './tables.ts'
import { Transaction } from './transaction.ts'
import { run, type Work } from './work.ts'

export interface SqlWriterOptions extends StoreOptions, TableOptions {
  readonly table: string
  readonly key?: readonly string[] | undefined
  readonly columns?: Columns | undefined
  readonly types?: Columns | undefined
  readonly leaseMs?: number | undefined
  readonly owner?: string | undefined
  /** The run whose lease it borrows. */
  readonly lentBy?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Whether this is a dry run: everything is in one transaction, which is never committed, and there is no lease. */
  readonly isDryRun?: boolean
}

export class SqlWriter<Row> implements SinkWriter<Row> {
  readonly batch?: BatchSize
  readonly #database: SqlDatabase
  readonly #options: SqlWriterOptions
  readonly #store: SqlStore
  readonly #transaction: Transaction
  #restored: Checkpoint | undefined
  /** Undefined until the columns are known. */
  #rows: RowTable | undefined
  /** Undefined before the first. */
  #letters: RowTable | undefined
  /** The transaction that rows of a table were last written in. */
  readonly #enteredIn = new Map<RowTable, number>()
  /** Whether the lease is ours, or was. */
  #hasLease = false
  #isClosed = false
  /** The writer whose transaction it shares. */
  readonly #main: SqlWriter<never> | undefined
  /** Those that share its transaction. */
  readonly #others: SqlWriter<never>[] = []

  private constructor(database: SqlDatabase, options: SqlWriterOptions, main?: SqlWriter<never>) {
    this.#database = database
    this.#options = options
    this.#main = main
    if (database.batch !== undefined) this.batch = database.batch
    this.#store = new SqlStore(database.dialect, options)
    const checkFence = (): Soon<void> => (this.#hasLease ? this.checkFence() : undefined)
    this.#transaction = main === undefined ? new Transaction(database, checkFence) : main.#transaction
  }

  /** Takes the lease, restores the state of the last commit, and creates the known tables. */
  static async open<Row>(database: SqlDatabase, options: SqlWriterOptions): Promise<SqlWriter<Row>> {
    const writer = new SqlWriter<Row>(database, options)
    await orClose(writer, () => writer.#open())
    return writer
  }

  /**
   * Opens another table, whose rows, dead letters and checkpoint are written in the same transaction: its commits wait
   * for ours.
   */
  async beside<Other>(options: SqlWriterOptions): Promise<SqlWriter<Other>> {
    const { isDryRun = false } = this.#options
    const writer = new SqlWriter<Other>(this.#database, { ...options, isDryRun }, this as SqlWriter<never>)
    this.#others.push(writer as SqlWriter<never>)
    await writer.#open()
    return writer
  }

  /** The last commit before this run. */
  get checkpoint(): Checkpoint | undefined {
    return this.#restored
  }

  write(rows: Batch<Row>): Soon<readonly DeadLetter[]> {
    return this.#transaction.within('write to', () => {
      const table = this.#rows ?? this.#rowsOf(rows.values())
      if (table === undefined) return refuseAll(rows, this.#database.step)
      return this.#put(table, rows)
    })
  }

  writeDeadLetters(letters: readonly DeadLetter[]): Soon<void> {
    return this.#transaction.within('write dead letters to', () => {
      const { letters: kept, checkpoints } = this.#store
      this.#letters ??= this.#use(this.#database.rows(kept.shape, { mode: 'freeze', takesNul: true }))
      const written = this.#put(this.#letters, kept.rowsOf(letters, checkpoints.epoch + 1))
      return then(written, ([refused]) => {
        if (refused !== undefined) throw this.#refusesLetters(refused.reason)
      })
    })
  }

  deleteDeadLetters(letters: readonly StoredDeadLetter[]): Soon<void> {
    return this.#transaction.within('delete dead letters from', () =>
      then(this.#flush(), () => this.#database.do(this.#store.letters.deleteDeadLetters(letters))),
    )
  }

  /** What a sink without transactions must publish of the last commit. */
  get note(): Json | undefined {
    return this.#store.checkpoints.note
  }

  get notesOver(): readonly NoteOver[] {
    return this.#store.checkpoints.notesOver
  }

  share(listed: readonly ListedSplit[]): Soon<readonly ListedSplit[]> {
    const { isDryRun = false } = this.#options
    const shared = this.#transaction.within('share the splits of', () =>
      this.#database.do(this.#store.share(listed, isDryRun)),
    )
    return isDryRun ? shared : then(shared, (unseen) => then(this.#transaction.commit(), () => unseen))
  }

  /**
   * @param note - what a sink without transactions must publish of it
   */
  commit(checkpoint: Checkpoint, note?: Json): Soon<void> {
    return this.#transaction.within('commit to', () => {
      const flushed = this.#flush()
      if (this.#options.isDryRun === true) return flushed
      if (this.#options.lentBy !== undefined) {
        const renewed = then(flushed, () => this.#database.do(this.#store.renew()))
        return then(renewed, () => this.#transaction.commit())
      }
      const saved = then(flushed, () => this.#database.do(this.#store.save(checkpoint, note)))
      return then(
        then(saved, () => (this.#main === undefined ? this.#transaction.commit() : undefined)),
        () => this.#store.checkpoints.saved(checkpoint.epoch),
      )
    })
  }

  renewLease(): Soon<void> {
    if (this.#transaction.hasFailed || this.#isClosed) return
    // An idle writer would notice a lost connection only with the next row: any statement says why it is lost.
    if (this.#database.isLost === true) return this.#transaction.within('reach', () => this.#database.do(asking()))
    const renewing = this.#store.renew()
    const { aside } = this.#database
    if (aside !== undefined) return this.#transaction.guarded('reach', () => aside.call(this.#database, renewing))
    // An open transaction excludes all others, and its commit renews the lease.
    return this.#transaction.between('write to', () => this.#database.do(unlessBusy(renewing, this.#database)))
  }

  /** Checks that no other instance has taken over. @throws {SluiceError} PIPELINE_HELD */
  checkFence(): Soon<void> {
    return this.#database.do(this.#store.checkFence())
  }

  /**
   * Does work outside the database during which no other instance may take over: the write lock is held meanwhile. The
   * work writes nothing to the database.
   */
  async alone<T>(act: string, work: () => Promise<T>): Promise<T> {
    await this.#transaction.within(act, () => {})
    try {
      return await work()
    } finally {
      await this.#transaction.rollBack()
    }
  }

  /** Keeps an error for all later calls. Returns the one that a caller can act on. */
  fail(act: string, error: unknown): unknown {
    return this.#transaction.fail(act, error)
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    if (this.#main !== undefined) return
    // A database with another connection is not waited for.
    if (this.#database.aside === undefined) await this.#transaction.settled()
    await this.#database.close(this.#hasLease ? this.#releasing() : undefined)
  }

  *#releasing(): Work<void> {
    if (this.#options.lentBy !== undefined) return
    for (const writer of [...this.#others, this]) if (writer.#hasLease) yield* writer.#store.leases.release()
  }

  async #open(): Promise<void> {
    const { columns, table, key, isDryRun = false } = this.#options
    const shape = columns === undefined ? undefined : shapeOf(table, columns, key, this.#database.rules)
    await this.#transaction.within('open', () => {
      const made = then(this.#database.do(this.#making()), () => {
        return shape === undefined ? undefined : this.#rowsIn(shape).ensure()
      })
      return isDryRun ? made : then(made, () => this.#transaction.commit())
    })
    this.#hasLease = !isDryRun
  }

  *#making(): Work<void> {
    const { owner, leaseMs = LEASE_MS, isDryRun, lentBy } = this.#options
    if (lentBy !== undefined) {
      yield* this.#store.create()
      yield* this.#store.borrow(lentBy)
      return yield* this.#store.letters.ensure()
    }
    const claim = { owner: owner ?? newOwner(), leaseMs }
    yield* this.#checkNames()
    yield* this.#store.create()
    if (isDryRun === true) yield* this.#store.checkHolder(claim)
    else yield* this.#store.take(claim)
    this.#restored = yield* this.#store.checkpoints.restore()
    yield* this.#store.letters.ensure()
  }

  /** Rejects a name that refers to a table in another schema. */
  *#checkNames(): Work<void> {
    const dotted = [this.#options.table, this.#options.deadLetters].filter((name) => name.includes('.'))
    const { schemas } = this.#database
    if (dotted.length === 0 || schemas === undefined) return
    const there = yield* tablesOf(this.#database.dialect, dotted)
    const { names, use } = schemas
    const found = yield* names()
    for (const name of dotted) if (!there.includes(name)) checkNoSchema(name, found, use)
  }

  #rowsOf(rows: readonly unknown[]): RowTable | undefined {
    const { table, key, types } = this.#options
    const shape = shapeOfRows(table, rows, { key, types }, this.#database.rules)
    return shape === undefined ? undefined : this.#rowsIn(shape)
  }

  #rowsIn(shape: Shape): RowTable {
    this.#rows = this.#use(this.#database.rows(shape, this.#options))
    return this.#rows
  }

  #use(table: RowTable): RowTable {
    this.#transaction.tables.add(table)
    return table
  }

  /** Writes rows once no statement of another table is under way. */
  #put(table: RowTable, rows: Batch): Soon<readonly DeadLetter[]> {
    return then(this.#transaction.atRest(table), () => {
      if (this.#enteredIn.get(table) === this.#transaction.count) return table.write(rows)
      this.#enteredIn.set(table, this.#transaction.count)
      return then(table.enter(), () => table.write(rows))
    })
  }

  /** Writes what is held back, and awaits it. */
  #flush(): Soon<void> {
    const flushed = [this.#rows, this.#letters].reduce<Soon<void>>((rest, table) => {
      return table?.flush === undefined
        ? rest
        : then(rest, () => then(this.#transaction.atRest(table), () => table.flush?.()))
    }, undefined)
    return then(flushed, () => this.#transaction.atRest())
  }

  #refusesLetters(found: string): SluiceError<'SINK_MISMATCH'> {
    const { deadLetters: table } = this.#options
    const message = `Cannot write dead letters to table ${table}: ${found}`
    return new SluiceError('SINK_MISMATCH', message, { sink: this.#database.step, table, found })
  }
}

function* asking(): Work<void> {
  yield* run('select 1')
}

/** Skips work while another connection keeps the database busy. */
function* unlessBusy(work: Work<void>, database: SqlDatabase): Work<void> {
  try {
    yield* work
  } catch (error) {
    if (database.isBusy?.(error) !== true) throw error
  }
}
