// What every store keeps of a checkpoint, and how what was kept is read back: never in silence what does not fit.

import { hostname } from 'node:os'
import { isCount } from '../../../base/check.ts'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import { shardText, WHOLE } from '../../shard.ts'
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
  try {
    return checkpointOf(shard, found)
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
  const message = `Cannot go on from the checkpoint of ${pipeline}: ${found} (${hint})`
  return new SluiceError('CHECKPOINT_INVALID', message, { pipeline, found }, { cause })
}

/** Who commits, for a person: `process 812 on web1`. */
export function committer(): string {
  return `process ${process.pid} on ${hostname()}`
}

function checkpointOf(shard: string, { shards, positions, states }: Found): Restored | undefined {
  if (shards.length === 0) {
    if (positions.length > 0) throw new Error('there are positions and no checkpoint')
    if (states.length > 0) throw new Error('there are states of stages and no checkpoint')
    return undefined
  }
  const splits = shards.reduce((sum, row) => sum + countOf('number of splits', row.splits), 0)
  if (splits !== positions.length) {
    throw new Error(`it is of ${splits} splits, and there are positions of ${positions.length}`)
  }
  const own = shards.find((row) => isOf(shard, row))
  const kept = states.filter((row) => isOf(shard, row))
  const parts = own?.parts ?? 0
  if (parts !== kept.length) throw new Error(`it has ${parts} parts of states, and there are ${kept.length}`)
  const epoch = own === undefined ? 0 : countOf('epoch', own.epoch)
  if (own !== undefined && epoch === 0) throw new Error('its epoch is 0')
  const checkpoint: Checkpoint = {
    epoch,
    positions: new Map(positions.map(({ split, position }) => [String(split), parsed(position)])),
    totals: own === undefined ? NO_TOTALS : totalsOf(parsed(own.totals)),
    states: new Map(kept.map(({ part, state }) => [String(part), bytesOf(state)])),
  }
  const note = (own?.note ?? null) === null ? undefined : parsed(own?.note)
  return { checkpoint, splits: own === undefined ? 0 : countOf('number of splits', own.splits), note }
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
