// Checkpoints, leases and dead letters of pipelines in a DuckDB file.

import type { DuckDBValue } from '@duckdb/node-api'
import type { Session } from '../../duckdb/session.ts'
import { type Claim, isHeld, type Lease, nextLease } from '../../lease.ts'
import type { DeadLetter } from '../../origin.ts'
import type { Checkpoint, KeptLetter } from '../../sink.ts'
import { quoteName } from '../../sql/name.ts'
import { storable } from '../../sql/storable.ts'
import { CHECKPOINT_VERSION, committer, type Found, readCheckpoint } from '../../stored-checkpoint.ts'

const TABLES = `
  create table if not exists sluice_checkpoints (pipeline varchar primary key, version bigint, epoch bigint,
    totals varchar, splits bigint, parts bigint, committed_at bigint, committed_by varchar);
  create table if not exists sluice_positions (pipeline varchar, split varchar, position varchar, primary key (pipeline, split));
  create table if not exists sluice_states (pipeline varchar, part varchar, state blob, primary key (pipeline, part));
  create table if not exists sluice_leases (pipeline varchar primary key, token bigint, pid bigint, host varchar,
    owner varchar, since bigint, renewed bigint)`

const START_OVER = 'to start over: sluice checkpoints FILE reset'

/** What is kept of a pipeline beside its lease. */
const KEPT = ['sluice_checkpoints', 'sluice_positions', 'sluice_states']

/** Letters that one statement takes out. */
const AT_ONCE = 1000

const LETTER_COLUMNS = {
  pipeline: 'varchar',
  file: 'varchar',
  line: 'bigint',
  offset: 'bigint',
  step: 'varchar',
  part: 'bigint',
  reason: 'varchar',
  raw: 'varchar',
  epoch: 'bigint',
  time: 'timestamp',
}
const LETTER_KEY = ['pipeline', 'file', 'offset', 'step', 'part']

/** What one pipeline keeps in one file. Every call is made inside a transaction that its caller began. */
export class OwnTables {
  readonly #session: Session
  readonly #pipeline: string
  readonly #letters: string
  readonly #splits = new Set<string>()
  readonly #parts = new Set<string>()
  /** The number of the lease that this instance holds; 0 before it has one. */
  #token = 0
  /** The epoch of the last commit that this instance knows. */
  epoch = 0

  constructor(session: Session, pipeline: string, letters: string) {
    this.#session = session
    this.#pipeline = pipeline
    this.#letters = letters
  }

  async create(): Promise<void> {
    await this.#session.run(TABLES)
    const fields = Object.entries(LETTER_COLUMNS).map(([name, type]) => `${quoteName(name)} ${type}`)
    const key = LETTER_KEY.map(quoteName).join(', ')
    await this.#session.run(
      `create table if not exists ${quoteName(this.#letters)} (${fields.join(', ')}, primary key (${key}))`,
    )
  }

  async lease(): Promise<Lease | undefined> {
    const [row] = await this.#session.all('select * from sluice_leases where pipeline = $1', [this.#pipeline])
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
  async take(claim: Claim): Promise<Lease | undefined> {
    const found = await this.lease()
    if (found !== undefined && isHeld(found, claim)) return found
    const { token, pid, host, owner, sinceMs, renewedMs } = nextLease(found, claim)
    await this.#session.run('insert or replace into sluice_leases values ($1, $2, $3, $4, $5, $6, $7)', [
      this.#pipeline,
      BigInt(token),
      BigInt(pid),
      host,
      owner,
      BigInt(sinceMs),
      BigInt(renewedMs),
    ])
    this.#token = token
    return undefined
  }

  async isOurs(): Promise<boolean> {
    return (await this.lease())?.token === this.#token
  }

  async renew(nowMs: number): Promise<void> {
    await this.#session.run('update sluice_leases set renewed = $1 where pipeline = $2', [
      BigInt(nowMs),
      this.#pipeline,
    ])
  }

  async release(): Promise<void> {
    if (this.#token === 0 || !(await this.isOurs())) return
    await this.#session.run('update sluice_leases set pid = 0 where pipeline = $1', [this.#pipeline])
  }

  /** @throws {SluiceError} CHECKPOINT_INVALID */
  async restore(): Promise<Checkpoint | undefined> {
    const select = async (table: string) => {
      if (!(await this.has(table))) return []
      return await this.#session.all(`select * from ${table} where pipeline = $1`, [this.#pipeline])
    }
    const [row] = await select('sluice_checkpoints')
    const states = await select('sluice_states')
    const found: Found = {
      checkpoint:
        row === undefined
          ? undefined
          : {
              version: plain(row.version),
              epoch: plain(row.epoch),
              totals: row.totals,
              splits: plain(row.splits),
              parts: plain(row.parts),
            },
      positions: (await select('sluice_positions')) as unknown as Found['positions'],
      states: states.map(({ part, state }) => ({ part, state: (state as { bytes?: unknown } | null)?.bytes })),
    }
    const checkpoint = readCheckpoint(this.#pipeline, found, START_OVER)
    if (checkpoint === undefined) return undefined
    this.epoch = checkpoint.epoch
    for (const split of checkpoint.positions.keys()) this.#splits.add(split)
    for (const part of checkpoint.states.keys()) this.#parts.add(part)
    return checkpoint
  }

  /** Whether a table is there. */
  async has(table: string): Promise<boolean> {
    const sql = `select 1 from duckdb_tables() where schema_name = 'main' and not internal and not temporary
      and database_name = current_database() and lower(table_name) = lower($1)`
    return (await this.#session.all(sql, [table])).length > 0
  }

  /** Who committed last and when, for a person: `epoch 3, by process 812 on web1 at 2026-03-02T10:00:00.000Z`. */
  async lastCommit(): Promise<string> {
    const sql = 'select epoch, committed_by as by, committed_at as at from sluice_checkpoints where pipeline = $1'
    const [row] = await this.#session.all(sql, [this.#pipeline])
    if (row === undefined) return 'and removed its checkpoint'
    return `epoch ${row.epoch}, by ${row.by ?? 'a process unknown'} at ${new Date(Number(row.at)).toISOString()}`
  }

  /** Forgets positions, totals and states, and dead letters where it is told to. */
  async forget({ deadLetters }: { readonly deadLetters: boolean }): Promise<void> {
    for (const table of deadLetters ? [...KEPT, this.#letters] : KEPT) {
      if (!(await this.has(table))) continue
      await this.#session.run(`delete from ${quoteName(table)} where pipeline = $1`, [this.#pipeline])
    }
  }

  async save({ epoch, positions, totals, states }: Checkpoint, nowMs: number): Promise<void> {
    for (const split of positions.keys()) this.#splits.add(split)
    for (const [part, state] of states) {
      if (state.length === 0) this.#parts.delete(part)
      else this.#parts.add(part)
    }
    await this.#session.run('insert or replace into sluice_checkpoints values ($1, $2, $3, $4, $5, $6, $7, $8)', [
      this.#pipeline,
      BigInt(CHECKPOINT_VERSION),
      BigInt(epoch),
      JSON.stringify(totals),
      BigInt(this.#splits.size),
      BigInt(this.#parts.size),
      BigInt(nowMs),
      committer(),
    ])
    for (const [split, position] of positions) {
      const values = [this.#pipeline, split, JSON.stringify(position)]
      await this.#session.run('insert or replace into sluice_positions values ($1, $2, $3)', values)
    }
    for (const [part, state] of states) {
      if (state.length === 0) {
        await this.#session.run('delete from sluice_states where pipeline = $1 and part = $2', [this.#pipeline, part])
      } else {
        const blob = new this.#session.duckdb.DuckDBBlobValue(state)
        await this.#session.run('insert or replace into sluice_states values ($1, $2, $3)', [
          this.#pipeline,
          part,
          blob,
        ])
      }
    }
  }

  async bury(letters: readonly DeadLetter[], atMs: number): Promise<void> {
    const { BIGINT, TIMESTAMP, VARCHAR, DuckDBTimestampValue } = this.#session.duckdb
    const types = Object.values(LETTER_COLUMNS).map((type) =>
      type === 'varchar' ? VARCHAR : type === 'bigint' ? BIGINT : TIMESTAMP,
    )
    // One that is buried twice in a batch would be in its own way.
    const rows = new Map<string, DuckDBValue[]>()
    for (const letter of letters) {
      const { origin, step, reason } = letter
      const { source, line, offset, raw, part = 0 } = origin
      const at = new DuckDBTimestampValue(BigInt(atMs) * 1000n)
      const file = storable(source)
      const own = [this.#pipeline, file, BigInt(line), BigInt(offset), storable(step), BigInt(part)]
      const row = [...own, storable(reason), storable(raw), BigInt(this.epoch + 1), at]
      rows.set(JSON.stringify([file, offset, storable(step), part]), row)
    }
    const all = [...rows.values()]
    const columns = types.map((_, at) => all.map((row) => row[at] as DuckDBValue))
    await this.#session.upsert(this.#letters, Object.keys(LETTER_COLUMNS), types, LETTER_KEY, columns)
  }

  /** Takes letters out again. */
  async exhume(letters: readonly KeptLetter[]): Promise<void> {
    for (let from = 0; from < letters.length; from += AT_ONCE) {
      const values: DuckDBValue[] = [this.#pipeline]
      const places = letters.slice(from, from + AT_ONCE).map(({ origin, step, part }) => {
        values.push(storable(origin.source), BigInt(origin.offset), storable(step), BigInt(part))
        const at = values.length
        return `($${at - 3}, $${at - 2}, $${at - 1}, $${at})`
      })
      const sql = `delete from ${quoteName(this.#letters)} where pipeline = $1
        and (file, "offset", step, part) in (${places.join(', ')})`
      await this.#session.run(sql, values)
    }
  }
}

/** What DuckDB gives as a bigint, as the number that was stored. */
function plain(value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value
}
