// Takes leases in PostgreSQL, where the session of the holder before may still hold locks.

import type { SqlStore } from '../../kits/store/store.ts'
import { all, run, type Work } from '../../kits/store/work.ts'
import { type Claim, isHeld } from '../../lease.ts'
import { attempt } from './evolving.ts'
import { literal } from './literal.ts'

/** How long a lease is waited for that another instance is changing now. */
const LOCK_MS = 5000

/**
 * The session of a connection, told apart from a later one of the same number. One out of a pool is nobody's: to end it
 * would end somebody else's work.
 */
const BACKEND = `(select pid || '@' || extract(epoch from backend_start) from pg_catalog.pg_stat_activity
  where pid = pg_catalog.pg_backend_pid())`

/**
 * Takes the lease. The session of the holder before is ended: what it has not committed must not lock out who goes on.
 *
 * @param isPooled - whether sessions of the server are shared with others, one transaction each
 */
export function* takeLease(table: string, isPooled: boolean, store: SqlStore, claim: Omit<Claim, 'nowMs'>): Work<void> {
  const { pipeline } = store
  const before = yield* store.leases.current()
  if (before !== undefined && !isHeld(before, { ...claim, nowMs: before.nowMs })) yield* endSession(table, pipeline)
  yield* run(`set local lock_timeout = ${LOCK_MS}`)
  yield* store.take(claim)
  yield* run(`update ${table} set backend = ${isPooled ? 'null' : BACKEND} where pipeline = $1`, [pipeline])
  yield* run('set local lock_timeout to default')
}

/** Ends the session of who holds the pipeline, if it has one of its own. */
export function* endSession(table: string, pipeline: string): Work<void> {
  const [row] = yield* all(`select backend from ${table} where pipeline = $1`, [pipeline])
  // Another role's session cannot be ended: what it locks is waited for.
  yield* attempt(`select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
    where pid || '@' || extract(epoch from backend_start) = ${literal(String(row?.backend))}
    and pid <> pg_catalog.pg_backend_pid()`)
}
