// The checkpoints of pipelines, in tables beside their rows: one transaction commits both. Each shard has its own.

import { type Shard, shardText } from '../../shard.ts'
import type { Checkpoint } from '../../sink.ts'
import type { Json } from '../../source.ts'
import type { SqlDialect } from './dialect.ts'
import { committer, type Found, isOf, readCheckpoint } from './stored-checkpoint.ts'
import { parameters, pieces, rowsOf } from './tables.ts'
import { all, plainNumber, run, type SqlRow, type SqlValue, type Work } from './work.ts'

/** How to start over on purpose, for errors. */
export const START_OVER = 'to start over: sluice checkpoints FILE reset'

/** Positions that one statement writes. */
const AT_ONCE = 500

/**
 * The checkpoint of one shard of a pipeline in one database, inside the transaction of its rows. Positions are those of
 * the whole pipeline: another number of shards goes on from them.
 *
 * The epoch fences, too: a commit goes through only if the epoch that is there is the one that this instance left or
 * found.
 */
export class CheckpointTable {
  readonly #dialect: SqlDialect
  readonly #pipeline: string
  readonly #shard: string
  /** The epoch of the last commit that this instance knows; 0 before the first. */
  #epoch = 0
  /** What a sink without transactions has to make visible of that epoch. */
  #note: Json | undefined
  /** Splits that have a position, how many of them this shard was the first to have one of, and parts that have a state. */
  readonly #known = new Set<string>()
  #splits = 0
  readonly #parts = new Set<string>()

  constructor(dialect: SqlDialect, pipeline: string, shard: Shard) {
    this.#dialect = dialect
    this.#pipeline = pipeline
    this.#shard = shardText(shard)
  }

  get epoch(): number {
    return this.#epoch
  }

  get note(): Json | undefined {
    return this.#note
  }

  /**
   * What the last commit left; undefined at a first run.
   * @throws {SluiceError} CHECKPOINT_INVALID if it cannot be read: nothing then starts over by itself
   */
  *restore(): Work<Checkpoint | undefined> {
    const shards = yield* rowsOf(this.#dialect, 'sluice_checkpoints', this.#pipeline)
    const states = yield* rowsOf(this.#dialect, 'sluice_states', this.#pipeline)
    const found: Found = {
      shards: shards.map((row) => plainOf(row)) as unknown as Found['shards'],
      positions: (yield* rowsOf(this.#dialect, 'sluice_positions', this.#pipeline)) as unknown as Found['positions'],
      states: states as unknown as Found['states'],
    }
    const restored = readCheckpoint(this.#pipeline, this.#shard, found, START_OVER)
    if (restored === undefined) return undefined
    const { checkpoint, splits, note } = restored
    this.#epoch = checkpoint.epoch
    this.#note = note
    this.#splits = splits
    for (const split of checkpoint.positions.keys()) this.#known.add(split)
    for (const part of checkpoint.states.keys()) this.#parts.add(part)
    return checkpoint
  }

  /** Whether no other instance has committed since this one did. */
  *isLast(): Work<boolean> {
    return Number((yield* this.#row())?.epoch ?? 0) === this.#epoch
  }

  /** Who committed last and when, for a person: `epoch 3, by process 812 on web1 at 2026-03-02T10:00:00.000Z`. */
  *lastCommit(): Work<string> {
    const row = yield* this.#row()
    if (row === undefined) return 'and removed its checkpoint'
    const at = new Date(Number(row.at)).toISOString()
    return `epoch ${row.epoch}, by ${row.committed_by ?? 'a process unknown'} at ${at}`
  }

  /**
   * Writes a checkpoint; false if another instance has committed meanwhile.
   *
   * @param note - what a sink without transactions has to make visible of it
   */
  *save({ epoch, positions, totals, states }: Checkpoint, note?: Json): Work<boolean> {
    if (!(yield* this.isLast())) return false
    for (const split of positions.keys()) {
      if (!this.#known.has(split)) this.#splits += 1
      this.#known.add(split)
    }
    for (const [part, state] of states) {
      if (state.length === 0) this.#parts.delete(part)
      else this.#parts.add(part)
    }
    this.#note = note
    const kept = { epoch, totals: JSON.stringify(totals), splits: this.#splits, parts: this.#parts.size }
    yield* this.#advance({ ...kept, committed_by: committer(), note: note === undefined ? null : JSON.stringify(note) })
    yield* this.#move([...positions].map(([split, position]) => [this.#pipeline, split, JSON.stringify(position)]))
    yield* this.#keep(states)
    return true
  }

  /** The transaction with `save` in it is committed. */
  saved(epoch: number): void {
    this.#epoch = epoch
  }

  *#advance(kept: Readonly<Record<string, SqlValue>>): Work<void> {
    const table = this.#dialect.table('sluice_checkpoints')
    const row = { pipeline: this.#pipeline, shard: this.#shard, ...kept }
    const columns = [...Object.keys(row), 'committed_at']
    const rows = [`(${parameters(this.#dialect, columns.length - 1)}, ${this.#dialect.now()})`]
    yield* run(this.#dialect.upsert({ table, columns, key: ['pipeline', 'shard'], rows }), Object.values(row))
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
    const key = ['pipeline', 'shard', 'part']
    const rows = [`(${parameters(this.#dialect, 4)})`]
    const keep = this.#dialect.upsert({ table, columns: [...key, 'state'], key, rows })
    const forget = `delete from ${table} where ${key.map((name, at) => `${name} = ${parameter(at + 1)}`).join(' and ')}`
    for (const [part, state] of states) {
      const place = [this.#pipeline, this.#shard, part]
      // One by one: together they might be more than one message holds.
      if (state.length === 0) yield* run(forget, place)
      else yield* run(keep, [...place, state])
    }
  }

  /** The row of this shard. */
  *#row(): Work<SqlRow | undefined> {
    const { table, millis, parameter } = this.#dialect
    const sql = `select c.*, ${millis('committed_at')} as at from ${table('sluice_checkpoints')} c
      where pipeline = ${parameter(1)}`
    return (yield* all(sql, [this.#pipeline])).find((row) => isOf(this.#shard, row))
  }
}

function plainOf(row: SqlRow): SqlRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainNumber(value)]))
}
