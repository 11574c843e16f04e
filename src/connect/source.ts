// The contract of sources: where events are read, with positions.

import type { ReadBatch } from './batch.ts'
import type { Columns } from './column.ts'
import type { LineFormat } from './format.ts'
import type { Origin, SourceRecord } from './origin.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** How far a split has been read, as JSON: a later `open` resumes after it. */
export type Position = Json

/** An independent part of a source: a file, a byte range of one, a partition of a topic. */
export interface Split {
  /** The same in every run for the same part: its position is stored under it. */
  readonly id: string
  /** The name under which its position is stored, if that is not its id. */
  readonly name?: string
  /** How much there is to read, in bytes as `SplitReader.doneBytes` counts them; absent if unknown. */
  readonly sizeBytes?: number
}

/** The names of a source's parts, the same on every machine: copies of a run share the parts by them. */
export interface SharedNames {
  /** The same on every machine: for a file its path below the folder where a glob starts. */
  nameOf(id: string): string
  /** The id of the part with that name here; the name itself if it was not listed. */
  idOf(name: string): string
  /** The first bytes of a part, at most {@link SHARED_HEAD_BYTES}; undefined if they cannot be read. */
  headOf(id: string): Promise<Uint8Array | undefined>
}

export const SHARED_HEAD_BYTES = 512

/** A part of a source, and where a run continues in it: at its start if undefined. */
export interface ResumedSplit {
  readonly split: Split
  readonly from: Position | undefined
}

/** What became of every record at the source. `read` counts events, dead letters and blanks. */
export interface SourceCounts {
  read: number
  blank: number
  /** Records with bytes that are not text in their encoding, whatever became of them. */
  invalidUtf8: number
}

/** Options of every call of a source that may wait. */
export interface OpenOptions {
  readonly signal?: AbortSignal
  /** Receives notices for people, one line each: a file was truncated, for example. */
  readonly onNote?: (note: string) => void
}

/** A source of events: describes what is to be read, and opens readers. It starts nothing by itself. */
export interface Source<T> {
  /** The kind of source, for diagrams and logs: `files`. */
  readonly kind: string
  /** What is read, for people: `logs/*.gz as access log`. */
  readonly title: string
  /** The columns of its events, if they are rows known beforehand. */
  readonly columns?: Columns
  /**
   * Finds the columns of its events in the data, if that has them and `columns` is not set. Undefined if it does not.
   */
  readonly findColumns?: (options?: OpenOptions) => Promise<Columns | undefined>
  /** Set where all its events are rows of the same fields: a field that one of them lacks is in none. */
  readonly isTabular?: true
  /** Set where a later run reads records again that an earlier one has loaded: it takes a sink that overwrites them. */
  readonly readsAgain?: true
  /** Set for a source that never ends by itself: it is read until it is stopped. */
  readonly isUnbounded?: true
  /**
   * Set if the offset of a record is a count of earlier records, or of bytes of a stream: a run that starts over may
   * give the places of stored dead letters to other records, and is refused.
   */
  readonly isCounted?: true
  /** Set if what was read and not committed cannot be read again. */
  readonly delivery?: 'at-most-once'
  /** The condition for each record to be read once, for people: `as long as the topic keeps the records`. */
  readonly provided?: string
  /** Set if senders wait to hear what is committed: its readers have `acknowledge`. */
  readonly needsAck?: true
  /** Names of the parts that were last listed. Absent if copies of a run cannot share them. */
  readonly shared?: SharedNames
  /** Set if copies of a run need no `--shard`: how its input reaches readers, and how many copies to start, for people. */
  readonly sharing?: { readonly how: string; readonly copies: string }
  /**
   * The parts to read, in the order in which they are to be read.
   * @throws {SluiceError} SOURCE_MISSING if there is nothing to read
   */
  splits(options?: OpenOptions): Promise<readonly Split[]>
  /**
   * Opens a split after `from`, or at its start.
   * @throws {SluiceError} POSITION_LOST if the split has changed since `from` was recorded
   */
  open(split: Split, from: Position | undefined, options?: OpenOptions): Promise<SplitReader<T>>
  /**
   * The parts to read after earlier runs, whose positions are given by split id, and where each of them continues: for
   * a source whose parts may have changed by then, in size or name. Without it, a part continues from the position
   * under its id.
   * @throws {SluiceError} as `splits`, and POSITION_LOST
   */
  readonly resume?: (
    positions: ReadonlyMap<string, Position>,
    options?: OpenOptions,
  ) => Promise<readonly ResumedSplit[]>
  /**
   * Parses one record again from its raw form, as it is stored with a dead letter; absent if a source does not support
   * it. If only a part was kept, as the dead letter's `reason` says, it becomes a dead letter again.
   */
  readonly reparse?: (origin: Origin, reason?: string) => SourceRecord<T>
  /** The same source over other files, for tests; absent if it does not read files to their ends. */
  readonly over?: (files: readonly string[]) => Source<T>
  /**
   * What makes an event of a line, or of a message if senders wait for it (`needsAck`), for tests; absent if more than
   * the text is needed, or `over` does it.
   */
  readonly format?: LineFormat<T>
}

/** Reads one split from front to back. One call at a time. */
export interface SplitReader<T> {
  /** Set when the split was read to its end in an earlier run and has nothing new: the reason, for people. */
  readonly note?: string
  /**
   * The next records: events, and those that could not be read, together at least one and at most `max`; undefined at
   * the end of the split. What is at hand is returned at once; only a read that must wait returns a promise. Blank
   * records are only counted.
   *
   * Where an event came from is computed when its origin is requested, which may be at any later time. A value that is
   * text may be a slice of what was read around it (up to 32 KiB), and keep that in memory.
   */
  read(max: number): ReadBatch<T> | undefined | Promise<ReadBatch<T> | undefined>
  /** The position after the last record returned. */
  position(): Position
  /** What this reader has counted so far: the counts that belong to `position()`. */
  readonly counts: Readonly<SourceCounts>
  /** How far it is, in the unit of `Split.sizeBytes`. */
  readonly doneBytes: number
  /**
   * Everything up to `position`, which the reader returned itself, is committed: a broker may be sent acknowledgements.
   * Positions come in order, but not each of them. Does not fail: what could not be acknowledged is sent again, and
   * recognized by its position. The reader is closed after the last one.
   */
  acknowledge?(position: Position): void
  /** Resolves when all resources are released; pending acknowledgements have been sent by then, if possible. */
  close(): Promise<void>
}
