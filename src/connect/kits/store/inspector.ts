// Inspects what a database stores of a pipeline.

import type { HeldLease } from '../../lease.ts'
import type { CheckpointSummary, SinkInspector, StoredDeadLetter } from '../../sink.ts'
import type { SqlConnection } from './database.ts'
import { checkVersion } from './schema.ts'
import { SqlStore, type StoreOptions } from './store.ts'
import type { Work } from './work.ts'

export class SqlInspector implements SinkInspector {
  /** Undefined if there is no database yet. */
  readonly #connection: SqlConnection | undefined
  readonly #options: StoreOptions

  constructor(connection: SqlConnection | undefined, options: StoreOptions) {
    this.#connection = connection
    this.#options = options
  }

  checkpoint(): Promise<CheckpointSummary | undefined> {
    return this.#transact('read', (store) => store.summary())
  }

  async deadLetters(page: {
    readonly limit: number
    readonly after?: StoredDeadLetter
  }): Promise<readonly StoredDeadLetter[]> {
    return (await this.#transact('read', (store) => store.letters.list(page))) ?? []
  }

  async reset(options: { readonly deadLetters: boolean }): Promise<void> {
    await this.#transact('reset', (store) => store.reset(options))
  }

  lease(): Promise<HeldLease | undefined> {
    return this.#transact('read', (store) => store.held())
  }

  async breakLease(token: number): Promise<boolean> {
    return (await this.#transact('reset', (store) => store.leases.breakOff(token))) ?? false
  }

  async close(): Promise<void> {
    await this.#connection?.close(undefined)
  }

  /** In one transaction: all tables are seen as of one commit, and errors roll everything back. */
  async #transact<T>(act: 'read' | 'reset', work: (store: SqlStore) => Work<T>): Promise<T | undefined> {
    const connection = this.#connection
    if (connection === undefined) return undefined
    try {
      await connection.begin(act, act, () => {})
      const store = new SqlStore(connection.dialect, this.#options)
      await connection.do(checkVersion(connection.dialect, this.#options.pipeline))
      const found = await connection.do(work(store))
      await connection.commit()
      return found
    } catch (error) {
      await connection.rollBack?.()
      throw connection.trouble(error, act)
    }
  }
}
