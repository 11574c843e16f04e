// The transaction of a writer: begun when needed, abandoned for good once anything has failed.

import { isPromise } from '../../../base/promise.ts'
import type { RowTable, SqlDatabase } from './database.ts'
import { type Soon, then } from './soon.ts'

/**
 * Contains everything written since the last commit. It begins with the first write.
 *
 * Once something has failed, every later call fails with the same error: a commit must not ignore that, and whether a
 * commit succeeded is found out by whoever opens the sink again.
 */
export class Transaction {
  readonly #database: SqlDatabase
  readonly #checkFence: () => Soon<void>
  #isOpen = false
  /** The permanent error. */
  #failure: { readonly error: unknown } | undefined
  /**
   * Calls of an asynchronous database are serialized: renewing the lease must not enter a transaction that is ending.
   */
  #last: Promise<unknown> = Promise.resolve()
  /** How many were begun. */
  count = 0
  /** Those whose rows are in it. */
  readonly tables: Set<RowTable> = new Set()

  constructor(database: SqlDatabase, checkFence: () => Soon<void>) {
    this.#database = database
    this.#checkFence = checkFence
  }

  get hasFailed(): boolean {
    return this.#failure !== undefined
  }

  /** Does `work` in the open transaction, or in a new one. */
  within<T>(act: string, work: () => Soon<T>): Soon<T> {
    return this.#inTurn(() => this.guarded(act, () => then(this.#begin(act), work)))
  }

  /** Waits until no statement of rows is under way, except those of one table. */
  atRest(but?: RowTable): Soon<void> {
    const busy = [...this.tables].filter((table) => table !== but && table.settled !== undefined)
    return busy.reduce<Soon<void>>((rest, table) => then(rest, () => table.settled?.()), undefined)
  }

  /** Does `work` between two transactions: not at all while one is open. */
  between(act: string, work: () => Soon<void>): Soon<void> {
    return this.#inTurn(() => (this.#isOpen || this.hasFailed ? undefined : this.guarded(act, work)))
  }

  commit(): Soon<void> {
    return then(this.#database.commit(), () => {
      this.#isOpen = false
    })
  }

  async rollBack(): Promise<void> {
    this.#isOpen = false
    await this.#database.rollBack?.()
  }

  /** Pending work has ended. */
  async settled(): Promise<void> {
    await this.#last
  }

  guarded<T>(act: string, work: () => Soon<T>): Soon<T> {
    if (this.#failure !== undefined) throw this.#failure.error
    const failed = (error: unknown): never => {
      throw this.fail(act, error)
    }
    try {
      const done = work()
      return isPromise(done) ? done.catch(failed) : done
    } catch (error) {
      return failed(error)
    }
  }

  /** Keeps the error for all later calls, and releases locks. Returns the error that a caller can act on. */
  fail(act: string, error: unknown): unknown {
    this.#failure ??= { error: this.#database.trouble(error, act) }
    this.#isOpen = false
    this.#database.failed?.(this.#failure.error)
    return this.#failure.error
  }

  #begin(act: string): Soon<void> {
    if (this.#isOpen) return
    return then(this.#database.begin('write', act, this.#checkFence), () => {
      this.#isOpen = true
      this.count += 1
    })
  }

  #inTurn<T>(work: () => Soon<T>): Soon<T> {
    if (this.#database.answersAtOnce === true) return work()
    const turn = this.#last.then(work, work)
    this.#last = turn.catch(() => {}) // Reported to the awaiting caller.
    return turn
  }
}
