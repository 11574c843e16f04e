// What tails of other patterns have read: files that both name are not read again.

import type { Position, ResumedSplit } from '../../source.ts'
import { type Finished, type Place, parseTailPosition, type TailPosition } from './place.ts'

/** The prefix of the patterns in the id of a tail's split. */
export const TAIL = 'tail:'

const NONE: TailPosition = { kind: 'tail', followed: [], finished: [], forgottenMs: {} }

/**
 * Where a tail continues: at its own position, and with the files that tails of other patterns have read, as finished
 * files. Each is then recognized by its content, and read on from its furthest position.
 *
 * @param id - of the tail's split
 * @throws {SluiceError} POSITION_LOST for an invalid position
 */
export function resumedTail(id: string, positions: ReadonlyMap<string, Position>): ResumedSplit {
  const own = positions.get(id)
  const others: Finished[] = []
  for (const [other, position] of positions) {
    if (other !== id && other.startsWith(TAIL)) others.push(...readBy(parseTailPosition(other, position)))
  }
  if (others.length === 0) return { split: { id }, from: own }
  const before = own === undefined ? NONE : parseTailPosition(id, own)
  const reached = furthest(readBy(before))
  const further = others.filter(({ inode, offset }) => offset > (reached.get(inode) ?? 0))
  if (further.length === 0) return { split: { id }, from: own }
  const inodes = new Set(further.map(({ inode }) => inode))
  const followed = before.followed.filter(({ inode }) => !inodes.has(inode))
  const known = readBy({ ...before, followed: before.followed.filter(({ inode }) => inodes.has(inode)) })
  // For one inode the furthest position comes last: it is examined first.
  const finished = [...known, ...further.sort((a, b) => a.offset - b.offset)]
  return { split: { id }, from: { ...before, followed, finished } satisfies TailPosition }
}

/** The files of which a tail has read something, or which it has skipped. */
function readBy({ followed, finished }: TailPosition): Finished[] {
  return [...finished, ...followed.filter(({ offset }) => offset > 0).map((place) => ({ ...place, isPassed: false }))]
}

function furthest(places: readonly Place[]): Map<string, number> {
  const reached = new Map<string, number>()
  for (const { inode, offset } of places) reached.set(inode, Math.max(offset, reached.get(inode) ?? 0))
  return reached
}
