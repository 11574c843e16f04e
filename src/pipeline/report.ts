// What a run reports while it runs and when it has ended.

import type { DeadLetter } from '../connect/origin.ts'
import type { Totals } from '../connect/sink.ts'
import type { Top } from '../observe/top.ts'
import type { Promised } from './guarantee.ts'

/** How far a run is. Can be taken at any time, at no cost to the run. */
export interface Progress {
  readonly pipeline: string
  /** Which of several copies it is: `2/8`. Absent where it is the only one. */
  readonly shard?: string
  /** Read by this run so far, in bytes of the source; what earlier runs had done is in neither figure. */
  readonly doneBytes: number
  /** What this run has to read, in bytes; undefined if unknown (stdin). */
  readonly totalBytes: number | undefined
  /** Records read by this run so far, committed or not. */
  readonly read: number
  /** Dead letters of this run so far. */
  readonly dead: number
  readonly elapsedMs: number
  /** What is committed, over all runs. */
  readonly committed: Totals
  readonly epoch: number
  /** The split being read. */
  readonly split: string | undefined
}

/** Events of a run, reported as they happen. */
export type RunEvent =
  | {
      readonly kind: 'started'
      readonly source: string
      readonly sink: string
      readonly resumedEpoch: number | undefined
    }
  | {
      readonly kind: 'split-opened'
      readonly split: string
      readonly note: string | undefined
      /** How much of it earlier runs had read, and its size, in bytes of the source. */
      readonly resumedBytes: number
      readonly sizeBytes: number | undefined
    }
  /** Something happened to the source that people may want to know: a file was rotated, or truncated. */
  | { readonly kind: 'noted'; readonly split: string; readonly note: string }
  | {
      readonly kind: 'committed'
      readonly epoch: number
      /** Committed over all runs. */
      readonly totals: Totals
      /** How long the commit took, in clock milliseconds. */
      readonly tookMs: number
    }
  | { readonly kind: 'dead-letter'; readonly letter: DeadLetter }
  | { readonly kind: 'draining'; readonly why: string }
  /** Nothing more is read until the run is resumed. */
  | { readonly kind: 'paused' }
  | { readonly kind: 'resumed' }
  /** Something failed; the run restarts from its last commit after a wait, in clock milliseconds. */
  | {
      readonly kind: 'retrying'
      readonly error: unknown
      readonly why: string
      readonly attempt: number
      readonly waitMs: number
    }

/** The result of a run that did not fail. */
export interface RunReport {
  readonly pipeline: string
  /** Which of several copies it is: `2/8`. Absent where it is the only one. */
  readonly shard?: string
  /** `finished`: the source was read to its end and committed. `drained`: stopped on request, what was read is committed. */
  readonly outcome: 'finished' | 'drained'
  /** What became of the records that this run read. */
  readonly run: Totals
  /** The same over all runs of this pipeline, or of this copy of it. */
  readonly overall: Totals
  readonly doneBytes: number
  readonly elapsedMs: number
  readonly epoch: number
  /** All splits, and those with nothing new. */
  readonly splits: { readonly all: number; readonly unchanged: number }
  /** Title → the most common values of the rows this run loaded, with their counts; `exact` is false for estimates. */
  readonly top: Readonly<Record<string, Top>>
  /** The first dead letters of this run, at most three. */
  readonly firstDeadLetters: readonly DeadLetter[]
  /** Where rows went, for people; and the kind of sink. */
  readonly sink: string
  readonly sinkKind: string
  /** What is promised of records and rows, by source, flow and sink together. */
  readonly promised: Promised
  /** Whether the source never ends by itself. */
  readonly isUnbounded: boolean
  /** Where dead letters went, for people. */
  readonly deadLetters: string
}
