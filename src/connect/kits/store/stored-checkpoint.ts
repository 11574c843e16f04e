// What every store keeps of a checkpoint, and how it is read back: anything that does not fit is an error.

import { hostname } from 'node:os'
import { isCount } from '../../../base/check.ts'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import { readShard, type Shard, shardText, WHOLE } from '../../shard.ts'
import type { Checkpoint, Totals } from '../../sink.ts'
import type { Json } from '../../source.ts'
import { NO_TOTALS } from '../../totals.ts'

/** A row of a table of checkpoints; one without a shard is of a version that had no shards. */
export interface StoredCheckpoint {
  readonly shard?: unknown
  readonly epoch: unknown
  /** JSON text. */
  readonly totals: unknown
  /** How many splits it was the first to position, and how many state parts it has: none can get lost unnoticed. */
  readonly splits: unknown
  readonly parts?: unknown
  /** JSON text. */
  readonly note?: unknown
}

/** All that was found of a pipeline. */
export interface Found {
  readonly shards: readonly StoredCheckpoint[]
  /** Rows of split and position, as JSON text. */
  readonly positions: readonly { readonly split: unknown; readonly position: unknown }[]
  readonly states: readonly { readonly shard?: unknown; readonly part: unknown; readonly state: unknown }[]
}

export interface Restored {
  readonly checkpoint: Checkpoint
  /** How many splits this shard was the first to position. */
  readonly splits: number
  /** What a sink without transactions must publish. */
  readonly note: Json | undefined
  readonly notesOver: readonly NoteOver[]
}

/** What a sink without transactions must publish of a shard of another count. */
export interface NoteOver {
  readonly shard: Shard
  readonly epoch: number
  readonly note: Json
}

/** Whether a row belongs to a shard. */
export function isOf(shard: string, row: { readonly shard?: unknown }): boolean {
  return (row.shard ?? shardText(WHOLE)) === shard
}

/**
 * Assembles the checkpoint of a shard.
 *
 * @param hint - how to start over deliberately, for the error
 * @returns undefined if there is no checkpoint
 * @throws {SluiceError} CHECKPOINT_INVALID for anything that does not fit: a run never starts over by itself
 */
export function readCheckpoint(pipeline: string, shard: string, found: Found, hint: string): Restored | undefined {
  return readCheckpoints(pipeline, [shard], found, hint)?.get(shard)
}

/** The same for several shards: those that have committed nothing have epoch 0. */
export function readCheckpoints(
  pipeline: string,
  shards: readonly string[],
  found: Found,
  hint: string,
): ReadonlyMap<string, Restored> | undefined {
  try {
    const positions = positionsOf(found)
    if (positions === undefined) return undefined
    return new Map(shards.map((shard) => [shard, checkpointOf(shard, found, positions)]))
  } catch (error) {
    throw checkpointInvalid(pipeline, messageOf(error), hint, error)
  }
}

/** The error for a checkpoint that a run cannot continue from. */
export function checkpointInvalid(
  pipeline: string,
  found: string,
  hint: string,
  cause?: unknown,
): SluiceError<'CHECKPOINT_INVALID'> {
  const message = `Cannot continue from the checkpoint of ${pipeline}: ${found} (${hint})`
  return new SluiceError('CHECKPOINT_INVALID', message, { pipeline, found }, { cause })
}

/** Who commits, for people: `process 812 on web1`. */
export function committer(): string {
  return `process ${process.pid} on ${hostname()}`
}

/** Of all shards together; undefined where none has committed anything. */
function positionsOf({ shards, positions, states }: Found): Checkpoint['positions'] | undefined {
  if (shards.length === 0) {
    if (positions.length > 0) throw new Error('there are positions but no checkpoint')
    if (states.length > 0) throw new Error('there are states of stages but no checkpoint')
    return undefined
  }
  const splits = shards.reduce((sum, row) => sum + countOf('number of splits', row.splits), 0)
  if (splits !== positions.length) {
    throw new Error(`it has ${splits} splits, and there are positions of ${positions.length}`)
  }
  return new Map(positions.map(({ split, position }) => [String(split), parsed(position)]))
}

function checkpointOf(shard: string, { shards, states }: Found, positions: Checkpoint['positions']): Restored {
  const own = shards.find((row) => isOf(shard, row))
  const kept = states.filter((row) => isOf(shard, row))
  const parts = own?.parts ?? 0
  if (parts !== kept.length) throw new Error(`it has ${parts} state parts, and there are ${kept.length}`)
  const epoch = own === undefined ? 0 : countOf('epoch', own.epoch)
  if (own !== undefined && epoch === 0) throw new Error('its epoch is 0')
  const checkpoint: Checkpoint = {
    epoch,
    positions,
    totals: own === undefined ? NO_TOTALS : totalsOf(parsed(own.totals)),
    states: new Map(kept.map(({ part, state }) => [String(part), bytesOf(state)])),
  }
  return {
    checkpoint,
    splits: own === undefined ? 0 : countOf('number of splits', own.splits),
    note: noteOf(own),
    notesOver: shards.flatMap((row) => noteOver(shard, row)),
  }
}

function noteOf(row: StoredCheckpoint | undefined): Json | undefined {
  return (row?.note ?? null) === null ? undefined : parsed(row?.note)
}

function noteOver(shard: string, row: StoredCheckpoint): readonly NoteOver[] {
  const other = readShard(String(row.shard ?? shardText(WHOLE)))
  const note = noteOf(row)
  if (other === undefined || note === undefined || other.count === readShard(shard)?.count) return []
  return [{ shard: other, epoch: countOf('epoch', row.epoch), note }]
}

function parsed(text: unknown): Json {
  return JSON.parse(String(text)) as Json
}

function bytesOf(state: unknown): Uint8Array {
  // A copy of its own: what a store returns may be a view of more.
  if (state instanceof Uint8Array) return Uint8Array.from(state)
  throw new Error('a state of a stage is not bytes')
}

function totalsOf(stored: unknown): Totals {
  if (typeof stored !== 'object' || stored === null) throw new Error('its totals are not an object')
  const kept = stored as Readonly<Record<string, unknown>>
  const totals: { -readonly [Name in keyof Totals]: number } = { ...NO_TOTALS }
  for (const name of Object.keys(NO_TOTALS) as (keyof Totals)[]) {
    if (name !== 'absorbed') totals[name] = countOf(`total of ${name}`, kept[name])
  }
  // Formerly called `folded`, and reduced by the output: below 0 if that was more.
  const absorbed = kept.absorbed ?? kept.folded ?? 0
  if (!Number.isSafeInteger(absorbed)) throw new Error(`its total of absorbed is ${String(absorbed)}`)
  const net = absorbed as number
  return net < 0 ? { ...totals, derived: totals.derived - net } : { ...totals, absorbed: net }
}

function countOf(what: string, value: unknown): number {
  if (isCount(value)) return value
  throw new Error(`its ${what} is ${String(value)}`)
}
