// The two connections of a writer: one for its transactions, one for signs of life while those take long.

import { type ClientOptions, PostgresClient } from '../../postgres/client.ts'

/** What the server does for a session: changes while it is at work, or while bytes arrive there. */
const SIGN = `
  select a.state, a.wait_event, c.bytes_processed as bytes
  from pg_catalog.pg_stat_activity a left join pg_catalog.pg_stat_progress_copy c on c.pid = a.pid
  where a.pid = $1`

export interface Sessions {
  /** For transactions. */
  readonly main: PostgresClient
  /** For what must not wait for a transaction. */
  readonly side: PostgresClient
}

/** Connects twice; the second connection is asked about the first one when no byte moves on it. */
export async function openSessions(options: ClientOptions): Promise<Sessions> {
  const main = await PostgresClient.open(options)
  try {
    const side = await openSide(options)
    await watchBy(main, side)
    await makeDurable(main)
    return { main, side }
  } catch (error) {
    await main.close()
    throw error
  }
}

/**
 * The connection for signs of life, which must say within half of the time whether it is there. An abort ends the other
 * one only: a lease is let go of over this one.
 */
export async function openSide(options: ClientOptions): Promise<PostgresClient> {
  const side = await PostgresClient.open({ ...options, timeoutMs: Math.ceil(options.timeoutMs / 2) })
  side.outliveAbort()
  return side
}

/** Lets `side` be asked whether the server is at work for `main`. */
export async function watchBy(main: PostgresClient, side: PostgresClient): Promise<void> {
  const { rows } = await main.query('select pg_catalog.pg_backend_pid() as pid')
  const pid: unknown = rows[0]?.pid
  let asked = 0
  main.askBy(async () => {
    asked += 1
    const [row] = (await side.query(SIGN, [pid])).rows
    if (row === undefined) return undefined
    const { state, wait_event: waitsFor, bytes } = row
    const isBusy = state === 'active' && waitsFor !== 'ClientRead' && waitsFor !== 'ClientWrite'
    return isBusy ? `busy ${asked}` : `${state} ${waitsFor} ${bytes}`
  })
}

/** A commit is on the disk when it returns, whatever the server's default is. */
async function makeDurable(main: PostgresClient): Promise<void> {
  await main.query(`select pg_catalog.set_config('synchronous_commit', 'on', false)
    where pg_catalog.current_setting('synchronous_commit') in ('off', 'local')`)
}
