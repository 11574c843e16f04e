// Where a file that is followed was read to, and the position of a tail: what a later run goes on from.

import { isCount } from '../../../base/check.ts'
import { positionLost } from '../../kits/files/errors.ts'
import type { Fingerprint } from '../../kits/files/identity.ts'
import { isFingerprint } from '../../kits/files/identity.ts'
import { LAST_BYTES } from '../../kits/files/records/open-line.ts'
import type { Json, Position } from '../../source.ts'

/** One file of a tail: by what it is known again, and how far it was read. As JSON. */
export type Place = {
  /** Where it was seen last. */
  readonly path: string
  /** The name under which it is followed, wherever it has gone since. */
  readonly name: string
  /** The how manyth file under that name it is, from 1; 0 before it was read. */
  readonly number: number
  /** Device and inode: where it is looked for first. What it is, its content says. */
  readonly inode: string
  /** Stored size of a compressed file; 0 of a plain one. */
  readonly storedBytes: number
  /** When it was changed last, in epoch milliseconds. */
  readonly changedMs: number
  /** The content's first bytes, up to 4 KiB, none of them behind `offset`. */
  readonly prefixHash: string
  /** The content before `offset`. */
  readonly tail: Fingerprint
  /** Where the next line begins in the content. */
  readonly offset: number
  /** The number of the next line; 0 if lines are not numbered since reading began at the file's end. */
  readonly line: number
  /** Whether the last line given had no line end. */
  readonly isPartial: boolean
}

/** A file that is not followed any more. */
export type Finished = Place & {
  /** Whether it was never read: it was there, rotated away, when the first run began. */
  readonly isPassed: boolean
}

export type TailPosition = {
  readonly kind: 'tail'
  /** Files being followed; of each name the oldest first. */
  readonly followed: readonly Place[]
  /** Files finished last, the oldest first: they are not read again, whatever they are called now. */
  readonly finished: readonly Finished[]
  /** By name, up to when rotated files that are not known have been finished and forgotten, in epoch milliseconds. */
  readonly forgottenMs: { readonly [name: string]: number }
}

/**
 * Reads a tail's position from a checkpoint.
 *
 * @throws {SluiceError} POSITION_LOST if it is of another kind of source, or broken
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
