// The contract of sources: where events enter, with positions.

import type { ReadBatch } from './batch.ts'
import type { Columns } from './column.ts'
import type { Origin, SourceRecord } from './origin.ts'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** Where a reader of a split stands, as JSON: a later `open` resumes after it. */
export type Position = Json

/** An independent part of a source: a file, a byte range of one, a partition of a topic. */
export interface Split {
  /** The same in every run for the same part: positions are kept under it. */
  readonly id: string
  /** Under which its position is kept, where that is not its id. */
  readonly name?: string
  /** How much there is to read, in bytes as `SplitReader.doneBytes` counts them; absent where nobody knows. */
  readonly sizeBytes?: number
}

/** What the parts of a source are called on every machine: by that copies of a run share them. */
export interface SharedNames {
  /** The same on every machine: for a file its path below the folder that a glob begins to look in. */
  nameOf(id: string): string
  /** The id of a part of that name here; the name itself where nothing was listed that it is of. */
  idOf(name: string): string
  /** The first bytes of what a part is of, {@link SHARED_HEAD_BYTES} at most; undefined where they cannot be read. */
  headOf(id: string): Promise<Uint8Array | undefined>
}

export const SHARED_HEAD_BYTES = 512

/** A part of a source, and where a run goes on in it: at its start if undefined. */
export interface ResumedSplit {
  readonly split: Split
  readonly from: Position | undefined
}

/** What every record that was read has become at the source. `read` counts events, letters and blanks. */
export interface SourceCounts {
  read: number
  blank: number
  /** Records with bytes that are not text in their encoding, whatever became of them. */
  invalidUtf8: number
}

/** Options of everything in a source that can wait. */
export interface OpenOptions {
  readonly signal?: AbortSignal
  /** Told, in one line each time, of what happens to the source beside the reading: a file was cut short. */
  readonly onNote?: (note: string) => void
}

/** A source of events: describes what is to be read, and opens readers. It starts nothing by itself. */
export interface Source<T> {
  /** The kind of source, for diagrams and logs: `files`. */
  readonly kind: string
  /** What is read, for a person: `logs/*.gz as access log`. */
  readonly title: string
  /** The columns of its events where they are rows known beforehand. */
  readonly columns?: Columns
  /**
   * Finds the columns of its events out of what is to be read, where that says them and `columns` does not. Undefined
   * where it says none.
   */
  readonly findColumns?: (options?: OpenOptions) => Promise<Columns | undefined>
  /** Set where all its events are rows of the same fields: a field that one of them lacks is in none. */
  readonly isTabular?: true
  /** Set where a later run reads records again that an earlier one has loaded: it takes a sink that overwrites them. */
  readonly readsAgain?: true
  /** Set where reading never comes to its end by itself: it goes on until it is stopped. */
  readonly isUnbounded?: true
  /**
   * Set where the offset of a record is how many came before it, or how much of a stream: a run that starts over may give
   * the places of dead letters that are kept to other records, and is refused.
   */
  readonly isCounted?: true
  /** Set where what was given and not committed cannot be given again. */
  readonly delivery?: 'at-most-once'
  /** What has to hold for each record to be given once, for a person: `as long as the topic keeps the records`. */
  readonly provided?: string
  /** Set where whoever sends waits to hear what is committed: its readers have `committed`. */
  readonly needsAck?: true
  /** Names of the parts that were listed last. Absent where copies of a run cannot share them. */
  readonly shared?: SharedNames
  /** Set where copies of a run share what comes by themselves, as a group of the broker: each begins with all of it. */
  readonly sharesItself?: true
  /**
   * The parts to read, in the order in which they are to be read.
   * @throws {SluiceError} SOURCE_MISSING if there is nothing to read
   */
  splits(options?: OpenOptions): Promise<readonly Split[]>
  /**
   * Opens a split after `from`, or at its start.
   * @throws {SluiceError} POSITION_LOST if the split no longer is what `from` was taken of
   */
  open(split: Split, from: Position | undefined, options?: OpenOptions): Promise<SplitReader<T>>
  /**
   * The parts to read where earlier runs left positions, by split id, and where each of them goes on: for a source whose
   * parts may be others by then, cut in another way or under another name. Without it a part goes on from the position
   * under its id.
   * @throws {SluiceError} as `splits`, and POSITION_LOST
   */
  readonly resume?: (
    positions: ReadonlyMap<string, Position>,
    options?: OpenOptions,
  ) => Promise<readonly ResumedSplit[]>
  /**
   * Reads one record again from its raw form, as it is kept with a dead letter; absent where a source cannot. What was
   * kept in part only, as the letter's `reason` says, is a dead letter again.
   */
  readonly reparse?: (origin: Origin, reason?: string) => SourceRecord<T>
}

/** Reads one split from front to back. One call at a time. */
export interface SplitReader<T> {
  /** Set when the split was read to its end in an earlier run and has nothing new: why nothing will come. */
  readonly note?: string
  /**
   * The next records: events, and those that could not be read, together at least one and at most `max`; undefined at
   * the end of the split. What is at hand comes at once; only a read that must wait gives a promise. Blank records are
   * only counted.
   *
   * Where an event came from is worked out when something asks for its origin, which may be at any later time. A value
   * that is text may be a view of what was read around it (up to 32 KiB), and keep that in memory.
   */
  read(max: number): ReadBatch<T> | undefined | Promise<ReadBatch<T> | undefined>
  /** The position after the last record given. */
  position(): Position
  /** What was counted so far by this reader: the counts that belong to `position()`. */
  readonly counts: Readonly<SourceCounts>
  /** How far it is, in the unit of `Split.sizeBytes`. */
  readonly doneBytes: number
  /**
   * Told that all that was given up to `position`, which it gave itself, is committed: what a broker sent may be
   * acknowledged. Positions come in their order, not each of them. Does not fail: what could not be acknowledged is sent
   * again, and known by its position. The reader is closed after the last one.
   */
  acknowledge?(position: Position): void
  /** Resolves when nothing is held any more; what was to be acknowledged has been sent then, where it could be. */
  close(): Promise<void>
}
