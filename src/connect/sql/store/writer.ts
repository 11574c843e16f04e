// The writer of a sink for a database that is waited for: rows, dead letters and checkpoint in one transaction an epoch.

import type { Batch } from '../../batch.ts'
import type { Columns } from '../../column.ts'
import { LEASE_MS, newOwner } from '../../lease.ts'
import type { DeadLetter } from '../../origin.ts'
import type { BatchSize, Checkpoint, KeptLetter, SinkWriter } from '../../sink.ts'
import { checkNoSchema } from '../evolve.ts'
import { refuseAll } from '../row.ts'
import { shapeOf, shapeOfRows } from '../shape.ts'
import type { RowTable, SqlDatabase } from './database.ts'
import { SqlStore, type StoreOptions } from './store.ts'
import { tablesOf } from './tables.ts'
import { run, runAsync, type Work } from './work.ts'

export interface SqlWriterOptions extends StoreOptions {
  readonly table: string
  readonly key: readonly string[] | undefined
  readonly columns: Columns | undefined
  readonly leaseMs?: number | undefined
  readonly owner?: string | undefined
  /** Whether nothing is to last: all is in one transaction, which is never committed, and there is no lease. */
  readonly isDryRun?: boolean
}

/**
 * One transaction holds all that was written since the last commit. It begins with the first write.
 *
 * Once something has failed, every later call fails with the same error: whether a commit went through is for who opens
 * the sink again to read.
 */
export class SqlWriter<Row> implements SinkWriter<Row> {
  readonly batch: BatchSize
  readonly #database: SqlDatabase
  readonly #options: SqlWriterOptions
  readonly #store: SqlStore
  #restored: Checkpoint | undefined
  /** Undefined until the columns are known. */
  #rows: RowTable | undefined
  #isInTransaction = false
  /** Whether rows were written in the transaction at hand. */
  #hasEntered = false
  /** Whether the lease is ours, or was. */
  #hasLease = false
  /** What failed for good. */
  #failure: { readonly error: unknown } | undefined
  #isClosed = false
  /** Calls follow each other: a sign of life must not come into a transaction that is about to end. */
  #last: Promise<unknown> = Promise.resolve()

  private constructor(database: SqlDatabase, options: SqlWriterOptions) {
    this.#database = database
    this.#options = options
    this.batch = database.batch
    this.#store = new SqlStore(database.dialect, options)
  }

  /** Takes the lease, goes to where the last commit left the pipeline, and makes the tables that are known. */
  static async open<Row>(database: SqlDatabase, options: SqlWriterOptions): Promise<SqlWriter<Row>> {
    const writer = new SqlWriter<Row>(database, options)
    try {
      await writer.#open()
      return writer
    } catch (error) {
      await writer.close()
      throw error
    }
  }

  /** What the last commit before this run left. */
  get checkpoint(): Checkpoint | undefined {
    return this.#restored
  }

  write(rows: Batch<Row>): Promise<readonly DeadLetter[]> {
    return this.#inTransaction('write to', async () => {
      const table = this.#rows ?? this.#rowsOf(rows.values())
      if (table === undefined) return refuseAll(rows, this.#database.step)
      if (!this.#hasEntered) await table.enter()
      this.#hasEntered = true
      return await table.write(rows)
    })
  }

  bury(letters: readonly DeadLetter[]): Promise<void> {
    return this.#inTransaction('write dead letters to', async () => {
      await this.#rows?.settled?.()
      await this.#do(this.#store.bury(letters))
    })
  }

  exhume(letters: readonly KeptLetter[]): Promise<void> {
    return this.#inTransaction('take dead letters out of', async () => {
      await this.#rows?.settled?.()
      await this.#do(this.#store.exhume(letters))
    })
  }

  commit(checkpoint: Checkpoint): Promise<void> {
    return this.#inTransaction('commit to', async () => {
      await this.#rows?.flush?.()
      if (this.#options.isDryRun === true) return
      await this.#do(this.#store.save(checkpoint))
      await this.#commit()
      this.#store.checkpoints.saved(checkpoint.epoch)
    })
  }

  async renew(): Promise<void> {
    if (this.#failure !== undefined || this.#isClosed) return
    // Who waits for nothing on it would hear of its loss only with the next row: any statement says why it is lost.
    if (this.#database.isLost === true) return await this.#inTransaction('reach', () => this.#do(asking()))
    if (this.#database.aside !== undefined) await this.#renewAside()
    else await this.#inTurn(() => this.#renewBetween())
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    // A database with another connection is not waited for.
    if (this.#database.aside === undefined) await this.#last
    await this.#database.close(this.#hasLease ? this.#store.leases.release() : undefined)
  }

  async #open(): Promise<void> {
    const { columns, table, key, owner, leaseMs = LEASE_MS, isDryRun = false } = this.#options
    const { rules } = this.#database
    const shape = columns === undefined ? undefined : shapeOf(table, columns, key, rules)
    const claim = { owner: owner ?? newOwner(), leaseMs }
    await this.#inTransaction('open', async () => {
      await this.#do(this.#checkNames())
      await this.#do(this.#store.create())
      if (isDryRun) await this.#do(this.#store.checkHolder(claim))
      else await this.#do(this.#database.take?.(this.#store, claim) ?? this.#store.take(claim))
      this.#restored = await this.#do(this.#store.checkpoints.restore())
      await this.#do(this.#store.letters.ensure())
      if (shape !== undefined) this.#rows = this.#database.rows(shape)
      await this.#rows?.ensure()
      if (isDryRun) return
      await this.#commit()
      this.#hasLease = true
    })
  }

  /** Refuses a name that is meant to be of a table in another schema. */
  *#checkNames(): Work<void> {
    const dotted = [this.#options.table, this.#options.deadLetters].filter((name) => name.includes('.'))
    if (dotted.length === 0) return
    const there = yield* tablesOf(this.#database.dialect, dotted)
    const schemas = yield* this.#database.schemas()
    for (const name of dotted) {
      if (!there.includes(name)) checkNoSchema(name, schemas, (schema, rest) => this.#database.useSchema(schema, rest))
    }
  }

  #rowsOf(rows: readonly unknown[]): RowTable | undefined {
    const { table, key } = this.#options
    const shape = shapeOfRows(table, rows, key, this.#database.rules)
    if (shape !== undefined) this.#rows = this.#database.rows(shape)
    return this.#rows
  }

  async #renewAside(): Promise<void> {
    try {
      await this.#database.aside?.(this.#store.renew())
    } catch (error) {
      this.#failure ??= { error: this.#database.trouble(error, 'reach') }
      throw this.#failure.error
    }
  }

  async #renewBetween(): Promise<void> {
    // A transaction that is open keeps all others out, and its commit renews the lease.
    if (this.#isInTransaction || this.#failure !== undefined) return
    try {
      await this.#do(this.#store.renew())
    } catch (error) {
      throw this.#fail('write to', error)
    }
  }

  /** Does `work` in the open transaction, or in a new one. */
  #inTransaction<T>(act: string, work: () => Promise<T>): Promise<T> {
    return this.#inTurn(async () => {
      if (this.#failure !== undefined) throw this.#failure.error
      try {
        if (!this.#isInTransaction) {
          await this.#database.begin('write')
          this.#isInTransaction = true
          this.#hasEntered = false
        }
        return await work()
      } catch (error) {
        throw this.#fail(act, error)
      }
    })
  }

  async #commit(): Promise<void> {
    await this.#database.commit()
    this.#isInTransaction = false
  }

  #do<T>(work: Work<T>): Promise<T> {
    return runAsync(work, async (statement) => await this.#database.execute(statement))
  }

  #fail(act: string, error: unknown): unknown {
    this.#failure ??= { error: this.#database.trouble(error, act) }
    this.#database.failed?.(this.#failure.error)
    return this.#failure.error
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => {}) // Told to who waits for it.
    return turn
  }
}

function* asking(): Work<void> {
  yield* run('select 1')
}
