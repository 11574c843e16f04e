// Runs a pipeline: source → flow → sink as three stages, with barriers between epochs.

import type { Clock } from '../base/clock.ts'
import type { Params } from './param.ts'
import type { Pipeline } from './pipeline.ts'
import type { Progress, RunEvent, RunReport } from './report.ts'

export interface StartOptions {
  /** Parameters as text, as the command line gives them. */
  readonly params?: ReadonlyMap<string, string>
  /** Any dead letter stops the run with REJECTS_OVER_LIMIT. The same as `maxDeadLetters: { count: 0 }`. */
  readonly strict?: boolean
  /** How many dead letters the run bears, as a count or as a share (0 to 1) of the records read. No limit by default. */
  readonly maxDeadLetters?: { readonly count: number } | { readonly share: number }
  /** Longest time between two commits, in clock milliseconds. 1000 by default. */
  readonly epochMs?: number
  /** Records after which an epoch ends before its time. 50,000 by default. */
  readonly epochEvents?: number
  readonly onEvent?: (event: RunEvent) => void
  readonly clock?: Clock
  /** Aborting stops now: what is not committed is left to the next run. */
  readonly signal?: AbortSignal
}

/** A run under way. */
export interface PipelineRun {
  /** Settles when the run has ended and everything is closed. Rejects with the error that stopped it. */
  readonly done: Promise<RunReport>
  progress(): Progress
  /** Stops asking, finishes and commits what was read. `done` then resolves with the outcome `drained`. */
  drain(why: string): Promise<RunReport>
  [Symbol.asyncDispose](): Promise<void>
}

export declare function startPipeline<P extends Params>(
  pipeline: Pipeline<P>,
  options?: StartOptions,
): Promise<PipelineRun>
