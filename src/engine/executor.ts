// The contract of executors: they run the stages of a topology, here or elsewhere.

import type { Clock } from '../base/clock.ts'
import type { EpochReports, ResumePoint, SourceCommand } from '../checkpoint/epoch-reports.ts'
import type { Layer, Topology } from '../flow/topology.ts'
import type { StageCore } from '../stage/core.ts'
import type { InFlightLimits } from './in-flight.ts'
import type { Job } from './job.ts'
import type { RejectionLog } from './rejection-log.ts'
import type { StageCounts } from './stage-stats.ts'

/** What an executor runs: a flow, or a pipeline, which has epochs. */
export interface Work {
  readonly topology: Topology
  /** Stages of a layer that does not set their number: the topology is laid out again elsewhere with this number. */
  readonly stages: number
  /** Where others find what was laid out; absent for an object passed directly, which cannot leave this process. */
  readonly job: Job | undefined
  /** Consumers of the topology's output, in this thread: each gets a part of it. */
  readonly consumers: readonly StageCore[]
  readonly clock: Clock
  readonly rejections: RejectionLog
  readonly inFlight: InFlightLimits
  /** Of a pipeline: where its stages start, and where they report their epochs. */
  readonly epochs?: { readonly resumePoint: ResumePoint; readonly reports: EpochReports }
  readonly signal: AbortSignal | undefined
  /** Whether consumers process the events before a failure, and then get the error; otherwise all end at once. */
  readonly failsInLine?: boolean
}

/** Stages at work. */
export interface Execution {
  /** Resolves when all have ended and are closed; rejects with the error of the first that failed. */
  readonly done: Promise<void>
  /** How many threads there are beside this one. */
  readonly threads: number
  /** Stops asking the sources, and lets everything they emitted through. */
  drain(): void
  /** Ends everything now; resolves when nothing is left. */
  cancel(reason: unknown): Promise<void>
  /** Sends a command to every stage that reads the sources of a pipeline. */
  tell(command: SourceCommand): void
  /** What the stages of a layer did so far; empty if not known yet. */
  figures(layer: number): readonly StageCounts[]
  /** Stages at one place work one after the other; consumers are at place 0. */
  placeOf(layer: Layer, stage: number): number
  /** How long this thread spent receiving events before the consumers got them; in clock milliseconds. */
  takingMs(): number
}

export interface Executor {
  /** Parallel stages of a layer that does not set their number. */
  readonly stages: number
  /**
   * Starts the stages of a topology, and connects the consumers to its output. If a pipeline starts carefully, one
   * record is under way at a time.
   *
   * @throws {SluiceError} FLOW_MISMATCH if the job is laid out differently elsewhere; the signal's reason
   */
  start(work: Work): Promise<Execution>
}
