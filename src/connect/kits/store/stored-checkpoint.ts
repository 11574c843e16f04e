// What every store keeps of a checkpoint, and how what was kept is read back: never in silence what does not fit.

import { hostname } from 'node:os'
import { isCount } from '../../../base/check.ts'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import { readShard, type Shard, shardText, WHOLE } from '../../shard.ts'
import type { Checkpoint, Totals } from '../../sink.ts'
import type { Json } from '../../source.ts'
import { NO_TOTALS } from '../../totals.ts'

/** A row of a table of checkpoints; one without a shard is of a version that had none. */
export interface StoredCheckpoint {
  readonly shard?: unknown
  readonly epoch: unknown
  /** Text of JSON. */
  readonly totals: unknown
  /** How many splits it was the first to have a position of, and how many parts of states it has: none gets lost unnoticed. */
  readonly splits: unknown
  readonly parts?: unknown
  /** Text of JSON. */
  readonly note?: unknown
}

/** All that was found of a pipeline. */
export interface Found {
  readonly shards: readonly StoredCheckpoint[]
  /** Rows of split and position, as text of JSON. */
  readonly positions: readonly { readonly split: unknown; readonly position: unknown }[]
  readonly states: readonly { readonly shard?: unknown; readonly part: unknown; readonly state: unknown }[]
}

export interface Restored {
  readonly checkpoint: Checkpoint
  /** How many splits this shard was the first to have a position of. */
  readonly splits: number
  /** What a sink without transactions has to make visible. */
  readonly note: Json | undefined
  readonly notesOver: readonly NoteOver[]
}

/** What a sink without transactions has to make visible of a shard of another count. */
export interface NoteOver {
  readonly shard: Shard
  readonly epoch: number
  readonly note: Json
}

/** Whether a row is of a shard. */
export function isOf(shard: string, row: { readonly shard?: unknown }): boolean {
  return (row.shard ?? shardText(WHOLE)) === shard
}

/**
 * Puts the checkpoint of a shard together.
 *
 * @param hint - how to start over on purpose, for the error
 * @returns undefined if there is none
 * @throws {SluiceError} CHECKPOINT_INVALID for anything that does not fit: nothing then starts over by itself
 */
export function readCheckpoint(pipeline: string, shard: string, found: Found, hint: string): Restored | undefined {
  return readCheckpoints(pipeline, [shard], found, hint)?.get(shard)
}

/** The same of several shards: those that have committed nothing have epoch 0. */
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

/** The error for a checkpoint that cannot be gone on from. */
export function checkpointInvalid(
  pipeline: string,
  found: string,
  hint: string,
  cause?: unknown,
): SluiceError<'CHECKPOINT_INVALID'> {
  const message = `Cannot continue from the checkpoint of ${pipeline}: ${found} (${hint})`
  return new SluiceError('CHECKPOINT_INVALID', message, { pipeline, found }, { cause })
}

/** Who commits, for a person: `process 812 on web1`. */
export function committer(): string {
  return `process ${process.pid} on ${hostname()}`
}

/** Of all shards together; undefined where none has committed anything. */
function positionsOf({ shards, positions, states }: Found): Checkpoint['positions'] | undefined {
  if (shards.length === 0) {
    if (positions.length > 0) throw new Error('there are positions and no checkpoint')
    if (states.length > 0) throw new Error('there are states of stages and no checkpoint')
    return undefined
  }
  const splits = shards.reduce((sum, row) => sum + countOf('number of splits', row.splits), 0)
  if (splits !== positions.length) {
    throw new Error(`it is of ${splits} splits, and there are positions of ${positions.length}`)
  }
  return new Map(positions.map(({ split, position }) => [String(split), parsed(position)]))
}

function checkpointOf(shard: string, { shards, states }: Found, positions: Checkpoint['positions']): Restored {
  const own = shards.find((row) => isOf(shard, row))
  const kept = states.filter((row) => isOf(shard, row))
  const parts = own?.parts ?? 0
  if (parts !== kept.length) throw new Error(`it has ${parts} parts of states, and there are ${kept.length}`)
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
  // A copy of its own: what a store gives may be a view of more.
  if (state instanceof Uint8Array) return Uint8Array.from(state)
  throw new Error('a state of a stage is no bytes')
}

function totalsOf(stored: unknown): Totals {
  if (typeof stored !== 'object' || stored === null) throw new Error('its totals are no object')
  const kept = stored as Readonly<Record<string, unknown>>
  const totals: { -readonly [Name in keyof Totals]: number } = { ...NO_TOTALS }
  for (const name of Object.keys(NO_TOTALS) as (keyof Totals)[]) {
    if (name !== 'absorbed') totals[name] = countOf(`total of ${name}`, kept[name])
  }
  // Called `folded` before, and less what was given: below 0 where that was more.
  const absorbed = kept.absorbed ?? kept.folded ?? 0
  if (!Number.isSafeInteger(absorbed)) throw new Error(`its total of absorbed is ${String(absorbed)}`)
  const net = absorbed as number
  return net < 0 ? { ...totals, derived: totals.derived - net } : { ...totals, absorbed: net }
}

function countOf(what: string, value: unknown): number {
  if (isCount(value)) return value
  throw new Error(`its ${what} is ${String(value)}`)
}
