// Options of flow runs, and their report.

import { checkInteger, checkKeys, checkMs } from '../base/check.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import type { InFlightLimits } from './in-flight.ts'
import type { Refused } from './rejection-log.ts'

/** Options of everything that runs a flow. */
export interface FlowRunOptions {
  /**
   * How many worker threads run the flow, 256 at most; the flow is then given as the URL of the module that exports it.
   * By default as many as help: none if its sources cannot be read in parallel.
   */
  readonly threads?: number
  /** The name under which the module exports the flow: `default` by default. */
  readonly name?: string
  /** Parallel stages if the flow does not set their number: one per thread by default. */
  readonly stages?: number
  /** The longest a worker thread may take for one batch before the run fails, in milliseconds: 60,000 by default. */
  readonly maxBatchMs?: number
  /** The heap limit of a worker thread, in MB: Node's own limit by default. */
  readonly heapMb?: number
  /** The most events between two stages, 4000 by default, and about the most bytes, 16 MiB. */
  readonly inFlight?: Partial<InFlightLimits>
  /**
   * Called for each event that came too late for its window. Without it, a warning at the end says how many there were.
   */
  readonly onLate?: (operator: string, event: unknown) => void
  /**
   * Called for each event that a schema rejected, or whose time is invalid. Without it, there is a warning at the end.
   */
  readonly onDead?: (refused: Refused) => void
  /** The clock of the operators. */
  readonly clock?: Clock
  /**
   * Cancels the run, which fails with its reason, after 3 seconds at most, even if a function or stream is still busy.
   */
  readonly signal?: AbortSignal
}

/** What a run has done. Counts events. */
export interface FlowReport {
  /** Events that came out of the flow. */
  readonly events: number
  /** Events that came too late for their windows. */
  readonly late: number
  /** Events that a schema rejected, or whose time was invalid. */
  readonly dead: number
  /**
   * Events dated further ahead of the clock than `futureLimit`: they are in their windows, but did not advance the
   * time.
   */
  readonly ahead: number
}

/** The most threads of a run: each takes tens of megabytes, and a port to every other one. */
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
