// Byte ranges of a plain file: each owns the lines that begin in it.

import { LAST_BYTES, lastBytes } from '../records/open-line.ts'
import type { Blocks } from './blocks.ts'

/** From a byte to the byte before another. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/** A line: where it begins, and its number. */
export interface RangeStart {
  readonly offset: number
  readonly line: number
}

/** Where a file's own first line begins. */
export const FIRST_LINE: RangeStart = { offset: 0, line: 1 }

/** All of a file, however long it becomes. */
export const WHOLE: ByteRange = { from: 0, to: Number.POSITIVE_INFINITY }

/** Whether a range is all of its file. */
export function isWhole({ from, to }: ByteRange): boolean {
  return from === 0 && to === Number.POSITIVE_INFINITY
}

const RANGE_ID = /^(.*)#(\d+)-(\d+|Infinity)$/s

/** The id of a part of a file: its path for the whole file, unless that looks like the id of a part of another. */
export function partId(path: string, range: ByteRange): string {
  return isWhole(range) && !RANGE_ID.test(path) ? path : `${path}#${range.from}-${range.to}`
}

/** Parses an id made by `partId`. */
export function parsePartId(id: string): { readonly path: string; readonly range: ByteRange } {
  const [, path = '', from, to] = RANGE_ID.exec(id) ?? []
  return from === undefined ? { path: id, range: WHOLE } : { path, range: { from: Number(from), to: Number(to) } }
}

/**
 * Finds the first line that begins at or after `from`.
 *
 * @param blocks - the file from {@link LAST_BYTES} before `from` on, or from its first byte
 * @param lineEnd - the byte that ends lines
 * @returns where it begins, and the bytes before it; undefined if no line begins there, before the end of the file or
 *   `to`
 */
export async function findLineStart(
  blocks: Blocks,
  range: ByteRange,
  lineEnd: number,
): Promise<{ readonly offset: number; readonly before: Buffer } | undefined> {
  let at = Math.max(0, range.from - LAST_BYTES)
  let before: Buffer = Buffer.alloc(0)
  for (let block = await blocks.read(); block !== undefined && at < range.to; block = await blocks.read()) {
    // A line begins at `from` if the preceding byte is a line end.
    const end = block.indexOf(lineEnd, Math.max(0, range.from - 1 - at)) + 1
    before = lastBytes(before, end === 0 ? block : block.subarray(0, end))
    const offset = at + end
    if (end > 0) return offset < range.to ? { offset, before } : undefined
    at += block.length
  }
  return undefined
}
