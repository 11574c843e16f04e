// The checkpoints of pipelines, in tables next to their rows: one transaction commits both. Each shard has its own.

import { type Shard, shardText, WHOLE } from '../../shard.ts'
import type { Checkpoint, CheckpointSummary, ShardSummary } from '../../sink.ts'
import type { Json } from '../../source.ts'
import { addTotals, NO_TOTALS } from '../../totals.ts'
import type { SqlDialect } from './dialect.ts'
import { committer, type Found, isOf, type NoteOver, readCheckpoint, readCheckpoints } from './stored-checkpoint.ts'
import { hasTable, parameters, pieces, rowsOf } from './tables.ts'
import { all, plainNumber, run, type SqlRow, type SqlValue, type Work } from './work.ts'

/** How to start over deliberately, for errors. */
export const START_OVER = 'to start over: sluice checkpoints FILE reset'

/** Positions written by one statement. */
const AT_ONCE = 500

/**
 * The checkpoint of one shard of a pipeline in one database, inside the transaction of its rows. Positions belong to
 * the whole pipeline: another number of shards continues from them.
 *
 * The epoch also serves as a fence: a commit succeeds only if the stored epoch is the one that this instance wrote or
 * found.
 */
export class CheckpointTable {
  readonly #dialect: SqlDialect
  readonly #pipeline: string
  readonly #shard: string
  /** The epoch of the last commit known to this instance; 0 before the first. */
  #epoch = 0
  /** What a sink without transactions must publish of that epoch. */
  #note: Json | undefined
  #notesOver: readonly NoteOver[] = []
  /**
   * Splits that have a position, how many of them this shard was the first to position, and parts that have a state.
   */
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

  /** What remains to be published of shards of another count, which have ended. */
  get notesOver(): readonly NoteOver[] {
    return this.#notesOver
  }

  /** Splits that have a position. */
  get known(): ReadonlySet<string> {
    return this.#known
  }

  *hasPositions(): Work<boolean> {
    return (yield* rowsOf(this.#dialect, 'sluice_positions', this.#pipeline, 1)).length > 0
  }

  /**
   * The last commit; undefined at a first run.
   * @throws {SluiceError} CHECKPOINT_INVALID if it cannot be read: a run never starts over by itself
   */
  *restore(): Work<Checkpoint | undefined> {
    const restored = readCheckpoint(this.#pipeline, this.#shard, yield* this.#found(), START_OVER)
    if (restored === undefined) return undefined
    const { checkpoint, splits, note, notesOver } = restored
    this.#notesOver = notesOver
    this.#epoch = checkpoint.epoch
    this.#note = note
    this.#splits = splits
    for (const split of checkpoint.positions.keys()) this.#known.add(split)
    for (const part of checkpoint.states.keys()) this.#parts.add(part)
    return checkpoint
  }

  /**
   * The last commits of all shards together; undefined if nothing was committed.
   *
   * @param present - shards to include even if they have committed nothing
   */
  *ofAll(present: readonly string[]): Work<OfAll | undefined> {
    const found = yield* this.#found()
    const committed = new Map(
      found.shards.map((row) => [String(row.shard ?? shardText(WHOLE)), row as unknown as SqlRow]),
    )
    const shards = [...new Set([...committed.keys(), ...present])]
    const restored = readCheckpoints(this.#pipeline, shards, found, START_OVER)
    if (restored === undefined) return undefined
    const states = new Map<string, number>()
    const told = new Map<string, Pick<ShardSummary, 'epoch' | 'totals' | 'committed'>>()
    let totals = NO_TOTALS
    let positions: Checkpoint['positions'] = new Map()
    for (const [shard, { checkpoint }] of restored) {
      const { epoch } = checkpoint
      const row = committed.get(shard)
      totals = addTotals(totals, checkpoint.totals)
      positions = checkpoint.positions
      for (const [part, { length }] of checkpoint.states)
        states.set(shards.length > 1 ? `${shard} ${part}` : part, length)
      told.set(shard, { epoch, totals: checkpoint.totals, committed: row === undefined ? undefined : commitText(row) })
    }
    const last = [...committed.values()].reduce((a, b) => (Number(b.at) > Number(a.at) ? b : a))
    // Dead letters of all of them belong to epochs up to that one.
    const epoch = Math.max(...[...told.values()].map((one) => one.epoch))
    return { positions, totals, states, epoch, committed: commitText(last), shards: told }
  }

  /** Whether no other instance has committed since this one did. */
  *isLast(): Work<boolean> {
    return Number((yield* this.#row())?.epoch ?? 0) === this.#epoch
  }

  /** Who committed last and when, for people: `epoch 3, by process 812 on web1 at 2026-03-02T10:00:00.000Z`. */
  *lastCommit(): Work<string> {
    const row = yield* this.#row()
    return row === undefined ? 'and removed its checkpoint' : commitText(row)
  }

  /**
   * Writes a checkpoint; false if another instance has committed meanwhile.
   *
   * @param note - what a sink without transactions must publish of it
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

  /** The transaction that contains `save` is committed. */
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
      // One by one: together they might exceed one message.
      if (state.length === 0) yield* run(forget, place)
      else yield* run(keep, [...place, state])
    }
  }

  *#found(): Work<Found> {
    const shards = (yield* hasTable(this.#dialect, 'sluice_checkpoints')) ? yield* this.#rows() : []
    const positions = yield* rowsOf(this.#dialect, 'sluice_positions', this.#pipeline)
    const states = yield* rowsOf(this.#dialect, 'sluice_states', this.#pipeline)
    return { shards, positions, states } as unknown as Found
  }

  /** The row of this shard. */
  *#row(): Work<SqlRow | undefined> {
    return (yield* this.#rows()).find((row) => isOf(this.#shard, row))
  }

  *#rows(): Work<readonly SqlRow[]> {
    const { table, millis, parameter } = this.#dialect
    const sql = `select c.*, ${millis('committed_at')} as at from ${table('sluice_checkpoints')} c
      where pipeline = ${parameter(1)}`
    return (yield* all(sql, [this.#pipeline])).map(plainOf)
  }
}

interface OfAll extends Omit<CheckpointSummary, 'holder' | 'shards'> {
  readonly shards: ReadonlyMap<string, Pick<ShardSummary, 'epoch' | 'totals' | 'committed'>>
}

function commitText(row: SqlRow): string {
  const at = new Date(Number(row.at)).toISOString()
  return `epoch ${row.epoch}, by ${row.committed_by ?? 'a process unknown'} at ${at}`
}

function plainOf(row: SqlRow): SqlRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plainNumber(value)]))
}
