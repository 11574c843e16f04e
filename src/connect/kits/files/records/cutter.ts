// The contract of cutters: pure machines that cut bytes into records, the same records however the bytes are split into
// blocks.

import type { SourceCounts } from '../../../source.ts'

/** One record as text: a line without its line end, several lines, or a part of one. */
export interface Line {
  readonly text: string
  /** The line in which it begins, from 1. */
  readonly line: number
  /** Where the record begins, in bytes; 0 for a file's first line, even if a byte order mark precedes its text. */
  readonly offset: number
  /** Why it is not a valid record; undefined for nearly all. */
  readonly fault: string | undefined
  /** The record's bytes as `escapeBytes` writes them, if they are not UTF-8 and `text` has lost some. */
  readonly raw?: string
}

/** Where a cutter begins. */
export interface CutterStart {
  /** Offset of the first byte pushed, where a record begins. 0 by default. */
  readonly offset?: number
  /** Number of the line that begins there. 1 by default. */
  readonly line?: number
  /** Records that begin at or after this offset are not returned. No limit by default. */
  readonly until?: number
  /** Whether the bytes are a file's first: a byte order mark is then not part of the text. False by default. */
  readonly isFileStart?: boolean
  /** Whether a record was returned before without its end: what is pushed first is its rest. False by default. */
  readonly isRest?: boolean
  /** Whether an earlier run returned records of the same content before `offset`. False by default. */
  readonly isResumed?: boolean
  /** An error in every record: the whole file has an unsupported encoding. */
  readonly fault?: string | undefined
  /** The bytes before `offset`, as returned by `lastBytes`. */
  readonly before?: Buffer
}

/**
 * Cuts bytes into records: push a block, take records until there are no more, push the next, report the end of input
 * and take the rest.
 */
export interface Cutter {
  /** What became of the records so far; blank ones are included once the record after them was requested. */
  readonly counts: Readonly<SourceCounts>
  /** The offset at which a later run continues. */
  readonly offset: number
  /** Number of the line there. */
  readonly line: number
  /** Whether the last record had no end: what follows is its rest. */
  readonly isPartial: boolean
  /** Whether no more records will be returned, whatever is pushed. */
  readonly isOver: boolean
  /** Up to 256 bytes before `offset`. */
  lastBytes(): Buffer
  /** Takes the next bytes; only when `next` has nothing more. They must not change until then. */
  push(block: Buffer): void
  /** Says that there are no more bytes: the rest is a record. */
  end(): void
  /** The next record; undefined when more bytes are needed. */
  next(): Line | undefined
  /**
   * The next records if none of them needs a closer look; undefined only means that `next` must be called. Those not
   * taken are returned by `next`, or by another run.
   */
  run(): Run | undefined
  /**
   * The next records as bytes, for callers that read many at once; undefined only means that `next` must be called. Those
   * not passed are returned by `next`, by a run, or with another block. Absent if records are not bytes of the file.
   */
  block?(): LineBlock | undefined
  /** Passes the lines of the last block up to `to`: each is a record. */
  pass?(to: number, lines: number): void
}

/** Whole lines, all within the limit and none a part of a record, as far as line ends tell. */
export interface LineBlock {
  /** The same object until the next push; it may hold more than these lines. */
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}

/** The end of whole lines from `from` on: of at most so many bytes, and not after the line that has byte `until`. */
export function endOfLines(bytes: Buffer, from: number, lineEnd: number, mostBytes: number, until: number): number {
  const most = Math.min(mostBytes, bytes.length - from)
  if (until - from <= most) {
    const end = bytes.indexOf(lineEnd, until - 1) + 1
    // Without a line end from there on, all whole lines begin before it.
    if (end > 0 && end - from <= most) return end
  }
  return most === 0 ? from : Math.max(from, bytes.lastIndexOf(lineEnd, from + most - 1) + 1)
}

/** The position of a record, and the text that identifies it. */
export interface RecordPlace {
  readonly line: number
  readonly offset: number
  readonly raw: string
}

/** Consecutive records. Their positions are computed on demand. */
export interface Run {
  /** Why they are not valid records; undefined for nearly all. */
  readonly fault: string | undefined
  /** The text of the next one; undefined when there are no more in this run. */
  next(): string | undefined
  /** How many `next` has returned. */
  readonly given: number
  /** The line in which the last returned one begins, and its offset. */
  readonly line: number
  readonly offset: number
  /** The position of a returned one, by its number from 0; also when the cutter has moved on. */
  placeOf(index: number): RecordPlace
}

/** A record that needed a closer look, as a run of its own. */
export class SingleRun implements Run {
  readonly #record: Line
  given = 0

  constructor(record: Line) {
    this.#record = record
  }

  get fault(): string | undefined {
    return this.#record.fault
  }

  get line(): number {
    return this.#record.line
  }

  get offset(): number {
    return this.#record.offset
  }

  next(): string | undefined {
    if (this.given > 0) return undefined
    this.given = 1
    return this.#record.text
  }

  placeOf(): RecordPlace {
    const { line, offset, raw, text } = this.#record
    return { line, offset, raw: raw ?? text }
  }
}
