// What runs the stages of a topology, here or elsewhere: the contract.

import type { Clock } from '../base/clock.ts'
import type { EpochReports, ResumePoint, SourceCommand } from '../checkpoint/epoch-reports.ts'
import type { Layer, Topology } from '../flow/topology.ts'
import type { StageCore } from '../stage/core.ts'
import type { InFlightLimits } from './in-flight.ts'
import type { Job } from './job.ts'
import type { RejectionLog } from './rejection-log.ts'
import type { StageCounts } from './stage-stats.ts'

/** What an executor is given to run: a flow, or a pipeline, which has epochs. */
export interface Work {
  readonly topology: Topology
  /** Stages of a layer that says nothing of it: with these the topology is laid out again elsewhere. */
  readonly stages: number
  /** Where others find what was laid out; absent where it was handed over as an object, which stays in this process. */
  readonly job: Job | undefined
  /** Take what the topology gives, in this thread: each gets a part of it. */
  readonly consumers: readonly StageCore[]
  readonly clock: Clock
  readonly rejections: RejectionLog
  readonly inFlight: InFlightLimits
  /** Of a pipeline: where its stages begin, and whom they tell of their epochs. */
  readonly epochs?: { readonly resumePoint: ResumePoint; readonly reports: EpochReports }
  readonly signal: AbortSignal | undefined
  /** Whether takers handle what came before a failure, and then hear of it; else all end at once. */
  readonly failsInLine?: boolean
}

/** Stages at work. */
export interface Execution {
  /** Resolves when all have ended and are closed; rejects with what made one fail. */
  readonly done: Promise<void>
  /** How many threads there are beside this one. */
  readonly threads: number
  /** Stops asking the sources, and lets through what they gave. */
  drain(): void
  /** Ends all of it now; resolves when nothing is left. */
  cancel(reason: unknown): Promise<void>
  /** Tells every stage that reads the sources of a pipeline. */
  tell(command: SourceCommand): void
  /** What the stages of a layer did so far; empty where nobody knows yet. */
  figures(layer: number): readonly StageCounts[]
  /** Stages at one place work one after the other; takers are at place 0. */
  placeOf(layer: Layer, stage: number): number
  /** How long this thread was at what comes from elsewhere, before the takers have it; in clock milliseconds. */
  takingMs(): number
}

export interface Executor {
  /** How many stages of a layer work side by side, if it says nothing of it. */
  readonly stages: number
  /**
   * Starts the stages of a topology, and ties the takers to its end. Where a pipeline begins with care, one record is
   * under way at a time.
   *
   * @throws {SluiceError} FLOW_MISMATCH where the job is laid out in another way elsewhere; the signal's reason
   */
  start(work: Work): Promise<Execution>
}
