// The checkpoints of pipelines, in tables beside their rows: one transaction commits both.

import { hostname } from 'node:os'
import type { DatabaseSync } from 'node:sqlite'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import type { Checkpoint, Totals } from '../../sink.ts'
import type { Position } from '../../source.ts'
import { NO_TOTALS } from '../../totals.ts'
import { isStorageFault } from './trouble.ts'

/** Of what is stored; a checkpoint of a later version is refused, never read as if it were of this one. */
const VERSION = 1

const TABLES = `
  create table if not exists sluice_checkpoints (
    pipeline text primary key, version integer not null, epoch integer not null, totals text not null,
    splits integer not null, committed_at integer not null, committed_by text
  );
  create table if not exists sluice_positions (
    pipeline text not null, split text not null, position text not null, primary key (pipeline, split)
  ) without rowid;
`

/**
 * The checkpoint of one pipeline in one database.
 *
 * The epoch fences: a commit goes through only if the epoch that is there is the one that this instance left or
 * found. The number of splits is stored beside it, so that positions cannot get lost unnoticed.
 */
export class CheckpointTable {
  readonly #database: DatabaseSync
  readonly #pipeline: string
  /** The epoch that this instance has committed or found; 0 before the first. */
  #epoch = 0
  /** Splits that have a position. */
  readonly #splits = new Set<string>()

  constructor(database: DatabaseSync, pipeline: string) {
    this.#database = database
    this.#pipeline = pipeline
  }

  /** The epoch of the last commit that this instance knows. */
  get epoch(): number {
    return this.#epoch
  }

  /** Whether the tables are there, or one of them: what the other held is then lost, which `restore` finds out. */
  exist(): boolean {
    const count = `select count(*) as n from sqlite_schema where name in ('sluice_checkpoints', 'sluice_positions')`
    return this.#database.prepare(count).get()?.n !== 0
  }

  create(): void {
    this.#database.exec(TABLES)
    if (!this.#namesCommitter()) this.#database.exec('alter table sluice_checkpoints add column committed_by text')
  }

  /**
   * What the last commit left; undefined at a first run.
   * @throws {SluiceError} CHECKPOINT_INVALID if it cannot be read: nothing then starts over by itself
   */
  restore(): Checkpoint | undefined {
    try {
      // One transaction, so that both tables are seen as of the same commit.
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
    if (!this.exist()) return 0
    const row = this.#database.prepare('select epoch from sluice_checkpoints where pipeline = ?').get(this.#pipeline)
    return Number(row?.epoch ?? 0)
  }

  /** Who committed last and when, for a person: `epoch 3, by process 812 on web1 at 2026-03-02T10:00:00.000Z`. */
  lastCommit(): string {
    const sql = 'select epoch, committed_at as at, committed_by as by from sluice_checkpoints where pipeline = ?'
    const row = this.#namesCommitter() ? this.#database.prepare(sql).get(this.#pipeline) : undefined
    if (row === undefined) return `epoch ${this.currentEpoch()}`
    return `epoch ${row.epoch}, by ${row.by ?? 'a process unknown'} at ${new Date(Number(row.at)).toISOString()}`
  }

  /** Writes a checkpoint inside the transaction of its rows; false if another instance has committed meanwhile. */
  save({ epoch, positions, totals }: Checkpoint, committedMs: number): boolean {
    for (const split of positions.keys()) this.#splits.add(split)
    if (!this.#advance(epoch, JSON.stringify(totals), committedMs)) return false
    const insert = this.#database.prepare(
      'insert into sluice_positions (pipeline, split, position) values (?, ?, ?) ' +
        'on conflict (pipeline, split) do update set position = excluded.position',
    )
    for (const [split, position] of positions) insert.run(this.#pipeline, split, JSON.stringify(position))
    return true
  }

  /** The transaction with `save` in it is committed. */
  saved(epoch: number): void {
    this.#epoch = epoch
  }

  #advance(epoch: number, totals: string, committedMs: number): boolean {
    const values = [VERSION, epoch, totals, this.#splits.size, committedMs, `process ${process.pid} on ${hostname()}`]
    const sql =
      this.#epoch === 0
        ? 'insert into sluice_checkpoints (version, epoch, totals, splits, committed_at, committed_by, pipeline) ' +
          'values (?, ?, ?, ?, ?, ?, ?) on conflict (pipeline) do nothing'
        : 'update sluice_checkpoints set version = ?, epoch = ?, totals = ?, splits = ?, committed_at = ?, ' +
          'committed_by = ? where pipeline = ? and epoch = ?'
    const fence = this.#epoch === 0 ? [this.#pipeline] : [this.#pipeline, this.#epoch]
    return Number(this.#database.prepare(sql).run(...values, ...fence).changes) === 1
  }

  #read(): Checkpoint | undefined {
    const positions = new Map<string, Position>()
    try {
      const row = this.#select('select * from sluice_checkpoints where pipeline = ?')[0]
      for (const { split, position } of this.#select('select * from sluice_positions where pipeline = ?')) {
        positions.set(String(split), JSON.parse(String(position)))
      }
      if (row === undefined) {
        if (positions.size > 0) throw new Error('there are positions and no checkpoint')
        return undefined
      }
      if (row.version !== VERSION) throw new Error(`it is of version ${row.version}, this Sluice reads ${VERSION}`)
      if (row.splits !== positions.size) {
        throw new Error(`it is of ${row.splits} splits, and there are positions of ${positions.size}`)
      }
      const epoch = countOf('epoch', row.epoch)
      if (epoch === 0) throw new Error('its epoch is 0')
      const totals = totalsOf(JSON.parse(String(row.totals)))
      this.#epoch = epoch
      for (const split of positions.keys()) this.#splits.add(split)
      return { epoch, positions, totals }
    } catch (error) {
      if (isStorageFault(error)) throw error
      throw this.#invalid(messageOf(error), error)
    }
  }

  #namesCommitter(): boolean {
    const column = `select 1 from pragma_table_info('sluice_checkpoints') where name = 'committed_by'`
    return this.#database.prepare(column).get() !== undefined
  }

  #select(sql: string): Record<string, unknown>[] {
    return this.#database.prepare(sql).all(this.#pipeline)
  }

  #invalid(found: string, cause: unknown): SluiceError<'CHECKPOINT_INVALID'> {
    const pipeline = this.#pipeline
    const hint = 'to start over, delete its rows from sluice_checkpoints and sluice_positions'
    const message = `Cannot go on from the checkpoint of ${pipeline}: ${found} (${hint})`
    return new SluiceError('CHECKPOINT_INVALID', message, { pipeline, found }, { cause })
  }
}

function totalsOf(stored: unknown): Totals {
  if (typeof stored !== 'object' || stored === null) throw new Error('its totals are no object')
  const totals = { ...NO_TOTALS }
  for (const name of Object.keys(NO_TOTALS) as (keyof Totals)[]) {
    Object.assign(totals, { [name]: countOf(`total of ${name}`, (stored as Record<string, unknown>)[name]) })
  }
  return totals
}

function countOf(what: string, value: unknown): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new Error(`its ${what} is ${String(value)}`)
}
