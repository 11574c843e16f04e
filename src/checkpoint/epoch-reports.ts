// What the stages of a pipeline tell whoever keeps its epochs: directly, or across threads as messages.

import type { DeadLetter, Origin } from '../connect/origin.ts'
import type { Totals } from '../connect/sink.ts'
import type { Position } from '../connect/source.ts'

/** What a stage that reads a source has given, as of a barrier, since the one before. */
export interface SourceReport {
  readonly epoch: number
  readonly stage: string
  /** Splits that moved, with where they stand. */
  readonly positions: ReadonlyMap<string, Position>
  /** Records read, and what became of those that were not given. */
  readonly counts: Partial<Totals>
}

/** What a stage behind the sources did, and remembers, as of a barrier. */
export interface StageReport {
  readonly epoch: number
  readonly stage: string
  /** What became of events in it since the barrier before. */
  readonly counts: Partial<Totals>
  /** Operator → its state, packed by `packState`. */
  readonly states: ReadonlyMap<string, Uint8Array>
  /** How long it was at that, in clock milliseconds. */
  readonly tookMs: number
}

/** Told between barriers, now and then. */
export interface SourceProgress {
  readonly stage: string
  /** The epoch that is open in the stage, and records read since it was opened. */
  readonly epoch: number
  readonly inEpoch: number
  /** Records read since the run began, and bytes of the source, without what earlier runs had read. */
  readonly read: number
  readonly doneBytes: number
  /** What earlier runs had read of the splits opened so far. */
  readonly skippedBytes: number
  readonly split: string | undefined
  /** Whether there is something that no barrier has closed off. */
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

/** Hears of what stages did. */
export interface EpochReports {
  source(report: SourceReport): void
  stage(report: StageReport): void
  /** Events that could not be used, of the epoch that is open in the stage that found them. */
  deadLetters(epoch: number, letters: readonly DeadLetter[]): void
  /**
   * A stage that reports at barriers, and reads nothing, has given all that it had: no letter of it follows.
   *
   * @param counts - what became of events in it since the last barrier
   */
  ended(counts: Partial<Totals>): void
  progress(progress: SourceProgress): void
  opened(opened: SplitOpened): void
  /** Something happened to a source that a person may want to know. */
  noted(split: string, note: string): void
  /** The record that is being worked on, where records go one at a time: it may be what ends a worker. */
  inHand(origin: Origin): void
}

/** What stages that read are told. */
export type SourceCommand =
  /** Send the barrier that ends this epoch. */
  | { readonly kind: 'barrier'; readonly epoch: number }
  /** Read nothing more; what was read and not given is read again by a later run. */
  | { readonly kind: 'stop' }
  /** Too much is waiting for a commit, or no longer. */
  | { readonly kind: 'hold'; readonly isHeld: boolean }
  /** An epoch is committed: whoever sent what it holds may be told. */
  | { readonly kind: 'committed'; readonly epoch: number }
  /** Everything was read: let it end. */
  | { readonly kind: 'end' }

/** Where a run begins: what the last commit left. */
export interface ResumePoint {
  /** The last epoch committed. */
  readonly epoch: number
  readonly positions: ReadonlyMap<string, Position>
  /** Operator → its states, one for each stage that there was. */
  readonly states: ReadonlyMap<string, readonly Uint8Array[]>
  /** Whether records go one at a time, to find the one that ends a worker. */
  readonly isCareful: boolean
  /** Whether dead letters are tried again: of some records only parts are wanted. */
  readonly isReplay: boolean
  /** Whether nothing is to be read until the run is resumed. */
  readonly isHeld: boolean
  /** Records that ended a worker, by `recordKey`, with what happened: they become dead letters. */
  readonly poison: ReadonlyMap<string, string>
}

/** A record's name among those of its run. */
export function recordKey({ source, offset }: Origin): string {
  return `${offset}@${source}`
}
