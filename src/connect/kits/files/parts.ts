// Which parts of a file are to be read, whatever parts earlier runs read it in.

import { type ByteRange, isWhole, WHOLE } from './bytes/range.ts'
import type { FilePosition } from './identity.ts'

/** A part of a file, and where reading of it continues. */
export interface Part {
  readonly range: ByteRange
  /** Undefined for an unread one. */
  readonly from: FilePosition | undefined
}

/** A part that an earlier run read, and how far. */
export interface ReadPart {
  readonly range: ByteRange
  readonly position: FilePosition
}

/** The byte up to which everything that begins in a part was read. */
function reachOf({ range, position }: ReadPart): number {
  // A range that has not found its first line has no position.
  return position.line === 0 ? range.from : Math.min(range.to, position.offset)
}

/**
 * The parts of a plain file, in order: those that were read unchanged, and the rest cut by `splitBytes`.
 *
 * ```
 * read        [0────────100)[100──150··200)              [300────400)
 * cut by 60   [0────────100)[100──────200)[200─260)[260─300)[300──400)[400─460)…
 * not cut     [0────────100)[100──────────────────────300)[300─────────────────…
 * ```
 *
 * What begins at a byte belongs to the part that contains the byte, so that adjacent parts yield every record once,
 * wherever they are cut. Overlapping parts, which earlier versions left, count as what they have read together.
 *
 * @param splitBytes - the size of an unread part; Infinity for one as long as possible
 */
export function partsOf(read: readonly ReadPart[], sizeBytes: number, splitBytes: number): Part[] {
  const stored = read.filter(({ position }) => position.encoding !== 'plain')
  if (stored.length > 0) return [{ range: WHOLE, from: furthest(stored).position }]
  const parts: Part[] = []
  const hasRead = (one: ReadPart): boolean => reachOf(one) > one.range.from
  const sorted = read.filter(hasRead).sort((a, b) => a.range.from - b.range.from)
  // It may be known of an unread part that nothing begins in it.
  const unread = new Map(read.filter((one) => !hasRead(one)).map(({ range, position }) => [keyOf(range), position]))
  let at = 0
  /** The part that has read up to `at`, if there is one and it was not returned yet. */
  let last: ReadPart | undefined
  let best: ReadPart | undefined
  for (let seen = 0; at < Number.POSITIVE_INFINITY; ) {
    for (let next = sorted[seen]; next !== undefined && next.range.from <= at; next = sorted[seen]) {
      if (best === undefined || reachOf(next) > reachOf(best)) best = next
      seen += 1
    }
    if (best !== undefined && reachOf(best) > at) {
      if (last !== undefined) parts.push(upTo(last, at))
      last = best
      at = reachOf(best)
      continue
    }
    // The range from here to there is unread.
    const to = sorted[seen]?.range.from ?? Number.POSITIVE_INFINITY
    if (last !== undefined) {
      const end = splitBytes === Number.POSITIVE_INFINITY ? to : Math.min(to, endOf(last, at, splitBytes))
      parts.push(upTo(last, end))
      last = undefined
      at = end
    }
    const end = to === Number.POSITIVE_INFINITY && splitBytes < to ? Math.max(sizeBytes, parts.length > 0 ? 0 : 1) : to
    for (; at < end; at += splitBytes) {
      const range = { from: at, to: Math.min(at + splitBytes, to) }
      parts.push({ range, from: unread.get(keyOf(range)) })
    }
    at = to
  }
  return parts
}

/** Where a partially read part ends: a larger one is cut. */
function endOf({ range }: ReadPart, at: number, splitBytes: number): number {
  return range.to === at ? at : Math.min(range.to, at + splitBytes)
}

function upTo({ range, position }: ReadPart, to: number): Part {
  // A longer part is not finished where a shorter one was.
  const from = to > range.to && position.isDone ? { ...position, isDone: false } : position
  return { range: { from: range.from, to }, from }
}

function keyOf({ from, to }: ByteRange): string {
  return `${from}-${to}`
}

function furthest(parts: readonly ReadPart[]): ReadPart {
  return parts.reduce((one, other) => {
    if (one.position.isDone !== other.position.isDone) return one.position.isDone ? one : other
    return other.position.offset > one.position.offset ? other : one
  })
}

/** What remains to be read of a file, or of a part of it. */
export function sizeOf(sizeBytes: number, range: ByteRange | undefined): number {
  if (range === undefined || isWhole(range)) return sizeBytes
  return Math.max(0, Math.min(sizeBytes, range.to) - range.from)
}
