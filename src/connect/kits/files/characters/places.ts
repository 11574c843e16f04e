// The contract of those who make UTF-8 of other text, and know where in the file its records are.

import type { Decoded } from './charset.ts'

/** Where a record of the UTF-8 text is: its line, and its offset in that text. */
export interface Spot {
  readonly line: number
  readonly offset: number
}

/** Knows from places in text to places in a file. They are asked for from front to back. */
export interface Places {
  /**
   * Makes text of bytes, up to the last whole character: of those that follow what was made text of before.
   *
   * @param at - the offset of the first
   * @param next - where the next record is: what is before it is not asked for any more
   */
  textOf(bytes: Buffer, at: number, isWhole: boolean, next: Spot): Pick<Decoded, 'text' | 'usedBytes'>
  /** The place in the file. */
  of(spot: Spot): number
  /** Whether bytes from a record up to the next one are not text. */
  isMalformed(record: Spot, next: Spot): boolean
  /** As `of`, for records that will be given next, in any order and for good; undefined if some may be malformed. */
  lasting?(): ((spot: Spot) => number) | undefined
}
