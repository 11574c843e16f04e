// What runs of flows take as options, and what they tell at the end.

import { checkInteger, checkKeys, checkMs } from '../base/check.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import type { InFlightLimits } from './in-flight.ts'
import type { Refused } from './rejection-log.ts'

/** Options of everything that runs a flow. */
export interface FlowRunOptions {
  /**
   * How many worker threads run the flow, 256 at most, which is then given as the URL of the module that exports it: by default as
   * many as help, which is none where its sources cannot be read side by side.
   */
  readonly threads?: number
  /** The name under which the module exports the flow: `default` by default. */
  readonly name?: string
  /**
   * How many stages work side by side where the flow says nothing of it: one for each thread by default.
   */
  readonly stages?: number
  /** The longest that a worker thread may be at one batch before the run fails, in milliseconds: 60,000 by default. */
  readonly maxBatchMs?: number
  /** The most memory of a worker thread's objects, in MB: Node's own limit by default. */
  readonly heapMb?: number
  /** The most events between two stages, 4000 by default, and about the most bytes, 16 MiB. */
  readonly inFlight?: Partial<InFlightLimits>
  /** Told of each event that came too late for its window. Without it, a warning at the end says how many. */
  readonly onLate?: (operator: string, event: unknown) => void
  /** Told of each event that a schema refused, or whose time cannot be told. Without it, a warning at the end. */
  readonly onDead?: (refused: Refused) => void
  /** What operators take the time from. */
  readonly clock?: Clock
  /** Cancels the run; its reason is what it fails with, after 3 seconds at most, whatever a function or stream is at. */
  readonly signal?: AbortSignal
}

/** What a run has done. Counts events. */
export interface FlowReport {
  /** Events that came out of the flow. */
  readonly events: number
  /** Events that came too late for their windows. */
  readonly late: number
  /** Events that a schema refused, or whose time could not be told. */
  readonly dead: number
  /** Events dated further ahead of the clock than `futureLimit`: in their windows, and not believed to tell the time. */
  readonly ahead: number
}

/** The most threads of a run: each takes tens of megabytes, and a port to each other one. */
export const MOST_THREADS = 256

const OPTIONS = ['threads', 'name', 'stages', 'maxBatchMs', 'heapMb', 'inFlight', 'onLate', 'onDead', 'clock', 'signal']

/** The options with their defaults. */
export interface Settings {
  readonly threads: number | undefined
  readonly name: string
  readonly stages: number | undefined
  readonly maxBatchMs: number
  readonly heapMb: number | undefined
  readonly inFlight: InFlightLimits
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  readonly onLate: FlowRunOptions['onLate']
  readonly onDead: FlowRunOptions['onDead']
}

export function settingsOf(what: string, options: FlowRunOptions): Settings {
  checkKeys(what, options, OPTIONS)
  const { threads, stages, maxBatchMs = 60_000, heapMb, name = 'default' } = options
  const { clock = systemClock, signal, onLate, onDead } = options
  checkKeys(`inFlight of ${what}`, options.inFlight ?? {}, ['events', 'bytes'])
  // Large enough that a batch costs little beside its events, small enough that several stages get some.
  const inFlight = { events: 4000, bytes: 16 * 1024 * 1024, ...options.inFlight }
  for (const [key, value] of Object.entries(inFlight)) checkInteger(`${key} of inFlight`, value, 1)
  for (const [key, value] of Object.entries({ threads, stages, heapMb })) {
    if (value !== undefined) checkInteger(`${key} of ${what}`, value, 1)
  }
  if (threads !== undefined && threads > MOST_THREADS) {
    throw new RangeError(`threads of ${what} must be ${MOST_THREADS} at most: found ${threads}`)
  }
  if (maxBatchMs !== Number.POSITIVE_INFINITY) checkMs(`maxBatchMs of ${what}`, maxBatchMs, 1)
  return { threads, name, stages, maxBatchMs, heapMb, inFlight, clock, signal, onLate, onDead }
}
