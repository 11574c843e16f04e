// The messages between threads: the whole protocol, as data.

import type { MessagePort } from 'node:worker_threads'
import type { ResumePoint, SourceCommand } from '../../checkpoint/epoch-reports.ts'
import type { Split } from '../../connect/source.ts'
import type { Packed } from '../codec/codec.ts'
import type { InFlightLimits } from '../in-flight.ts'
import type { Job } from '../job.ts'
import type { EpochReport } from '../sent-reports.ts'

/** Between two threads, on a channel from one stage to another: the demand protocol. */
export type ChannelMessage =
  | { readonly kind: 'ask'; readonly channel: string; readonly events: number }
  | { readonly kind: 'cancel'; readonly channel: string }
  | { readonly kind: 'events'; readonly channel: string; readonly packed: Packed }
  | { readonly kind: 'watermark'; readonly channel: string; readonly time: number }
  | { readonly kind: 'barrier'; readonly channel: string; readonly epoch: number }
  /** Failures are not sent here: they go to the thread that started the others, which ends all of them. */
  /** All events of the channel were sent. */
  | { readonly kind: 'end'; readonly channel: string }

/** What a worker is started with. */
export interface WorkerSetup {
  /** Where the worker finds what it runs. */
  readonly job: Job
  /** Which of the workers, from 0. */
  readonly index: number
  readonly workers: number
  readonly stages: number
  readonly inFlight: InFlightLimits
  /** Whether single events are reported. */
  readonly tellsLate: boolean
  readonly tellsDead: boolean
  /** What workers write for the watchdog; see {@link Watchdog}. */
  readonly watch: SharedArrayBuffer
}

/** Down, to a worker. */
export type ToWorker =
  | {
      readonly kind: 'start'
      /** Worker → the port to it; {@link STARTER} → to the thread that started all. */
      readonly ports: ReadonlyMap<number, MessagePort>
      /** Layer → the splits of its source. */
      readonly splits: ReadonlyMap<number, readonly Split[]>
      /** The next split of each layer, by its number. */
      readonly taken: SharedArrayBuffer
      /** What workers record of their stages; see {@link SharedStats}. */
      readonly figures: SharedArrayBuffer
      /** Of a pipeline: what its last commit left. */
      readonly resumePoint: ResumePoint | undefined
    }
  | { readonly kind: 'command'; readonly command: SourceCommand }
  | { readonly kind: 'drain' }
  /** All stages of a level, in all workers, have taken their input. */
  | { readonly kind: 'passed'; readonly level: number }
  | { readonly kind: 'cancel' }

/** Up, from a worker. */
export type FromWorker =
  | { readonly kind: 'ready'; readonly fingerprint: string }
  | { readonly kind: 'late'; readonly operator: string; readonly events: readonly unknown[] }
  | { readonly kind: 'dead'; readonly operator: string; readonly value: unknown; readonly reason: string }
  | {
      readonly kind: 'done'
      readonly late: ReadonlyMap<string, number>
      readonly dead: ReadonlyMap<string, number>
      readonly ahead: ReadonlyMap<string, number>
    }
  | { readonly kind: 'noted'; readonly note: string }
  | { readonly kind: 'failed'; readonly failure: Failure }
  /** A stage of the level has taken its input. */
  | { readonly kind: 'arrived'; readonly level: number }
  /** A report of a stage of a pipeline. */
  | { readonly kind: 'report'; readonly entry: EpochReport }

/** What can be sent of a failure. */
export interface Failure {
  readonly error: SentError
  /** The operator whose function threw, and the event that it was given, if known. */
  readonly operator: string | undefined
  readonly event: string | undefined
  /** Whether it is the error of reading a source. */
  readonly isOfSource: boolean
}

/** An error, without what cannot be sent. */
export interface SentError {
  readonly name: string
  readonly message: string
  readonly stack: string | undefined
  readonly code: string | undefined
  readonly details: unknown
  /** Whether it is a SluiceError, with code and details. */
  readonly isOurs: boolean
}
