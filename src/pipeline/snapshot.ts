// What a run looks like from outside at one moment: what the page, the terminal and the metrics show. Plain data, as JSON.

import type { Totals } from '../connect/sink.ts'
import type { StageCounts } from '../engine/stage-stats.ts'

/**
 * One stage, counted since the attempt began: the figures begin anew when a run is begun again. A stage of a worker
 * thread looks like one of this thread; what it says is a quarter of a second old at most, as long as it is not in the
 * middle of a batch. What the load stage emitted are rows that were written.
 */
export interface StageFigures extends StageCounts {
  /** Its place in the layer, from 0. */
  readonly stage: number
}

/** Stages that do the same side by side, as a layer of the topology; the last one is the load. */
export interface LayerFigures {
  readonly number: number
  readonly kind: 'source' | 'steps' | 'calls' | 'stages' | 'load'
  /** What is done in it, for a person: `files as access-log`, `map, filter`. */
  readonly title: string
  /** Layers that it takes from, and how events find their stage. */
  readonly inputs: readonly { readonly from: number; readonly exchange: 'forward' | 'rebalance' | 'key' }[]
  readonly stages: readonly StageFigures[]
  /** Dead letters of the layer's steps. */
  readonly dead: number
  /** What share of the last five seconds its stages were at work, on average: from 0 to 1. */
  readonly busyShare: number
}

export type RunState = 'running' | 'paused' | 'waiting' | 'draining' | 'finished' | 'drained' | 'failed'

/** Something that happened in a run, for a person. */
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
  /** `waiting`: something failed, and the run is about to begin again from its last commit. */
  readonly state: RunState
  /** Why it failed, in one line; absent unless it has. */
  readonly error?: string
  /** Epoch milliseconds. */
  readonly atMs: number
  readonly startedMs: number
  /** Worker threads; 0 where all stages are in one. */
  readonly threads: number
  readonly layers: readonly LayerFigures[]
  /** The number of the bottleneck: the busiest layer, where its threads are busy nearly all the time. */
  readonly bottleneck?: number
  /** What became of the records that this run read, and of those of all runs; committed ones. */
  readonly run: Totals
  readonly overall: Totals
  /** Records read by this run, and dead letters of it, committed or not: those of the layers. */
  readonly read: number
  readonly dead: number
  readonly doneBytes: number
  readonly totalBytes?: number
  /** The last epoch committed, when that was, and how long its commit took. */
  readonly epoch: number
  readonly committedMs?: number
  readonly commitTookMs?: number
  /** Attempts that followed a failure. */
  readonly restarts: number
  /** The last things that happened, newest last; a hundred at most. */
  readonly notices: readonly RunNotice[]
  /** Of the process. */
  readonly memoryBytes: number
}
