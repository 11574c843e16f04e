// The leases on pipelines, in a table beside their checkpoints; the time is the server's.

import { type Claim, isHeld, type Lease, nextLease } from '../../lease.ts'
import type { PostgresClient } from '../../postgres/client.ts'
import { quoteName } from '../../sql/name.ts'

/** A lease with the session in which its holder writes, and the server's time. */
export interface FoundLease extends Lease {
  readonly backend: string
  readonly nowMs: number
}

const MS = (sql: string): string => `(extract(epoch from ${sql}) * 1000)::float8`

/** How long a lease is waited for that another instance is changing now. */
const LOCK_MS = 5000

/**
 * The session of a connection, told apart from a later one of the same number. One out of a pool is nobody's: to end it
 * would end somebody else's work.
 */
export const BACKEND = `(select pid || '@' || extract(epoch from backend_start) from pg_catalog.pg_stat_activity
  where pid = pg_catalog.pg_backend_pid())`

/** The lease on one pipeline in one database. */
export class LeaseTable {
  readonly #table: string
  readonly #pipeline: string
  /** The number of the lease that this instance holds; 0 before it has one. */
  #token = 0

  /** Whether sessions of the server are shared with others, one transaction each. */
  readonly #isPooled: boolean

  constructor(schema: string, pipeline: string, isPooled = false) {
    this.#isPooled = isPooled
    this.#table = `${quoteName(schema)}.sluice_leases`
    this.#pipeline = pipeline
  }

  /** The table in SQL, to be made where it is missing. */
  get createSql(): string {
    return `create table if not exists ${this.#table} (
      pipeline text primary key, token bigint not null, pid integer not null, host text not null, owner text not null,
      since timestamp with time zone not null, renewed timestamp with time zone not null, backend text)`
  }

  /** The lease as it is stored now. */
  async current(client: PostgresClient): Promise<Lease | undefined> {
    return await this.find(client, '')
  }

  /**
   * Takes the lease; gives the one that stands against it, if one does. The session of the holder before is ended: what
   * it has not committed must not lock out who goes on.
   */
  async take(client: PostgresClient, claim: Omit<Claim, 'nowMs'>): Promise<Lease | undefined> {
    const before = await this.find(client, '')
    if (before !== undefined && isHeld(before, { ...claim, nowMs: before.nowMs })) return before
    if (before !== undefined) await this.#endSession(client, before.backend)
    await client.query(`begin isolation level read committed read write; set local lock_timeout = ${LOCK_MS}`)
    const lock = `insert into ${this.#table} values ($1, 0, 0, '', '', to_timestamp(0), to_timestamp(0), null)
      on conflict (pipeline) do nothing`
    await client.query(lock, [this.#pipeline])
    const found = await this.find(client, 'for update')
    if (found !== undefined && isHeld(found, { ...claim, nowMs: found.nowMs })) {
      await client.query('rollback')
      return found
    }
    const { token, pid, host, owner } = nextLease(found, { ...claim, nowMs: found?.nowMs ?? 0 })
    const sql = `update ${this.#table} set token = $2, pid = $3, host = $4, owner = $5, since = clock_timestamp(),
      renewed = clock_timestamp(), backend = ${this.#isPooled ? 'null' : BACKEND} where pipeline = $1`
    await client.query(sql, [this.#pipeline, token, pid, host, owner])
    await client.query('commit')
    this.#token = token
    return undefined
  }

  /** A sign of life; false if another instance has taken over. In a transaction nobody takes over until its end. */
  async renew(client: PostgresClient): Promise<boolean> {
    const sql = `update ${this.#table} set renewed = clock_timestamp() where pipeline = $1 and token = $2`
    return (await client.query(sql, [this.#pipeline, this.#token])).rowCount === 1
  }

  /** Lets go of it, if it is ours still. */
  async release(client: PostgresClient): Promise<void> {
    if (this.#token === 0) return
    const sql = `update ${this.#table} set pid = 0 where pipeline = $1 and token = $2`
    await client.query(sql, [this.#pipeline, this.#token])
  }

  /** As `current`, with what tells whether it is held; with a lock, nobody takes it until the transaction ends. */
  async find(client: PostgresClient, lock: '' | 'for update'): Promise<FoundLease | undefined> {
    const sql = `select token::float8, pid, host, owner, backend, ${MS('since')} as since, ${MS('renewed')} as renewed,
      ${MS('clock_timestamp()')} as now from ${this.#table} where pipeline = $1 ${lock}`
    const [row] = (await client.query(sql, [this.#pipeline])).rows
    if (row === undefined) return undefined
    const { token, pid, host, owner, backend, since: sinceMs, renewed: renewedMs, now: nowMs } = row
    return { token, pid, host, owner, backend: backend ?? '', sinceMs, renewedMs, nowMs }
  }

  async #endSession(client: PostgresClient, backend: string): Promise<void> {
    const sql = `select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
      where pid || '@' || extract(epoch from backend_start) = $1 and pid <> pg_catalog.pg_backend_pid()`
    try {
      await client.query(sql, [backend])
    } catch (error) {
      // Another role's session cannot be ended: what it locks is waited for. A connection that is lost says so next.
      if (client.isLost) throw error
    }
  }
}
