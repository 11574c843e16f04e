// The leases on pipelines, in a table beside their checkpoints.

import { type Claim, isHeld, type Lease, nextLease } from '../../lease.ts'
import type { SqlDialect } from './dialect.ts'
import { hasTable, parameters } from './tables.ts'
import { all, run, type Work } from './work.ts'

/** A lease, and the time by the same clock. */
export interface FoundLease extends Lease {
  readonly nowMs: number
}

/** The lease on one pipeline in one database. What changes it belongs in a transaction, but for `renew` and `release`. */
export class LeaseTable {
  readonly #dialect: SqlDialect
  readonly #table: string
  readonly #pipeline: string
  /** The number of the lease that this instance holds; 0 before it has one. */
  #token = 0

  constructor(dialect: SqlDialect, pipeline: string) {
    this.#dialect = dialect
    this.#table = dialect.table('sluice_leases')
    this.#pipeline = pipeline
  }

  get createSql(): string {
    const { types, leaseColumns = '' } = this.#dialect
    return `create table if not exists ${this.#table} (
      pipeline text primary key, token bigint not null, pid integer not null, host text not null, owner text not null,
      since ${types.time} not null, renewed ${types.time} not null${leaseColumns})`
  }

  /** The lease as it is stored now; with a lock nobody else changes it until the transaction ends. */
  *current(lock = ''): Work<FoundLease | undefined> {
    const { millis, now, parameter } = this.#dialect
    const sql = `select token, pid, host, owner, ${millis('since')} as since, ${millis('renewed')} as renewed,
      ${millis(now())} as now from ${this.#table} where pipeline = ${parameter(1)} ${lock}`
    const [row] = yield* all(sql, [this.#pipeline])
    if (row === undefined) return undefined
    return {
      token: Number(row.token),
      pid: Number(row.pid),
      host: String(row.host),
      owner: String(row.owner),
      sinceMs: Number(row.since),
      renewedMs: Number(row.renewed),
      nowMs: Number(row.now),
    }
  }

  /** The lease if it keeps others out, and there is a table. */
  *holder(claim: Omit<Claim, 'nowMs'>, lock = ''): Work<FoundLease | undefined> {
    if (!(yield* hasTable(this.#dialect, 'sluice_leases'))) return undefined
    const found = yield* this.current(lock)
    return found !== undefined && isHeld(found, { ...claim, nowMs: found.nowMs }) ? found : undefined
  }

  /** Takes the lease; gives the one that stands against it, if one does. */
  *take(claim: Omit<Claim, 'nowMs'>): Work<Lease | undefined> {
    const { parameter, now, forUpdate } = this.#dialect
    let found = yield* this.current(forUpdate)
    if (found === undefined) {
      yield* this.#makeRow()
      found = yield* this.current(forUpdate)
    }
    const nowMs = found?.nowMs ?? 0
    if (found !== undefined && isHeld(found, { ...claim, nowMs })) return found
    const { token, pid, host, owner } = nextLease(found, { ...claim, nowMs })
    const sql = `update ${this.#table} set token = ${parameter(1)}, pid = ${parameter(2)}, host = ${parameter(3)},
      owner = ${parameter(4)}, since = ${now()}, renewed = ${now()} where pipeline = ${parameter(5)}`
    yield* run(sql, [token, pid, host, owner, this.#pipeline])
    this.#token = token
    return undefined
  }

  /** Takes the lease of this number from who holds it; false if there is no such one. */
  *breakOff(token: number): Work<boolean> {
    const { parameter } = this.#dialect
    const sql = `update ${this.#table} set pid = 0, token = token + 1
      where pipeline = ${parameter(1)} and token = ${parameter(2)} and pid <> 0`
    return (yield* run(sql, [this.#pipeline, token])) === 1
  }

  *isOurs(): Work<boolean> {
    return (yield* this.current())?.token === this.#token
  }

  /** A sign of life; false if another instance has taken over. In a transaction nobody takes over until its end. */
  *renew(): Work<boolean> {
    const { now, parameter } = this.#dialect
    const sql = `update ${this.#table} set renewed = ${now()} where pipeline = ${parameter(1)} and token = ${parameter(2)}`
    return (yield* run(sql, [this.#pipeline, this.#token])) === 1
  }

  /** Lets go of it, if it is still ours. */
  *release(): Work<void> {
    if (this.#token === 0) return
    const { parameter } = this.#dialect
    const sql = `update ${this.#table} set pid = 0 where pipeline = ${parameter(1)} and token = ${parameter(2)}`
    yield* run(sql, [this.#pipeline, this.#token])
  }

  /** A row that nobody holds: there is something to lock, also where two begin at once. */
  *#makeRow(): Work<void> {
    const { now } = this.#dialect
    const columns = ['pipeline', 'token', 'pid', 'host', 'owner', 'since', 'renewed']
    const rows = [`(${parameters(this.#dialect, 5)}, ${now()}, ${now()})`]
    const sql = this.#dialect.upsert({ table: this.#table, columns, key: ['pipeline'], rows, keepsOld: true })
    yield* run(sql, [this.#pipeline, 0, 0, '', ''])
  }
}
