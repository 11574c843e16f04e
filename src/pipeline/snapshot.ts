// What a run looks like from outside at one moment, as the page, the terminal and the metrics show it. Plain data, as
// JSON.

import type { Totals } from '../connect/sink.ts'
import type { StageCounts } from '../engine/stage-stats.ts'

/**
 * One stage, counted since the attempt started: a restart begins at 0. A stage of a worker thread looks like one of
 * this thread; its figures are at most a quarter of a second old, unless it is in the middle of a batch. For the sink
 * stage, `emitted` counts rows written.
 */
export interface StageFigures extends StageCounts {
  /** Its index in the layer, from 0. */
  readonly stage: number
}

/** Parallel stages that do the same, as a layer of the topology; the last one is the sink. */
export interface LayerFigures {
  readonly number: number
  readonly kind: 'source' | 'steps' | 'calls' | 'stages' | 'load'
  /** What it does, for people: `files as access-log`, `map, filter`. */
  readonly title: string
  /** The layers it takes from, and how events find their stage. */
  readonly inputs: readonly { readonly from: number; readonly exchange: 'forward' | 'rebalance' | 'key' }[]
  readonly stages: readonly StageFigures[]
  /** Dead letters of the layer's steps. */
  readonly dead: number
  /** The share of the last five seconds its stages were busy, on average: from 0 to 1. */
  readonly busyShare: number
}

export type RunState = 'running' | 'paused' | 'waiting' | 'draining' | 'finished' | 'drained' | 'failed'

/** Something that happened in a run, for people. */
export interface RunNotice {
  readonly atMs: number
  readonly kind: 'started' | 'retrying' | 'noted' | 'draining' | 'paused' | 'resumed' | 'failed' | 'ended'
  readonly text: string
}

export interface RunSnapshot {
  readonly pipeline: string
  /** Which of several copies it is: `2/8`. Absent where it is the only one. */
  readonly shard?: string
  readonly source: string
  readonly sink: string
  /** `waiting`: something failed, and the run will restart from its last commit. */
  readonly state: RunState
  /** Why it failed, in one line; absent unless it did. */
  readonly error?: string
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly startedMs: number
  /** Worker threads; 0 where all stages are in one. */
  readonly threads: number
  readonly layers: readonly LayerFigures[]
  /** The number of the bottleneck: the busiest layer, if its threads are busy nearly all the time. */
  readonly bottleneck?: number
  /** What became of the records of this run, and of all runs; committed ones only. */
  readonly run: Totals
  readonly overall: Totals
  /** Records read by this run, and its dead letters, committed or not. */
  readonly read: number
  readonly dead: number
  readonly doneBytes: number
  readonly totalBytes?: number
  /** The last committed epoch, when that was, and how long the commit took. */
  readonly epoch: number
  readonly committedMs?: number
  readonly commitTookMs?: number
  /** Attempts that followed a failure. */
  readonly restarts: number
  /** The most recent notices, newest last; at most a hundred. */
  readonly notices: readonly RunNotice[]
  /** Of the process. */
  readonly memoryBytes: number
}
