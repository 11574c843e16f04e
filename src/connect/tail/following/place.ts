// Up to where a followed file was read, and the position of a tail: what a later run continues from.

import { isCount } from '../../../base/check.ts'
import { positionLost } from '../../kits/files/errors.ts'
import type { Fingerprint } from '../../kits/files/identity.ts'
import { isFingerprint } from '../../kits/files/identity.ts'
import { LAST_BYTES } from '../../kits/files/records/open-line.ts'
import type { Json, Position } from '../../source.ts'

/** One file of a tail: how it is recognized, and how far it was read. As JSON. */
export type Place = {
  /** Where it was seen last. */
  readonly path: string
  /** The name under which it is followed, wherever it has moved since. */
  readonly name: string
  /** The file's number under that name, from 1; 0 before it was read. */
  readonly number: number
  /** Device and inode: where it is searched for first. Its content identifies it. */
  readonly inode: string
  /** Stored size of a compressed file; 0 for a plain one. */
  readonly storedBytes: number
  /** When it was modified last, in epoch milliseconds. */
  readonly changedMs: number
  /** The content's first bytes, up to 4 KiB, not beyond `offset`. */
  readonly prefixHash: string
  /** The content before `offset`. */
  readonly tail: Fingerprint
  /** Where the next line begins in the content. */
  readonly offset: number
  /** The number of the next line; 0 if lines are not numbered since reading began at the file's end. */
  readonly line: number
  /** Whether the last line returned had no line end. */
  readonly isPartial: boolean
}

/** A file that is no longer followed. */
export type Finished = Place & {
  /** Whether it was never read: it had been rotated away when the first run began. */
  readonly isPassed: boolean
}

export type TailPosition = {
  readonly kind: 'tail'
  /** Followed files; oldest first for each name. */
  readonly followed: readonly Place[]
  /** Files finished last, oldest first: they are not read again, whatever their names are now. */
  readonly finished: readonly Finished[]
  /** By name, the time up to which unknown rotated files have been finished and forgotten, in epoch milliseconds. */
  readonly forgottenMs: { readonly [name: string]: number }
}

/**
 * Reads a tail's position from a checkpoint.
 *
 * @throws {SluiceError} POSITION_LOST if it belongs to another kind of source, or is invalid
 */
export function parseTailPosition(id: string, position: Position): TailPosition {
  if (isTailPosition(position)) return position
  throw positionLost(id, 0, `the checkpoint holds no position of a tail: ${JSON.stringify(position)?.slice(0, 60)}`)
}

function isTailPosition(value: Json): value is TailPosition {
  const position = value as Partial<TailPosition> | null
  if (typeof position !== 'object' || position === null || position.kind !== 'tail') return false
  const { followed, finished, forgottenMs } = position
  if (!Array.isArray(followed) || !followed.every(isPlace)) return false
  if (!Array.isArray(finished) || !finished.every((one) => isPlace(one) && isBoolean((one as Finished).isPassed))) {
    return false
  }
  return typeof forgottenMs === 'object' && forgottenMs !== null && Object.values(forgottenMs).every(isTime)
}

function isPlace(value: unknown): value is Place {
  const place = value as Partial<Place> | null
  return (
    typeof place === 'object' &&
    place !== null &&
    [place.path, place.name, place.inode, place.prefixHash].every((text) => typeof text === 'string') &&
    [place.number, place.storedBytes, place.offset, place.line].every(isCount) &&
    isTime(place.changedMs) &&
    isFingerprint(place.tail, LAST_BYTES) &&
    isBoolean(place.isPartial)
  )
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

function isTime(value: unknown): boolean {
  return typeof value === 'number' && Number.isFinite(value)
}
