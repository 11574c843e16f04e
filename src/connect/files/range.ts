// Byte ranges of a plain file: each owns the lines that begin in it.

import type { Blocks } from './blocks.ts'

/** From a byte to the byte before another. */
export interface ByteRange {
  readonly from: number
  readonly to: number
}

/** Where the first line of a range begins, and its number. */
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

/** The id of a part of a file: its path for all of it, unless that looks like the id of a part of another. */
export function partId(path: string, range: ByteRange): string {
  return isWhole(range) && !RANGE_ID.test(path) ? path : `${path}#${range.from}-${range.to}`
}

/** Takes an id of `partId` apart. */
export function parsePartId(id: string): { readonly path: string; readonly range: ByteRange } {
  const [, path = '', from, to] = RANGE_ID.exec(id) ?? []
  return from === undefined ? { path: id, range: WHOLE } : { path, range: { from: Number(from), to: Number(to) } }
}

/**
 * Finds the first line that begins at `from` or after it, and its number, by counting lines from one that is known.
 *
 * @param blocks - the file from the byte before the known line on; from its first byte, if that is where the line begins
 * @param lineEnd - the byte that ends lines
 * @param known - a line that begins at `from` or before it
 * @returns undefined if no line begins there, as far as the file goes or up to `to`; `changed` if the known line does not
 *   begin where it did
 */
export async function findRangeStart(
  blocks: Blocks,
  range: ByteRange,
  lineEnd: number,
  known: RangeStart,
): Promise<RangeStart | undefined | 'changed'> {
  if (range.from === 0) return FIRST_LINE
  let at = Math.max(0, known.offset - 1)
  let isChecked = known.offset === 0
  // The end of the line before the known one is counted, too.
  let line = isChecked ? known.line : known.line - 1
  for (let block = await blocks.read(); block !== undefined && at < range.to; block = await blocks.read()) {
    if (!isChecked && block[0] !== lineEnd) return 'changed'
    isChecked = true
    // A line begins at `from` if the byte before it ends one.
    const counted = Math.max(0, Math.min(block.length, range.from - 1 - at))
    line += countLineEnds(block.subarray(0, counted), lineEnd)
    const end = block.indexOf(lineEnd, counted)
    if (end !== -1) {
      const offset = at + end + 1
      return offset < range.to ? { offset, line: line + 1 } : undefined
    }
    at += block.length
  }
  return undefined
}

/**
 * Finds the first line that begins at `from` or after it, without counting: its number is not told.
 *
 * @param blocks - the file from the byte before `from` on
 * @param lineEnd - the byte that ends lines
 * @returns undefined if no line begins there, as far as the file goes or up to `to`
 */
export async function findLineStart(
  blocks: Blocks,
  range: ByteRange,
  lineEnd: number,
): Promise<RangeStart | undefined> {
  if (range.from === 0) return FIRST_LINE
  let at = range.from - 1
  for (let block = await blocks.read(); block !== undefined && at < range.to; block = await blocks.read()) {
    const end = block.indexOf(lineEnd)
    const offset = at + end + 1
    if (end !== -1) return offset < range.to ? { offset, line: 0 } : undefined
    at += block.length
  }
  return undefined
}

function countLineEnds(bytes: Buffer, lineEnd: number): number {
  let count = 0
  for (let at = bytes.indexOf(lineEnd); at !== -1; at = bytes.indexOf(lineEnd, at + 1)) count += 1
  return count
}
