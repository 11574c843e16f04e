// The two connections of a writer: one for its transactions, one for renewing the lease while those take long.

import type { QueryResult } from 'pg'
import { type ClientOptions, PostgresClient } from '../client.ts'

/** What the server does for a session: changes while it is working, or while bytes arrive there. */
const SIGN = `
  select a.state, a.wait_event, c.bytes_processed as bytes
  from pg_catalog.pg_stat_activity a left join pg_catalog.pg_stat_progress_copy c on c.pid = a.pid
  where a.pid = $1`

const PID = 'select pg_catalog.pg_backend_pid() as pid'

/**
 * Constraints checked at the end of a transaction could not be attributed to rows; and a commit must be on the disk
 * when it returns, whatever the server's default is. Set in each transaction: behind a pooler it may be in another
 * session than the previous one.
 */
const BEGIN = `begin isolation level read committed read write; set constraints all immediate;
  select pg_catalog.set_config('synchronous_commit', 'on', true)
  where pg_catalog.current_setting('synchronous_commit') in ('off', 'local'); ${PID}`

export class Sessions {
  /** For transactions. */
  readonly main: PostgresClient
  /** For what must not wait for a transaction. */
  readonly side: PostgresClient
  /** Whether a pooler lets others use the session between two transactions. */
  readonly isPooled: boolean
  /** The server's session for `main`; behind a pooler it is known once a transaction has begun. */
  #pid: unknown

  private constructor(main: PostgresClient, side: PostgresClient, isPooled: boolean, pid: unknown) {
    this.main = main
    this.side = side
    this.isPooled = isPooled
    this.#pid = pid
    this.watchBy(side)
  }

  /** Connects twice; the second connection is asked about the first one when no byte moves on it. */
  static async open(options: ClientOptions): Promise<Sessions> {
    const main = await PostgresClient.open(options)
    try {
      const side = await openSide(options)
      const { rows } = await main.query(PID)
      const pid: unknown = rows[0]?.pid
      const isPooled = pid !== main.sessionId
      return new Sessions(main, side, isPooled, isPooled ? undefined : pid)
    } catch (error) {
      await main.close()
      throw error
    }
  }

  /** Begins a transaction. */
  async begin(): Promise<void> {
    const results = (await this.main.query(BEGIN)) as unknown as readonly QueryResult[]
    this.#pid = results.at(-1)?.rows[0]?.pid
  }

  /** Lets `side` be asked whether the server is working for `main`. */
  watchBy(side: PostgresClient): void {
    let asked = 0
    this.main.askBy(async () => {
      asked += 1
      const [row] = this.#pid === undefined ? [] : (await side.query(SIGN, [this.#pid])).rows
      if (row === undefined) return undefined
      const { state, wait_event: waitsFor, bytes } = row
      const isBusy = state === 'active' && waitsFor !== 'ClientRead' && waitsFor !== 'ClientWrite'
      return isBusy ? `busy ${asked}` : `${state} ${waitsFor} ${bytes}`
    })
  }
}

/**
 * The connection for renewing the lease, which must respond within half of the time. An abort ends the other one only:
 * the lease is released over this one.
 */
export async function openSide(options: ClientOptions): Promise<PostgresClient> {
  const side = await PostgresClient.open({ ...options, timeoutMs: Math.ceil(options.timeoutMs / 2) })
  side.outliveAbort()
  return side
}
