// The leases on pipelines, in a table beside their checkpoints.

import type { DatabaseSync } from 'node:sqlite'
import { type Claim, isHeld, type Lease, nextLease } from '../../lease.ts'

const TABLE = `
  create table if not exists sluice_leases (
    pipeline text primary key, token integer not null, pid integer not null, host text not null, owner text not null,
    since integer not null, renewed integer not null
  );
`

/** The lease on one pipeline in one database. Every call is to be made inside a transaction that its caller began. */
export class LeaseTable {
  readonly #database: DatabaseSync
  readonly #pipeline: string
  /** The number of the lease that this instance holds; 0 before it has one. */
  #token = 0

  constructor(database: DatabaseSync, pipeline: string) {
    this.#database = database
    this.#pipeline = pipeline
  }

  create(): void {
    this.#database.exec(TABLE)
  }

  /** The lease as it is stored now; undefined also while there is no table. */
  current(): Lease | undefined {
    const table = `select 1 from sqlite_schema where name = 'sluice_leases'`
    if (this.#database.prepare(table).get() === undefined) return undefined
    const row = this.#database
      .prepare('select token, pid, host, owner, since, renewed from sluice_leases where pipeline = ?')
      .get(this.#pipeline)
    if (row === undefined) return undefined
    return {
      token: Number(row.token),
      pid: Number(row.pid),
      host: String(row.host),
      owner: String(row.owner),
      sinceMs: Number(row.since),
      renewedMs: Number(row.renewed),
    }
  }

  /** Takes the lease; gives the one that stands against it, if one does. */
  take(claim: Claim): Lease | undefined {
    const found = this.current()
    if (found !== undefined && isHeld(found, claim)) return found
    const { token, pid, host, owner, sinceMs, renewedMs } = nextLease(found, claim)
    this.#database
      .prepare('insert or replace into sluice_leases values (?, ?, ?, ?, ?, ?, ?)')
      .run(this.#pipeline, token, pid, host, owner, sinceMs, renewedMs)
    this.#token = token
    return undefined
  }

  /** Whether the lease is ours still. */
  isOurs(): boolean {
    return this.current()?.token === this.#token
  }

  /** A sign of life; false if another instance has taken over. */
  renew(nowMs: number): boolean {
    const sql = 'update sluice_leases set renewed = ? where pipeline = ? and token = ?'
    return Number(this.#database.prepare(sql).run(nowMs, this.#pipeline, this.#token).changes) === 1
  }

  /** Lets go of it, if it is ours still. */
  release(): void {
    if (this.#token === 0) return
    const sql = 'update sluice_leases set pid = 0 where pipeline = ? and token = ?'
    this.#database.prepare(sql).run(this.#pipeline, this.#token)
  }
}
