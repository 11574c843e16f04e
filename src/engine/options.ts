// What runs of flows take as options, and what they tell at the end.

import { checkInteger, checkKeys } from '../base/check.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import type { Refused } from './account.ts'

/** Options of everything that runs a flow. */
export interface FlowRunOptions {
  /** How many stages work side by side where the flow says nothing of it: 1 by default, as all share one thread. */
  readonly stages?: number
  /** Told of each event that came too late for its window. Without it, a warning at the end says how many. */
  readonly onLate?: (operator: string, event: unknown) => void
  /** Told of each event that a schema refused, or whose time cannot be told. Without it, a warning at the end. */
  readonly onDead?: (refused: Refused) => void
  /** What operators take the time from. */
  readonly clock?: Clock
  /** Cancels the run; its reason is what it fails with. */
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
}

const OPTIONS = ['stages', 'onLate', 'onDead', 'clock', 'signal']

/** The options with their defaults. */
export interface Settings {
  readonly stages: number
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  readonly onLate: FlowRunOptions['onLate']
  readonly onDead: FlowRunOptions['onDead']
}

export function settingsOf(what: string, options: FlowRunOptions, more: readonly string[] = []): Settings {
  checkKeys(what, options, [...OPTIONS, ...more])
  const { stages = 1, clock = systemClock, signal, onLate, onDead } = options
  checkInteger(`stages of ${what}`, stages, 1)
  return { stages, clock, signal, onLate, onDead }
}
