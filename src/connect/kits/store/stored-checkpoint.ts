// What every store keeps of a checkpoint, and how what was kept is read back: never in silence what does not fit.

import { hostname } from 'node:os'
import { isCount } from '../../../base/check.ts'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import type { Checkpoint, Totals } from '../../sink.ts'
import type { Position } from '../../source.ts'
import { NO_TOTALS } from '../../totals.ts'

/** Of what is stored; a checkpoint of a later version is refused, never read as if it were of this one. */
export const CHECKPOINT_VERSION = 2
/** Before there were states of stages and leases; read as one that has none. */
const VERSION_WITHOUT_STATES = 1

/** A row of a table of checkpoints. */
export interface StoredCheckpoint {
  readonly version: unknown
  readonly epoch: unknown
  /** Text of JSON. */
  readonly totals: unknown
  /** How many splits have a position, and how many parts there are of states: none can get lost unnoticed. */
  readonly splits: unknown
  readonly parts: unknown
}

/** All that was found of a pipeline. */
export interface Found {
  /** Undefined where there is none. */
  readonly checkpoint: StoredCheckpoint | undefined
  /** Rows of split and position, as text of JSON. */
  readonly positions: readonly { readonly split: unknown; readonly position: unknown }[]
  readonly states: readonly { readonly part: unknown; readonly state: unknown }[]
}

/**
 * Puts a checkpoint together.
 *
 * @param hint - how to start over on purpose, for the error
 * @returns undefined if there is none
 * @throws {SluiceError} CHECKPOINT_INVALID for anything that does not fit: nothing then starts over by itself
 */
export function readCheckpoint(pipeline: string, found: Found, hint: string): Checkpoint | undefined {
  try {
    return checkpointOf(found)
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

function checkpointOf({ checkpoint, positions, states }: Found): Checkpoint | undefined {
  if (checkpoint === undefined) {
    if (positions.length > 0) throw new Error('there are positions and no checkpoint')
    if (states.length > 0) throw new Error('there are states of stages and no checkpoint')
    return undefined
  }
  const { version } = checkpoint
  if (version !== CHECKPOINT_VERSION && version !== VERSION_WITHOUT_STATES) {
    throw new Error(`it is of version ${version}, this Sluice reads ${CHECKPOINT_VERSION}`)
  }
  if (checkpoint.splits !== positions.length) {
    throw new Error(`it is of ${checkpoint.splits} splits, and there are positions of ${positions.length}`)
  }
  const parts = version === VERSION_WITHOUT_STATES ? 0 : checkpoint.parts
  if (parts !== states.length) throw new Error(`it has ${parts} parts of states, and there are ${states.length}`)
  const epoch = countOf('epoch', checkpoint.epoch)
  if (epoch === 0) throw new Error('its epoch is 0')
  return {
    epoch,
    positions: new Map(positions.map(({ split, position }) => [String(split), parsed(position)])),
    totals: totalsOf(JSON.parse(String(checkpoint.totals))),
    states: new Map(states.map(({ part, state }) => [String(part), bytesOf(state)])),
  }
}

function parsed(position: unknown): Position {
  return JSON.parse(String(position)) as Position
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
