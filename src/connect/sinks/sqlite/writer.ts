// The writer of a SQLite sink: rows, dead letters and checkpoint in one transaction an epoch.

import type { DatabaseSync } from 'node:sqlite'
import { systemClock } from '../../../base/clock.ts'
import { SluiceError } from '../../../base/errors.ts'
import { isPromise } from '../../../base/promise.ts'
import type { Columns } from '../../column.ts'
import { type Claim, fenced, LEASE_MS, newOwner, pipelineHeld } from '../../lease.ts'
import { type DeadLetter, deadLetter, type Traced } from '../../origin.ts'
import type { Checkpoint, KeptLetter, SinkWriter } from '../../sink.ts'
import { CheckpointTable } from './checkpoints.ts'
import { openDatabase } from './database.ts'
import { LeaseTable } from './leases.ts'
import { LetterTable } from './letters.ts'
import { ROW_IS_PROMISE, RowWriter, STEP } from './rows.ts'
import { type RowShape, shapeOf, shapeOfRows } from './shape.ts'
import { ensureTable } from './table.ts'
import { isBusy, troubleOf } from './trouble.ts'

/**
 * Readers are not held up, and a commit is on the disk when it returns. 32 MiB of pages are kept: the key's index is
 * looked into for every row.
 */
const SETTINGS = 'pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -32768'

/** How long another program may hold the database's write lock before the run gives up. */
const LOCK_WAIT_MS = 10_000
const LOCK_RETRY_MS = 50

export interface WriterOptions {
  readonly path: string
  readonly table: string
  readonly key: readonly string[] | undefined
  readonly columns: Columns | undefined
  readonly deadLetters: string
  readonly pipeline: string
  readonly leaseMs?: number | undefined
  readonly owner?: string | undefined
  readonly signal: AbortSignal | undefined
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
export class SqliteWriter<Row> implements SinkWriter<Row> {
  readonly #database: DatabaseSync
  readonly #options: WriterOptions
  readonly #checkpoints: CheckpointTable
  readonly #leases: LeaseTable
  readonly #owner: string
  /** Undefined until the tables are there. */
  #letters: LetterTable | undefined
  /** Undefined until the columns are known and the table is there. */
  #rows: RowWriter | undefined
  /** What failed for good. */
  #failure: { readonly error: unknown } | undefined
  /** What the last commit before this run left. */
  #restored: Checkpoint | undefined

  private constructor(options: WriterOptions) {
    this.#options = options
    this.#database = openDatabase(options.path)
    this.#checkpoints = new CheckpointTable(this.#database, options.pipeline)
    this.#leases = new LeaseTable(this.#database, options.pipeline)
    this.#owner = options.owner ?? newOwner()
  }

  /** Opens the database, goes to where the last commit left it, and makes the tables that are known. */
  static async open<Row>(options: WriterOptions): Promise<SqliteWriter<Row>> {
    const writer = new SqliteWriter<Row>(options)
    try {
      await writer.#open()
      return writer
    } catch (error) {
      await writer.close()
      throw error
    }
  }

  get checkpoint(): Checkpoint | undefined {
    return this.#restored
  }

  write(events: readonly Traced<Row>[]): readonly DeadLetter[] | Promise<readonly DeadLetter[]> {
    return this.#inTransaction('write to', () => this.#write(events))
  }

  bury(letters: readonly DeadLetter[]): void | Promise<void> {
    const { pipeline } = this.#options
    return this.#inTransaction('write dead letters to', () => {
      this.#letters?.bury(letters, { pipeline, epoch: this.#checkpoints.epoch + 1, atMs: systemClock.wallMs() })
    })
  }

  exhume(letters: readonly KeptLetter[]): void | Promise<void> {
    return this.#inTransaction('take dead letters out of', () => {
      this.#letters?.exhume(letters, this.#options.pipeline)
    })
  }

  commit(checkpoint: Checkpoint): void | Promise<void> {
    return this.#inTransaction('commit to', () => {
      const nowMs = systemClock.wallMs()
      const act = `commit epoch ${checkpoint.epoch} of`
      if (!this.#leases.renew(nowMs)) throw this.#fenced(act)
      if (!this.#checkpoints.save(checkpoint, nowMs)) throw this.#held(act)
      this.#database.exec('commit')
      this.#checkpoints.saved(checkpoint.epoch)
    })
  }

  renew(): void {
    // A transaction keeps all others out, and its commit renews the lease.
    if (this.#failure !== undefined || this.#database.isTransaction) return
    try {
      this.#database.exec('begin immediate')
    } catch (error) {
      // Another connection is writing: the next call will find it done.
      if (isBusy(error)) return
      throw this.#fail('write to', error)
    }
    this.#guarded('write to', () => {
      if (!this.#leases.renew(systemClock.wallMs())) throw this.#fenced('go on with')
      this.#database.exec('commit')
    })
  }

  async close(): Promise<void> {
    if (!this.#database.isOpen) return
    this.#rollBack()
    try {
      this.#leases.release()
    } catch {
      // A lease that cannot be let go of ends with the process, or with its time.
    }
    this.#database.close()
  }

  async #open(): Promise<void> {
    await this.#retry('open', () => this.#database.exec(SETTINGS))
    await this.#retry('lock', () => this.#takeLease())
    await this.#retry('read', () => {
      this.#restored = this.#checkpoints.restore()
    })
    const { columns, table, key } = this.#options
    const shape = columns === undefined ? undefined : shapeOf(table, columns, key)
    await this.#inTransaction('make tables in', () => {
      this.#letters = new LetterTable(this.#database, this.#options.path, this.#options.deadLetters)
      if (shape !== undefined) this.#rows = this.#makeRows(shape)
      this.#database.exec('commit')
    })
  }

  /** From here on no other instance writes for this pipeline. */
  #takeLease(): void {
    const { pipeline, leaseMs = LEASE_MS } = this.#options
    const claim: Claim = { owner: this.#owner, leaseMs, nowMs: systemClock.wallMs() }
    this.#database.exec('begin immediate')
    try {
      this.#leases.create()
      const holder = this.#leases.take(claim)
      if (holder !== undefined) throw pipelineHeld(pipeline, holder)
      this.#checkpoints.create()
      this.#database.exec('commit')
    } catch (error) {
      this.#rollBack()
      throw error
    }
  }

  #write(events: readonly Traced<Row>[]): readonly DeadLetter[] {
    if (this.#rows === undefined) {
      const shape = shapeOfRows(this.#options.table, events, this.#options.key)
      if (shape === undefined) {
        return events.map(({ value, origin }) => {
          return deadLetter(origin, STEP, isPromise(value) ? ROW_IS_PROMISE : 'a row has columns: found none')
        })
      }
      this.#rows = this.#makeRows(shape)
    }
    return this.#rows.write(events)
  }

  #makeRows(shape: RowShape): RowWriter {
    const table = ensureTable(this.#database, this.#options.path, shape.table)
    return new RowWriter(this.#database, this.#options.path, { ...shape, table })
  }

  /** Does `work` in the open transaction, or in a new one; waits only while another connection has the lock. */
  #inTransaction<T>(act: string, work: () => T): T | Promise<T> {
    if (this.#failure !== undefined) throw this.#failure.error
    const begun = this.#begin(act)
    return isPromise(begun) ? begun.then(() => this.#guarded(act, work)) : this.#guarded(act, work)
  }

  #begin(act: string): void | Promise<void> {
    if (this.#database.isTransaction) return
    try {
      this.#lock()
    } catch (error) {
      if (!isBusy(error)) throw this.#fail(act, error)
      return this.#retry(act, () => this.#lock())
    }
  }

  #lock(): void {
    try {
      this.#database.exec('begin immediate')
    } catch (error) {
      // Who has the lock may be who took over this pipeline: then there is nothing to wait for.
      if (isBusy(error)) this.#checkFence()
      throw error
    }
    this.#checkFence()
  }

  #checkFence(): void {
    if (!this.#leases.isOurs()) throw this.#fenced('go on with')
    if (this.#checkpoints.currentEpoch() !== this.#checkpoints.epoch) throw this.#held('go on with')
  }

  #fenced(act: string): SluiceError<'PIPELINE_HELD'> {
    return fenced(this.#options.pipeline, act, this.#leases.current())
  }

  /** Tries until it succeeds, or another connection has stood against it for too long. */
  async #retry(act: string, work: () => void): Promise<void> {
    const { path, signal, lockWaitMs = LOCK_WAIT_MS } = this.#options
    const startMs = systemClock.nowMs()
    for (let attempts = 1; ; attempts += 1) {
      try {
        return work()
      } catch (error) {
        if (!isBusy(error)) throw this.#fail(act, error)
        const waitedMs = systemClock.nowMs() - startMs
        if (waitedMs >= lockWaitMs) {
          const held = `another program has held its lock for ${Math.round(waitedMs / 1000)} s (SQLITE_BUSY)`
          const message = `Cannot ${act} ${JSON.stringify(path)}: ${held}`
          throw this.#fail(
            act,
            new SluiceError('SINK_UNREACHABLE', message, { sink: path, attempts }, { cause: error }),
          )
        }
      }
      await systemClock.sleep(LOCK_RETRY_MS, signal)
    }
  }

  #guarded<T>(act: string, work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw this.#fail(act, error)
    }
  }

  /** Keeps the error for all later calls, and lets go of the lock. */
  #fail(act: string, error: unknown): unknown {
    const { path, table } = this.#options
    const trouble = troubleOf(error, { path, act, table })
    this.#failure = { error: trouble }
    this.#rollBack()
    return trouble
  }

  #rollBack(): void {
    if (!this.#database.isTransaction) return
    try {
      this.#database.exec('rollback')
    } catch {
      // What could not be rolled back is rolled back by whoever opens the database next: nothing of it is committed.
    }
  }

  #held(act: string): SluiceError<'PIPELINE_HELD'> {
    const { pipeline } = this.#options
    const by = this.#checkpoints.lastCommit()
    const message = `Cannot ${act} ${pipeline}: another instance has committed ${by}`
    return new SluiceError('PIPELINE_HELD', message, { pipeline, by })
  }
}
