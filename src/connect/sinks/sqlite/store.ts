// A pipeline's place in a SQLite file: its lease, its checkpoint, its dead letters, and the transaction that holds them.

import type { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../../../base/clock.ts'
import { SluiceError } from '../../../base/errors.ts'
import { isPromise } from '../../../base/promise.ts'
import { LEASE_MS, newOwner } from '../../lease.ts'
import type { DeadLetter } from '../../origin.ts'
import type { Checkpoint, KeptLetter } from '../../sink.ts'
import { SqlStore } from '../../sql/store/store.ts'
import { all, run, type Work } from '../../sql/store/work.ts'
import { openDatabase } from './database.ts'
import { copyForDryRun } from './dry-run.ts'
import { doWork, sqliteDialect } from './session.ts'
import { isBusy, troubleOf } from './trouble.ts'

/**
 * Readers are not held up, and a commit is on the disk when it returns. 32 MiB of pages are kept: the key's index is
 * looked into for every row.
 */
const SETTINGS = 'pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -32768'

/** How long another program may hold the database's write lock before the run gives up. */
const LOCK_WAIT_MS = 10_000
const LOCK_RETRY_MS = 50

export interface StoreOptions {
  readonly path: string
  /** The table that errors name. */
  readonly table: string
  /** The table of dead letters. */
  readonly deadLetters: string
  readonly pipeline: string
  readonly leaseMs?: number | undefined
  readonly owner?: string | undefined
  readonly signal: AbortSignal | undefined
  /** Whether it works on a copy in memory, of which nothing lasts. */
  readonly isDryRun?: boolean
  /** Longest wait for the write lock, in clock milliseconds. */
  readonly lockWaitMs?: number
}

/**
 * One transaction holds all that was written since the last commit. It begins with the first write, which waits for
 * the write lock if another connection has it; from then on nobody else can commit.
 *
 * Once something has failed for good, every later call fails with the same error: SQLite may have rolled back what
 * was written before, and a commit must not pass over that.
 */
export class SqliteStore {
  readonly database: DatabaseSync
  readonly #options: StoreOptions
  readonly #store: SqlStore
  /** What failed for good. */
  #failure: { readonly error: unknown } | undefined
  /** Whether the lease is ours, or was. */
  #hasLease = false
  /** What the last commit before this run left. */
  #restored: Checkpoint | undefined

  private constructor(options: StoreOptions) {
    this.#options = options
    const { path, pipeline, isDryRun = false } = options
    this.database = isDryRun ? copyForDryRun(path, pipeline) : openDatabase(path)
    this.#store = new SqlStore(sqliteDialect(options.path), options)
  }

  /** Opens the database, takes the lease, and goes to where the last commit left it. */
  static async open(options: StoreOptions): Promise<SqliteStore> {
    const store = new SqliteStore(options)
    try {
      await store.#retry('open', () => store.database.exec(SETTINGS))
      await store.#retry('lock', () => store.#takeLease())
      return store
    } catch (error) {
      await store.close()
      throw error
    }
  }

  /** What the last commit before this run left, or undefined at a first run. */
  get checkpoint(): Checkpoint | undefined {
    return this.#restored
  }

  /** Makes the table of dead letters and what `also` makes, in a transaction of its own. */
  makeTables(also: () => void): void | Promise<void> {
    return this.inTransaction('make tables in', () => {
      this.#do(this.#store.letters.ensure())
      also()
      this.database.exec('commit')
    })
  }

  bury(letters: readonly DeadLetter[]): void | Promise<void> {
    return this.inTransaction('write dead letters to', () => this.#do(this.#store.bury(letters)))
  }

  /** Takes dead letters out again. */
  exhume(letters: readonly KeptLetter[]): void | Promise<void> {
    return this.inTransaction('take dead letters out of', () => this.#do(this.#store.exhume(letters)))
  }

  /** Commits what is in the transaction, the checkpoint, and what `also` writes. */
  commit(checkpoint: Checkpoint, also: () => void = () => {}): void | Promise<void> {
    return this.inTransaction('commit to', () => {
      this.#do(this.#store.save(checkpoint))
      also()
      this.database.exec('commit')
      this.#store.checkpoints.saved(checkpoint.epoch)
    })
  }

  /**
   * Does work outside the database that no other instance may come in between of: the write lock is held meanwhile, so
   * that nobody can take over. The work writes nothing to the database.
   */
  async alone<T>(act: string, work: () => Promise<T>): Promise<T> {
    await this.inTransaction(act, () => {})
    try {
      return await work()
    } finally {
      this.#rollBack()
    }
  }

  renew(): void {
    // A transaction keeps all others out, and its commit renews the lease.
    if (this.#failure !== undefined || this.database.isTransaction) return
    try {
      this.database.exec('begin immediate')
    } catch (error) {
      // Another connection is writing: the next call will find it done.
      if (isBusy(error)) return
      throw this.fail('write to', error)
    }
    this.#guarded('write to', () => {
      this.#do(this.#store.renew())
      this.database.exec('commit')
    })
  }

  /**
   * Makes sure that no other instance has taken over, as far as can be told without a lock.
   * @throws {SluiceError} PIPELINE_HELD
   */
  checkFence(): void {
    this.#do(this.#store.checkFence())
  }

  async close(): Promise<void> {
    if (!this.database.isOpen) return
    this.#rollBack()
    try {
      if (this.#hasLease) this.#do(this.#store.leases.release())
    } catch {
      // A lease that cannot be let go of ends with the process, or with its time.
    }
    this.database.close()
  }

  /** Does `work` in the open transaction, or in a new one; waits only while another connection has the lock. */
  inTransaction<T>(act: string, work: () => T): T | Promise<T> {
    if (this.#failure !== undefined) throw this.#failure.error
    const begun = this.#begin(act)
    return isPromise(begun) ? begun.then(() => this.#guarded(act, work)) : this.#guarded(act, work)
  }

  /** Keeps the error for all later calls, and lets go of the lock. Gives the error that a caller can act on. */
  fail(act: string, error: unknown): unknown {
    const { path, table } = this.#options
    const trouble = troubleOf(error, { path, act, table })
    this.#failure = { error: trouble }
    this.#rollBack()
    return trouble
  }

  /** From here on no other instance writes for this pipeline. */
  #takeLease(): void {
    const { owner, leaseMs = LEASE_MS } = this.#options
    this.database.exec('begin immediate')
    try {
      this.#do(this.#store.create())
      this.#do(addLaterColumns())
      this.#do(this.#store.take({ owner: owner ?? newOwner(), leaseMs }))
      this.#restored = this.#do(this.#store.checkpoints.restore())
      this.database.exec('commit')
      this.#hasLease = true
    } catch (error) {
      this.#rollBack()
      throw error
    }
  }

  #begin(act: string): void | Promise<void> {
    if (this.database.isTransaction) return
    try {
      this.#lock()
    } catch (error) {
      if (!isBusy(error)) throw this.fail(act, error)
      return this.#retry(act, () => this.#lock())
    }
  }

  #lock(): void {
    try {
      this.database.exec('begin immediate')
    } catch (error) {
      // Who has the lock may be who took over this pipeline: then there is nothing to wait for.
      if (isBusy(error)) this.checkFence()
      throw error
    }
    this.checkFence()
  }

  #do<T>(work: Work<T>): T {
    return doWork(this.database, work)
  }

  /** Tries until it succeeds, or another connection has stood against it for too long. */
  async #retry(act: string, work: () => void): Promise<void> {
    const { path, signal, lockWaitMs = LOCK_WAIT_MS } = this.#options
    const startMs = systemClock.nowMs()
    for (let attempts = 1; ; attempts += 1) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error)) throw this.fail(act, error)
        const waitedMs = systemClock.nowMs() - startMs
        if (waitedMs >= lockWaitMs) {
          const held = `another program has held its lock for ${Math.round(waitedMs / 1000)} s (SQLITE_BUSY)`
          const message = `Cannot ${act} ${JSON.stringify(path)}: ${held}`
          throw this.fail(act, new SluiceError('SINK_UNREACHABLE', message, { sink: path, attempts }, { cause: error }))
        }
      }
      await systemClock.sleep(LOCK_RETRY_MS, signal)
    }
  }

  #guarded<T>(act: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw this.fail(act, error)
    }
  }

  #rollBack(): void {
    if (!this.database.isTransaction) return
    try {
      this.database.exec('rollback')
    } catch {
      // What could not be rolled back is rolled back by whoever opens the database next: nothing of it is committed.
    }
  }
}

/** Columns that earlier versions did not have. */
const LATER_COLUMNS = { committed_by: 'text', parts: 'integer' }

function* addLaterColumns(): Work<void> {
  const rows = yield* all("select name from pragma_table_info('sluice_checkpoints')")
  const there = new Set(rows.map(({ name }) => name))
  for (const [name, type] of Object.entries(LATER_COLUMNS)) {
    if (!there.has(name)) yield* run(`alter table sluice_checkpoints add column ${name} ${type}`)
  }
}
