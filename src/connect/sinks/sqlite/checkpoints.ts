// The checkpoints of pipelines, in tables beside their rows: one transaction commits both.

import type { DatabaseSync } from 'node:sqlite'
import type { Checkpoint } from '../../sink.ts'
import {
  CHECKPOINT_VERSION,
  checkpointInvalid,
  committer,
  type Found,
  readCheckpoint,
  type StoredCheckpoint,
} from '../../stored-checkpoint.ts'

const TABLES = `
  create table if not exists sluice_checkpoints (
    pipeline text primary key, version integer not null, epoch integer not null, totals text not null,
    splits integer not null, committed_at integer not null, committed_by text, parts integer
  );
  create table if not exists sluice_positions (
    pipeline text not null, split text not null, position text not null, primary key (pipeline, split)
  ) without rowid;
  create table if not exists sluice_states (
    pipeline text not null, part text not null, state blob not null, primary key (pipeline, part)
  );
`

/** Columns that earlier versions did not have. */
const LATER_COLUMNS = { committed_by: 'text', parts: 'integer' }

export const START_OVER = 'to start over: sluice checkpoints FILE reset'

/**
 * The checkpoint of one pipeline in one database.
 *
 * The epoch fences, too: a commit goes through only if the epoch that is there is the one that this instance left or
 * found.
 */
export class CheckpointTable {
  readonly #database: DatabaseSync
  readonly #pipeline: string
  /** The epoch that this instance has committed or found; 0 before the first. */
  #epoch = 0
  /** Splits that have a position, and parts that have a state. */
  readonly #splits = new Set<string>()
  readonly #parts = new Set<string>()

  constructor(database: DatabaseSync, pipeline: string) {
    this.#database = database
    this.#pipeline = pipeline
  }

  /** The epoch of the last commit that this instance knows. */
  get epoch(): number {
    return this.#epoch
  }

  create(): void {
    this.#database.exec(TABLES)
    const there = this.#columns()
    for (const [name, type] of Object.entries(LATER_COLUMNS)) {
      if (!there.has(name)) this.#database.exec(`alter table sluice_checkpoints add column ${name} ${type}`)
    }
  }

  /**
   * What the last commit left; undefined at a first run.
   * @throws {SluiceError} CHECKPOINT_INVALID if it cannot be read: nothing then starts over by itself
   */
  restore(): Checkpoint | undefined {
    try {
      // One transaction, so that all tables are seen as of the same commit.
      this.#database.exec('begin')
      const checkpoint = this.#read()
      this.#database.exec('commit')
      return checkpoint
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback')
      throw error
    }
  }

  /** The epoch in the database now; 0 if there is none, also while the tables are not there. */
  currentEpoch(): number {
    if (!this.#exists('sluice_checkpoints')) return 0
    const row = this.#database.prepare('select epoch from sluice_checkpoints where pipeline = ?').get(this.#pipeline)
    return Number(row?.epoch ?? 0)
  }

  /** Who committed last and when, for a person: `epoch 3, by process 812 on web1 at 2026-03-02T10:00:00.000Z`. */
  lastCommit(): string {
    const sql = 'select epoch, committed_at as at, committed_by as by from sluice_checkpoints where pipeline = ?'
    const row = this.#columns().has('committed_by') ? this.#database.prepare(sql).get(this.#pipeline) : undefined
    if (row === undefined) return `epoch ${this.currentEpoch()}`
    return `epoch ${row.epoch}, by ${row.by ?? 'a process unknown'} at ${new Date(Number(row.at)).toISOString()}`
  }

  /** Writes a checkpoint inside the transaction of its rows; false if another instance has committed meanwhile. */
  save({ epoch, positions, totals, states }: Checkpoint, committedMs: number): boolean {
    for (const split of positions.keys()) this.#splits.add(split)
    for (const [part, state] of states) {
      if (state.length === 0) this.#parts.delete(part)
      else this.#parts.add(part)
    }
    if (!this.#advance(epoch, JSON.stringify(totals), committedMs)) return false
    const move = this.#database.prepare('insert or replace into sluice_positions values (?, ?, ?)')
    for (const [split, position] of positions) move.run(this.#pipeline, split, JSON.stringify(position))
    const keep = this.#database.prepare('insert or replace into sluice_states values (?, ?, ?)')
    const forget = this.#database.prepare('delete from sluice_states where pipeline = ? and part = ?')
    for (const [part, state] of states) {
      if (state.length === 0) forget.run(this.#pipeline, part)
      else keep.run(this.#pipeline, part, state)
    }
    return true
  }

  /** The transaction with `save` in it is committed. */
  saved(epoch: number): void {
    this.#epoch = epoch
  }

  /** Forgets all that is kept of the pipeline, inside the transaction that its caller began. */
  reset(): void {
    for (const table of ['sluice_checkpoints', 'sluice_positions', 'sluice_states', 'sluice_notes']) {
      if (this.#exists(table)) this.#database.prepare(`delete from ${table} where pipeline = ?`).run(this.#pipeline)
    }
  }

  #advance(epoch: number, totals: string, committedMs: number): boolean {
    const { size } = this.#splits
    const values = [CHECKPOINT_VERSION, epoch, totals, size, this.#parts.size, committedMs, committer()]
    const sql =
      this.#epoch === 0
        ? 'insert into sluice_checkpoints (version, epoch, totals, splits, parts, committed_at, committed_by, ' +
          'pipeline) values (?, ?, ?, ?, ?, ?, ?, ?) on conflict (pipeline) do nothing'
        : 'update sluice_checkpoints set version = ?, epoch = ?, totals = ?, splits = ?, parts = ?, ' +
          'committed_at = ?, committed_by = ? where pipeline = ? and epoch = ?'
    const fence = this.#epoch === 0 ? [this.#pipeline] : [this.#pipeline, this.#epoch]
    return Number(this.#database.prepare(sql).run(...values, ...fence).changes) === 1
  }

  #read(): Checkpoint | undefined {
    const checkpoint = readCheckpoint(this.#pipeline, this.#find(), START_OVER)
    if (checkpoint === undefined) return undefined
    this.#epoch = checkpoint.epoch
    for (const split of checkpoint.positions.keys()) this.#splits.add(split)
    for (const part of checkpoint.states.keys()) this.#parts.add(part)
    return checkpoint
  }

  #find(): Found {
    try {
      return {
        checkpoint: this.#select('sluice_checkpoints')[0] as unknown as StoredCheckpoint | undefined,
        positions: this.#select('sluice_positions') as unknown as Found['positions'],
        states: this.#select('sluice_states') as unknown as Found['states'],
      }
    } catch (error) {
      // A number that no JavaScript number is.
      if (error instanceof RangeError) throw checkpointInvalid(this.#pipeline, error.message, START_OVER, error)
      throw error
    }
  }

  #columns(): Set<unknown> {
    return new Set(
      this.#database
        .prepare(`select name from pragma_table_info('sluice_checkpoints')`)
        .all()
        .map(({ name }) => name),
    )
  }

  #exists(table: string): boolean {
    return this.#database.prepare('select 1 from sqlite_schema where name = ?').get(table) !== undefined
  }

  #select(table: string): Record<string, unknown>[] {
    if (!this.#exists(table)) return []
    return this.#database.prepare(`select * from ${table} where pipeline = ?`).all(this.#pipeline)
  }
}
