// The contract of reading many plain lines at once, field by field.

import type { FieldVector, MakeRows } from './column-batch.ts'

/** Where the first line of a block is. */
export interface ScanPlace {
  readonly source: string
  /** Its number, or what counts it when it is asked for. */
  readonly line: number | (() => number)
  readonly offset: number
}

/** Lines that were read as records. */
export interface Scanned<T> {
  readonly count: number
  /** Whether the next line is not plain. */
  readonly isAtOdd: boolean
  /** Where each begins, and where the next one would. */
  readonly startOf: (index: number) => number
  /** How many bytes end a line. */
  readonly lineGap: number
  /** A copy of their bytes, and that as one string of as many characters, if they are ASCII. */
  readonly bytes: Buffer
  readonly whole: () => string | undefined
  readonly fields: ReadonlyMap<string, FieldVector>
  readonly make: MakeRows<T>
}

/** Reads plain lines of one file: those in which nothing needs a closer look. */
export interface Scan<T> {
  /** Bytes that no plain line has: one of them in a block, and its lines are read one by one. */
  readonly odd: readonly number[]
  /**
   * Reads up to `max` lines from `from` on, up to the first that is not plain; `to` follows a line end. A line is plain
   * only if reading it by itself gives the same row.
   */
  read(bytes: Buffer, from: number, to: number, max: number, place: ScanPlace): Scanned<T>
}

/** The bytes of lines that were scanned, which outlive the block. */
export function copyOf(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(to - from)
  bytes.copy(copy, 0, from, to)
  return copy
}

/**
 * As much as is scanned at once: it stays in a core's cache, and a text that somebody keeps, which is a part of it, does
 * not retain much else.
 */
const MOST_BYTES = 64 * 1024
const LF = 0x0a

/** The end of the lines that are scanned at once, from `from` on; `from` itself if the next line is longer than that. */
export function endOfScan(bytes: Buffer, from: number, to: number): number {
  return to - from <= MOST_BYTES ? to : Math.max(from, bytes.lastIndexOf(LF, from + MOST_BYTES - 1) + 1)
}
