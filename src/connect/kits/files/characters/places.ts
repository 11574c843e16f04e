// The contract of decoders that make UTF-8 of other text, and know where in the file its records are.

import type { Decoded } from './charset.ts'

/** Where a record of the UTF-8 text is: its line, and its offset in that text. */
export interface Spot {
  readonly line: number
  readonly offset: number
}

/** Maps positions in text to positions in a file. They must be requested from front to back. */
export interface Places {
  /**
   * Decodes bytes, which follow those decoded before, up to the last whole character.
   *
   * @param at - the offset of the first
   * @param next - where the next record is: nothing before it will be requested
   */
  textOf(bytes: Buffer, at: number, isWhole: boolean, next: Spot): Pick<Decoded, 'text' | 'usedBytes'>
  /** The place in the file. */
  of(spot: Spot): number
  /** Whether there are invalid bytes between a record and the next one. */
  isMalformed(record: Spot, next: Spot): boolean
  /** As `of`, for records that are returned next, in any order and permanently; undefined if some may be malformed. */
  lasting?(): ((spot: Spot) => number) | undefined
}
