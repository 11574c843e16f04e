// The checkpoints of pipelines, in tables beside their rows: one transaction commits both.

import type { Checkpoint } from '../../sink.ts'
import type { SqlDialect } from './dialect.ts'
import {
  CHECKPOINT_VERSION,
  committer,
  type Found,
  readCheckpoint,
  type StoredCheckpoint,
} from './stored-checkpoint.ts'
import { hasTable, parameters, pieces } from './tables.ts'
import { all, plainNumber, run, type SqlRow, type Work } from './work.ts'

/** How to start over on purpose, for errors. */
export const START_OVER = 'to start over: sluice checkpoints FILE reset'

/** Positions that one statement writes. */
const AT_ONCE = 500

/**
 * The checkpoint of one pipeline in one database, inside the transaction of its rows.
 *
 * The epoch fences, too: a commit goes through only if the epoch that is there is the one that this instance left or
 * found.
 */
export class CheckpointTable {
  readonly #dialect: SqlDialect
  readonly #pipeline: string
  /** The epoch of the last commit that this instance knows; 0 before the first. */
  #epoch = 0
  /** Splits that have a position, and parts that have a state. */
  readonly #splits = new Set<string>()
  readonly #parts = new Set<string>()

  constructor(dialect: SqlDialect, pipeline: string) {
    this.#dialect = dialect
    this.#pipeline = pipeline
  }

  get epoch(): number {
    return this.#epoch
  }

  get createSql(): readonly string[] {
    const { table, types } = this.#dialect
    return [
      `create table if not exists ${table('sluice_checkpoints')} (
        pipeline text primary key, version integer not null, epoch bigint not null, totals text not null,
        splits integer not null, parts integer, committed_at ${types.time} not null, committed_by text)`,
      `create table if not exists ${table('sluice_positions')} (
        pipeline text not null, split text not null, position text not null, primary key (pipeline, split))`,
      `create table if not exists ${table('sluice_states')} (
        pipeline text not null, part text not null, state ${types.bytes} not null, primary key (pipeline, part))`,
    ]
  }

  /**
   * What the last commit left; undefined at a first run.
   * @throws {SluiceError} CHECKPOINT_INVALID if it cannot be read: nothing then starts over by itself
   */
  *restore(): Work<Checkpoint | undefined> {
    const [row] = yield* this.#rows('sluice_checkpoints')
    const found: Found = {
      checkpoint: row === undefined ? undefined : storedOf(row),
      positions: (yield* this.#rows('sluice_positions')) as unknown as Found['positions'],
      states: (yield* this.#rows('sluice_states')) as unknown as Found['states'],
    }
    const checkpoint = readCheckpoint(this.#pipeline, found, START_OVER)
    if (checkpoint === undefined) return undefined
    this.#epoch = checkpoint.epoch
    for (const split of checkpoint.positions.keys()) this.#splits.add(split)
    for (const part of checkpoint.states.keys()) this.#parts.add(part)
    return checkpoint
  }

  /** Whether no other instance has committed since this one did. */
  *isLast(): Work<boolean> {
    const { table, parameter } = this.#dialect
    const sql = `select epoch from ${table('sluice_checkpoints')} where pipeline = ${parameter(1)}`
    const [row] = yield* all(sql, [this.#pipeline])
    return Number(row?.epoch ?? 0) === this.#epoch
  }

  /** Who committed last and when, for a person: `epoch 3, by process 812 on web1 at 2026-03-02T10:00:00.000Z`. */
  *lastCommit(): Work<string> {
    const { table, millis, parameter } = this.#dialect
    const sql = `select c.*, ${millis('committed_at')} as at from ${table('sluice_checkpoints')} c
      where pipeline = ${parameter(1)}`
    const [row] = yield* all(sql, [this.#pipeline])
    if (row === undefined) return 'and removed its checkpoint'
    const at = new Date(Number(row.at)).toISOString()
    return `epoch ${row.epoch}, by ${row.committed_by ?? 'a process unknown'} at ${at}`
  }

  /** Writes a checkpoint; false if another instance has committed meanwhile. */
  *save({ epoch, positions, totals, states }: Checkpoint): Work<boolean> {
    if (!(yield* this.isLast())) return false
    for (const split of positions.keys()) this.#splits.add(split)
    for (const [part, state] of states) {
      if (state.length === 0) this.#parts.delete(part)
      else this.#parts.add(part)
    }
    yield* this.#advance(epoch, JSON.stringify(totals))
    yield* this.#move([...positions].map(([split, position]) => [this.#pipeline, split, JSON.stringify(position)]))
    yield* this.#keep(states)
    return true
  }

  /** The transaction with `save` in it is committed. */
  saved(epoch: number): void {
    this.#epoch = epoch
  }

  *#advance(epoch: number, totals: string): Work<void> {
    const table = this.#dialect.table('sluice_checkpoints')
    const columns = ['version', 'epoch', 'totals', 'splits', 'parts', 'committed_by', 'pipeline', 'committed_at']
    const rows = [`(${parameters(this.#dialect, columns.length - 1)}, ${this.#dialect.now()})`]
    const sql = this.#dialect.upsert({ table, columns, key: ['pipeline'], rows })
    const { size: splits } = this.#splits
    yield* run(sql, [CHECKPOINT_VERSION, epoch, totals, splits, this.#parts.size, committer(), this.#pipeline])
  }

  *#move(positions: readonly (readonly string[])[]): Work<void> {
    const table = this.#dialect.table('sluice_positions')
    const columns = ['pipeline', 'split', 'position']
    for (const some of pieces(positions, AT_ONCE)) {
      const rows = some.map((_, at) => `(${parameters(this.#dialect, 3, at * 3 + 1)})`)
      yield* run(this.#dialect.upsert({ table, columns, key: ['pipeline', 'split'], rows }), some.flat())
    }
  }

  *#keep(states: Checkpoint['states']): Work<void> {
    const { parameter } = this.#dialect
    const table = this.#dialect.table('sluice_states')
    const rows = [`(${parameters(this.#dialect, 3)})`]
    const columns = ['pipeline', 'part', 'state']
    const keep = this.#dialect.upsert({ table, columns, key: ['pipeline', 'part'], rows })
    const forget = `delete from ${table} where pipeline = ${parameter(1)} and part = ${parameter(2)}`
    for (const [part, state] of states) {
      // One by one: together they might be more than one message holds.
      if (state.length === 0) yield* run(forget, [this.#pipeline, part])
      else yield* run(keep, [this.#pipeline, part, state])
    }
  }

  *#rows(table: string): Work<readonly SqlRow[]> {
    if (!(yield* hasTable(this.#dialect, table))) return []
    const sql = `select * from ${this.#dialect.table(table)} where pipeline = ${this.#dialect.parameter(1)}`
    return yield* all(sql, [this.#pipeline])
  }
}

function storedOf(row: SqlRow): StoredCheckpoint {
  const plain = Object.entries(row).map(([name, value]) => [name, plainNumber(value)])
  return Object.fromEntries(plain) as StoredCheckpoint
}
