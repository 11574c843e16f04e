// The leases on pipelines, in a table next to their checkpoints: one per shard.

import { type Claim, isHeld, LEASE_MS, type Lease, nextLease } from '../../lease.ts'
import { type Shard, shardText, WHOLE } from '../../shard.ts'
import type { SqlDialect } from './dialect.ts'
import { hasTable, parameters } from './tables.ts'
import { all, run, type SqlRow, type Work } from './work.ts'

/** A lease, and the current time by the same clock. */
export interface FoundLease extends Lease {
  readonly pipeline: string
  /** `2/8` */
  readonly shard: string
  /** The holder's session, if it has one. */
  readonly backend: unknown
  readonly nowMs: number
}

/** The lease that excludes a shard, its own or one of another count; else the shards of another count, which have ended. */
export interface Rivals {
  readonly holder?: FoundLease
  readonly over: readonly string[]
}

/**
 * The lease on one shard of a pipeline in one database. Changes must be made in a transaction, except for `renew` and
 * `release`.
 */
export class LeaseTable {
  readonly #dialect: SqlDialect
  readonly #table: string
  readonly #pipeline: string
  readonly #shard: string
  /** The token of the lease held by this instance, unique within the pipeline; 0 without a lease. */
  #token = 0

  constructor(dialect: SqlDialect, pipeline: string, shard: Shard) {
    this.#dialect = dialect
    this.#table = dialect.table('sluice_leases')
    this.#pipeline = pipeline
    this.#shard = shardText(shard)
  }

  /** The lease of this shard as it is stored now. */
  *current(): Work<FoundLease | undefined> {
    return (yield* this.#all()).find(({ shard }) => shard === this.#shard)
  }

  /** The leases of all shards that have ever started, held or not. */
  *found(lock = ''): Work<readonly FoundLease[]> {
    return (yield* hasTable(this.#dialect, 'sluice_leases')) ? yield* this.#all(lock) : []
  }

  /** Those that exclude others. With a lock nobody changes any until the transaction ends. */
  *held(lock = ''): Work<readonly FoundLease[]> {
    return (yield* this.found(lock)).filter((lease) => isHeldFrom(ANYBODY, lease))
  }

  /** What `take` would find; nothing is taken. */
  *against(claim: Omit<Claim, 'nowMs'>): Work<Rivals> {
    return this.#against(claim, yield* this.#all())
  }

  /** Takes the lease, unless another one prevents that. */
  *take(claim: Omit<Claim, 'nowMs'>): Work<Rivals> {
    const { alone, forUpdate, session } = this.#dialect
    // Uncommitted work of a dead holder must not lock out its successor.
    for (const lease of this.#rivals(yield* this.#all())) {
      if (!isHeldFrom(claim, lease)) yield* session?.end(lease.backend) ?? []
    }
    yield* alone(this.#pipeline)
    const found = yield* this.#all(forUpdate)
    const rivals = this.#against(claim, found)
    if (rivals.holder !== undefined) return rivals
    for (const shard of rivals.over) yield* this.#forget(shard)
    yield* this.#write(nextLease(newestOf(found), { ...claim, nowMs: 0 }))
    return rivals
  }

  /** Takes over the lease of this number; false if there is no such one. */
  *breakOff(token: number): Work<boolean> {
    const lease = (yield* this.held()).find((one) => one.token === token)
    if (lease === undefined) return false
    yield* this.#dialect.session?.end(lease.backend) ?? []
    const next = (newestOf(yield* this.#all())?.token ?? 0) + 1
    return yield* this.#change(`pid = 0, token = ${next}`, token)
  }

  /** Works under the lease of a run; false if that run does not hold it. */
  *borrow(owner: string): Work<boolean> {
    const lease = yield* this.current()
    if (lease === undefined || lease.owner !== owner) return false
    this.#token = lease.token
    return true
  }

  *isOurs(): Work<boolean> {
    return (yield* this.current())?.token === this.#token
  }

  /**
   * Renews the lease; false if another instance has taken over. Within a transaction nobody takes over until its end.
   */
  renew(): Work<boolean> {
    return this.#change(`renewed = ${this.#dialect.now()}`, this.#token)
  }

  /** Releases it, if it is still ours. */
  *release(): Work<void> {
    if (this.#token !== 0) yield* this.#change('pid = 0', this.#token)
  }

  *#all(lock = ''): Work<readonly FoundLease[]> {
    const { parameter } = this.#dialect
    const sql = `${selectLeases(this.#dialect)} where pipeline = ${parameter(1)} ${lock}`
    return (yield* all(sql, [this.#pipeline])).map(leaseOf)
  }

  #against(claim: Omit<Claim, 'nowMs'>, found: readonly FoundLease[]): Rivals {
    const rivals = this.#rivals(found)
    const holder = rivals.find((lease) => isHeldFrom(claim, lease))
    if (holder !== undefined) return { holder, over: [] }
    return { over: rivals.map(({ shard }) => shard).filter((shard) => shard !== this.#shard) }
  }

  #rivals(found: readonly FoundLease[]): readonly FoundLease[] {
    const count = countOf(this.#shard)
    return found.filter(({ shard }) => shard === this.#shard || countOf(shard) !== count)
  }

  *#write({ token, pid, host, owner }: Lease): Work<void> {
    const { now, session, upsert } = this.#dialect
    const columns = ['pipeline', 'shard', 'token', 'pid', 'host', 'owner', 'since', 'renewed']
    const row = [parameters(this.#dialect, 6), now(), now()]
    if (session !== undefined) {
      columns.push('backend')
      row.push(session.own)
    }
    const sql = upsert({ table: this.#table, columns, key: ['pipeline', 'shard'], rows: [`(${row.join(', ')})`] })
    yield* run(sql, [this.#pipeline, this.#shard, token, pid, host, owner])
    this.#token = token
  }

  /** For a run with another count, which has ended: should it wake up, it cannot commit any more. */
  *#forget(shard: string): Work<void> {
    const { parameter } = this.#dialect
    const sql = `delete from ${this.#table} where pipeline = ${parameter(1)} and shard = ${parameter(2)}`
    yield* run(sql, [this.#pipeline, shard])
  }

  *#change(what: string, token: number): Work<boolean> {
    const { parameter } = this.#dialect
    const sql = `update ${this.#table} set ${what} where pipeline = ${parameter(1)} and token = ${parameter(2)}`
    return (yield* run(sql, [this.#pipeline, token])) === 1
  }
}

/** All leases, with their times and the time now in milliseconds. */
export function selectLeases(dialect: SqlDialect): string {
  const { millis, now, table } = dialect
  return `select l.*, ${millis('since')} as since_ms, ${millis('renewed')} as renewed_ms, ${millis(now())} as now_ms
    from ${table('sluice_leases')} l`
}

/** A row of {@link selectLeases}, also from a table without shards. */
export function leaseOf(row: SqlRow): FoundLease {
  return {
    pipeline: String(row.pipeline),
    shard: String(row.shard ?? shardText(WHOLE)),
    token: Number(row.token),
    pid: Number(row.pid),
    host: String(row.host),
    owner: String(row.owner),
    backend: row.backend,
    sinceMs: Number(row.since_ms),
    renewedMs: Number(row.renewed_ms),
    nowMs: Number(row.now_ms),
  }
}

/** Whether a lease excludes a claimant, or anybody. */
export function isHeldFrom(claim: Omit<Claim, 'nowMs'>, found: FoundLease): boolean {
  return isHeld(found, { ...claim, nowMs: found.nowMs })
}

/** Claims nothing: to see whether anybody holds a lease. */
export const ANYBODY: Omit<Claim, 'nowMs'> = { owner: '', leaseMs: LEASE_MS }

function newestOf(leases: readonly FoundLease[]): FoundLease | undefined {
  return leases.reduce<FoundLease | undefined>((a, b) => (a !== undefined && a.token > b.token ? a : b), undefined)
}

/** The number of shards, of which a shard is one. */
export function countOf(shard: string): string | undefined {
  return shard.split('/')[1]
}
