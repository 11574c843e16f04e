// What the stages of a pipeline report to the committer: directly, or across threads as messages.

import type { DeadLetter, Origin } from '../connect/origin.ts'
import type { Totals } from '../connect/sink.ts'
import type { Position } from '../connect/source.ts'

/** What a source stage emitted between two barriers. */
export interface SourceReport {
  readonly epoch: number
  readonly stage: string
  /** Splits that advanced, with their positions. */
  readonly positions: ReadonlyMap<string, Position>
  /** Records read, and what became of those that were not emitted. */
  readonly counts: Partial<Totals>
}

/** What a stage after the sources did, and its state, as of a barrier. */
export interface StageReport {
  readonly epoch: number
  readonly stage: string
  /** What became of its events since the previous barrier. */
  readonly counts: Partial<Totals>
  /** Operator → its state, packed by `packState`. */
  readonly states: ReadonlyMap<string, Uint8Array>
  /** How long the snapshot took, in clock milliseconds. */
  readonly tookMs: number
}

/** Sent between barriers, now and then. */
export interface SourceProgress {
  readonly stage: string
  /** The epoch that is open in the stage, and records read since it opened. */
  readonly epoch: number
  readonly inEpoch: number
  /** Records read since the run started, and bytes of the source, without what earlier runs had read. */
  readonly read: number
  readonly doneBytes: number
  /** Bytes that earlier runs had read of the splits opened so far. */
  readonly skippedBytes: number
  readonly split: string | undefined
  /** Whether anything is not yet covered by a barrier. */
  readonly hasMoved: boolean
  /** Whether all splits are at their end. */
  readonly isExhausted: boolean
}

export interface SplitOpened {
  readonly split: string
  readonly note: string | undefined
  readonly resumedBytes: number
  readonly sizeBytes: number | undefined
}

/** Receives the reports of stages. */
export interface EpochReports {
  source(report: SourceReport): void
  stage(report: StageReport): void
  /** Events that were rejected, for the epoch that is open in the stage that rejected them. */
  deadLetters(epoch: number, letters: readonly DeadLetter[]): void
  /**
   * A stage that reports at barriers, and does not read, has emitted everything: no dead letter of it follows.
   *
   * @param counts - what became of its events since the last barrier
   */
  ended(counts: Partial<Totals>): void
  progress(progress: SourceProgress): void
  opened(opened: SplitOpened): void
  /** Something happened to a source that people may want to know. */
  noted(split: string, note: string): void
  /** The record being processed, when records are processed one at a time: it may be the one that crashes a worker. */
  inHand(origin: Origin): void
}

/** Commands to stages that read. */
export type SourceCommand =
  /** Send the barrier that ends this epoch. */
  | { readonly kind: 'barrier'; readonly epoch: number }
  /** Stop reading; what was read but not emitted is read again by a later run. */
  | { readonly kind: 'stop' }
  /** Too much is waiting for a commit, or no longer. */
  | { readonly kind: 'hold'; readonly isHeld: boolean }
  /** An epoch is committed: the senders of its records may be acknowledged. */
  | { readonly kind: 'committed'; readonly epoch: number }
  /** Everything was read: end. */
  | { readonly kind: 'end' }

/** Where a run starts: the state of the last commit. */
export interface ResumePoint {
  /** The last epoch committed. */
  readonly epoch: number
  readonly positions: ReadonlyMap<string, Position>
  /** Operator → its states, one for each stage there was. */
  readonly states: ReadonlyMap<string, readonly Uint8Array[]>
  /** Whether records are processed one at a time, to find the one that crashes a worker. */
  readonly isCareful: boolean
  /** Whether dead letters are replayed: of some records only parts are wanted. */
  readonly isReplay: boolean
  /** Whether nothing is read until the run is resumed. */
  readonly isHeld: boolean
  /** Records that crashed a worker, by `recordKey`, with what happened: they become dead letters. */
  readonly poison: ReadonlyMap<string, string>
}

/** The name of a record within its run. */
export function recordKey({ source, offset }: Origin): string {
  return `${offset}@${source}`
}
