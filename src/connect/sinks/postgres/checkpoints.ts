// The checkpoints of pipelines, in tables beside their rows: one transaction commits both.

import type { PostgresClient } from '../../postgres/client.ts'
import type { Checkpoint } from '../../sink.ts'
import { quoteName } from '../../sql/name.ts'
import {
  CHECKPOINT_VERSION,
  checkpointInvalid,
  committer,
  type Found,
  readCheckpoint,
  type StoredCheckpoint,
} from '../../stored-checkpoint.ts'

/** What is kept of a pipeline beside its lease. */
export const TABLES = ['sluice_checkpoints', 'sluice_positions', 'sluice_states'] as const

const START_OVER = 'to start over: sluice checkpoints FILE reset'

/** The checkpoint of one pipeline in one database. The epoch fences, too. */
export class CheckpointTable {
  readonly #schema: string
  readonly #pipeline: string
  /** The epoch that this instance has committed or found; 0 before the first. */
  #epoch = 0
  /** Splits that have a position, and parts that have a state. */
  readonly #splits = new Set<string>()
  readonly #parts = new Set<string>()

  constructor(schema: string, pipeline: string) {
    this.#schema = quoteName(schema)
    this.#pipeline = pipeline
  }

  /** The epoch of the last commit that this instance knows. */
  get epoch(): number {
    return this.#epoch
  }

  /** The tables in SQL, to be made where they are missing. */
  get createSql(): string {
    const schema = this.#schema
    return `
      create table if not exists ${schema}.sluice_checkpoints (
        pipeline text primary key, version integer not null, epoch bigint not null, totals text not null,
        splits integer not null, parts integer not null, committed_at timestamp with time zone not null,
        committed_by text);
      create table if not exists ${schema}.sluice_positions (
        pipeline text not null, split text not null, position text not null, primary key (pipeline, split));
      create table if not exists ${schema}.sluice_states (
        pipeline text not null, part text not null, state bytea not null, primary key (pipeline, part))`
  }

  /**
   * What the last commit left; undefined at a first run.
   * @throws {SluiceError} CHECKPOINT_INVALID if it cannot be read: nothing then starts over by itself
   */
  async restore(client: PostgresClient): Promise<Checkpoint | undefined> {
    // One snapshot, so that all tables are seen as of the same commit.
    await client.query('begin isolation level repeatable read read only')
    const found = await this.#find(client).catch(async (error: unknown) => {
      if (!client.isLost) await client.query('rollback')
      throw error
    })
    await client.query('commit')
    const checkpoint = readCheckpoint(this.#pipeline, found, START_OVER)
    if (checkpoint === undefined) return undefined
    this.#epoch = checkpoint.epoch
    for (const split of checkpoint.positions.keys()) this.#splits.add(split)
    for (const part of checkpoint.states.keys()) this.#parts.add(part)
    return checkpoint
  }

  /** Who committed last and when, for a person: `epoch 3, by process 812 on web1 at 2026-03-02T10:00:00.000Z`. */
  async lastCommit(client: PostgresClient): Promise<string> {
    const sql = `select epoch, committed_by as by, (extract(epoch from committed_at) * 1000)::float8 as at
      from ${this.#schema}.sluice_checkpoints where pipeline = $1`
    const [row] = (await client.query(sql, [this.#pipeline])).rows
    if (row === undefined) return 'and removed its checkpoint'
    return `epoch ${row.epoch}, by ${row.by ?? 'a process unknown'} at ${new Date(row.at).toISOString()}`
  }

  /** Writes a checkpoint inside the transaction of its rows; false if another instance has committed meanwhile. */
  async save(client: PostgresClient, { epoch, positions, totals, states }: Checkpoint): Promise<boolean> {
    for (const split of positions.keys()) this.#splits.add(split)
    for (const [part, state] of states) {
      if (state.length === 0) this.#parts.delete(part)
      else this.#parts.add(part)
    }
    if (!(await this.#advance(client, epoch, JSON.stringify(totals)))) return false
    if (positions.size > 0) await this.#move(client, positions)
    if (states.size > 0) await this.#keep(client, states)
    return true
  }

  /** The transaction with `save` in it is committed. */
  saved(epoch: number): void {
    this.#epoch = epoch
  }

  async #advance(client: PostgresClient, epoch: number, totals: string): Promise<boolean> {
    const table = `${this.#schema}.sluice_checkpoints`
    const values = [this.#pipeline, CHECKPOINT_VERSION, epoch, totals, this.#splits.size, this.#parts.size, committer()]
    const insert = `insert into ${table} (pipeline, version, epoch, totals, splits, parts, committed_at, committed_by)
      values ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7) on conflict (pipeline) do nothing`
    const update = `update ${table} set version = $2, epoch = $3, totals = $4, splits = $5, parts = $6,
      committed_at = clock_timestamp(), committed_by = $7 where pipeline = $1 and epoch = $8`
    const isFirst = this.#epoch === 0
    const { rowCount } = await client.query(isFirst ? insert : update, isFirst ? values : [...values, this.#epoch])
    return rowCount === 1
  }

  async #move(client: PostgresClient, positions: Checkpoint['positions']): Promise<void> {
    const sql = `insert into ${this.#schema}.sluice_positions
      select $1, split, position from unnest($2::text[], $3::text[]) as moved (split, position)
      on conflict (pipeline, split) do update set position = excluded.position`
    const texts = [...positions.values()].map((position) => JSON.stringify(position))
    await client.query(sql, [this.#pipeline, [...positions.keys()], texts])
  }

  async #keep(client: PostgresClient, states: Checkpoint['states']): Promise<void> {
    const table = `${this.#schema}.sluice_states`
    const gone = [...states].filter(([, state]) => state.length === 0).map(([part]) => part)
    const forget = `delete from ${table} where pipeline = $1 and part = any($2::text[])`
    if (gone.length > 0) await client.query(forget, [this.#pipeline, gone])
    const keep = `insert into ${table} values ($1, $2, $3)
      on conflict (pipeline, part) do update set state = excluded.state`
    for (const [part, state] of states) {
      // One by one: together they might be more than one message holds.
      if (state.length > 0) await client.query(keep, [this.#pipeline, part, Buffer.from(state)])
    }
  }

  async #find(client: PostgresClient): Promise<Found> {
    const select = async (table: string, columns: string): Promise<Record<string, unknown>[]> => {
      const sql = `select ${columns} from ${this.#schema}.${table} where pipeline = $1`
      return (await client.query(sql, [this.#pipeline])).rows
    }
    const [row] = await select('sluice_checkpoints', 'version, epoch, totals, splits, parts')
    const positions = await select('sluice_positions', 'split, position')
    const states = await select('sluice_states', 'part, state')
    const epoch = Number(row?.epoch)
    if (row !== undefined && !Number.isSafeInteger(epoch)) {
      throw checkpointInvalid(this.#pipeline, `its epoch is ${row.epoch}`, START_OVER)
    }
    return {
      checkpoint: row === undefined ? undefined : ({ ...row, epoch } as unknown as StoredCheckpoint),
      positions: positions as unknown as Found['positions'],
      states: states as unknown as Found['states'],
    }
  }
}
