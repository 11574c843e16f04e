// The contract of cutters: pure machines that cut bytes into records, the same ones however the bytes come in blocks.

import type { SourceCounts } from '../../../source.ts'

/** One record as text: a line without its line end, several of them, or a part of one. */
export interface Line {
  readonly text: string
  /** The line that it begins in, from 1. */
  readonly line: number
  /** Where the record begins, in bytes; of a file's first line 0, even if a byte order mark stands before its text. */
  readonly offset: number
  /** Why this cannot be a record; undefined for nearly all. */
  readonly fault: string | undefined
  /** The record's bytes as `escapeBytes` writes them, where they are not UTF-8 and `text` has lost some. */
  readonly raw?: string
}

/** Where a cutter begins. */
export interface CutterStart {
  /** Offset of the first byte pushed, which begins a record. 0 by default. */
  readonly offset?: number
  /** Number of the line that begins there. 1 by default. */
  readonly line?: number
  /** Records that begin at this offset or after it are not given. No end by default. */
  readonly until?: number
  /** Whether the bytes are a file's first: a byte order mark is then no part of the text. False by default. */
  readonly isFileStart?: boolean
  /** Whether a record was given before without its end: what is pushed first is its rest. False by default. */
  readonly isRest?: boolean
  /** Whether an earlier run gave records of the same content before `offset`. False by default. */
  readonly isResumed?: boolean
  /** A fault that every record has: the whole file is in an encoding that cannot be read. */
  readonly fault?: string | undefined
  /** The bytes before `offset`, as `lastBytes` gave them. */
  readonly before?: Buffer
}

/**
 * Cuts bytes into records: push a block, take records until there are none, push the next, say when it was the last and
 * take what that gives.
 */
export interface Cutter {
  /** What became of the records so far; blank ones are in it once the record after them was asked for. */
  readonly counts: Readonly<SourceCounts>
  /** Offset at which a later run goes on. */
  readonly offset: number
  /** Number of the line there. */
  readonly line: number
  /** Whether the last record had no end: what follows is its rest. */
  readonly isPartial: boolean
  /** Whether no more records will be given, whatever is pushed. */
  readonly isOver: boolean
  /** Up to 256 bytes before `offset`. */
  lastBytes(): Buffer
  /** Takes the next bytes; only when `next` has nothing more. They must stay as they are until it has again. */
  push(block: Buffer): void
  /** Says that there are no more bytes: what is left is a record. */
  end(): void
  /** The next record; undefined when more bytes are needed. */
  next(): Line | undefined
  /**
   * The next records where none of them needs a closer look; undefined says nothing but that `next` is to be asked. What
   * is not taken of them is given by `next`, or by another run.
   */
  run(): Run | undefined
}

/** Where a record stands, and the text that it is known by. */
export interface RecordPlace {
  readonly line: number
  readonly offset: number
  readonly raw: string
}

/** Records that follow each other. Their places are worked out when something asks for them. */
export interface Run {
  /** Why they cannot be records; undefined for nearly all. */
  readonly fault: string | undefined
  /** The text of the next one; undefined when there are no more in this run. */
  next(): string | undefined
  /** How many `next` has given. */
  readonly given: number
  /** The line in which the one that was given last begins, and its offset. */
  readonly line: number
  readonly offset: number
  /** Where one stands that was given, by its number from 0; also when the cutter has gone on. */
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
