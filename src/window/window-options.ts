// What windows have in common: when they fire, how time is read, and the checks of both.

import { checkChoice, checkInteger, checkKeys, describeValue } from '../base/check.ts'
import { type Duration, durationMs } from '../base/duration.ts'
import type { Trigger } from './trigger.ts'

/** Whether a pane holds the whole window, or only what came since the pane before. */
export type PaneMode = 'accumulate' | 'discard'

/** Options that every window has. */
export interface FiringOptions {
  /** When the window fires before its end. */
  readonly triggers?: readonly Trigger[]
  /** `accumulate` (default): each pane holds the whole window. `discard`: only what came since the pane before. */
  readonly panes?: PaneMode
  /** The most open windows, counted per key, before the run fails: 1,000,000 by default. */
  readonly maxOpen?: number
}

/** Options of windows of event time. */
export interface EventTimeOptions extends FiringOptions {
  /** How far the watermark may be past a window's end while late events are still accepted: 0 by default. */
  readonly allowedLateness?: Duration
  /** How far events may be out of order: the watermark stays this far behind the latest event. 0 by default. */
  readonly outOfOrderness?: Duration
  /**
   * An input that is silent for this long (by the clock) no longer holds the others back. Never, by default. If all are
   * silent, time stands still: the last windows are emitted with the next event, or at the end (`interval` shows them
   * sooner).
   */
  readonly idleAfter?: Duration
  /**
   * An event more than this ahead of the clock does not advance the watermark: 1 day by default, Infinity for no limit.
   * The first such event is reported, and all are counted (`ahead`): streams of forecasts or bookings need a larger
   * limit.
   */
  readonly futureLimit?: Duration
}

/** Options of windows that lie on a grid. */
export interface OffsetOptions {
  /**
   * Shifts all windows: `'5h30m'` makes days start at 05:30 UTC. Days of a time zone, which have 23 to 25 hours, are
   * those of its local time: let `at` return that, as the guide's chapter on time shows.
   */
  readonly offset?: Duration
}

/** Options of windows that lie on a grid. */
export interface EmptyOptions {
  /** The most windows without events that are emitted in a row after a key's last one with events: 0 by default. */
  readonly emptyWindows?: number
}

/** When a window fires, checked. */
export interface Firing {
  readonly triggers: readonly Trigger[]
  readonly panes: PaneMode
  readonly maxOpen: number
}

/** How the time of a window of event time is read, checked. */
export interface Timed extends Firing {
  readonly allowedLatenessMs: number
  readonly outOfOrdernessMs: number
  readonly idleAfterMs: number | undefined
  readonly futureLimitMs: number
}

const DAY_MS = 86_400_000
const MOST_EMPTY = 100_000
const KINDS: readonly Trigger['kind'][] = ['every', 'interval', 'mark', 'early', 'late']

export function checkFunction(name: string, value: unknown): void {
  if (typeof value !== 'function')
    throw new TypeError(`${name} must be a function, or the name of a field: found ${describeValue(value)}`)
}

/** The options of any window; `timed` are the kinds of triggers that only windows of event time have. */
export function firingOf(what: string, options: FiringOptions, timed: readonly Trigger['kind'][]): Firing {
  const { triggers = [], panes = 'accumulate', maxOpen = 1_000_000 } = options
  checkChoice(`panes of ${what}`, panes, ['accumulate', 'discard'])
  checkInteger(`maxOpen of ${what}`, maxOpen, 1)
  if (!Array.isArray(triggers)) {
    throw new TypeError(`triggers of ${what} must be an array: found ${describeValue(triggers)}`)
  }
  for (const trigger of triggers) checkTrigger(what, trigger, timed)
  for (const kind of ['early', 'late']) {
    const { length } = triggers.filter((trigger) => trigger.kind === kind)
    if (length > 1) throw new RangeError(`${what} takes one ${kind} trigger: found ${length}`)
  }
  return { triggers: [...triggers], panes, maxOpen }
}

/** Windows lie in UTC: the error for a time zone says what to do. */
export function checkGrid(what: string, options: object, known: readonly string[]): void {
  if (Object.hasOwn(options, 'timeZone')) {
    const way = "let `at` return the local time, as the guide's chapter on time does (Days of a place)"
    throw new TypeError(`${what} has no option timeZone: its windows lie in UTC. For days of a place ${way}`)
  }
  checkKeys(what, options, known)
}

/** The options of a window of event time; `sizeMs` is how long its windows are. */
export function timedOf(what: string, options: EventTimeOptions, sizeMs: number): Timed {
  const { allowedLateness = 0, outOfOrderness = 0, idleAfter, futureLimit = DAY_MS } = options
  const firing = firingOf(what, options, ['early', 'late'])
  for (const trigger of firing.triggers) {
    if (trigger.kind === 'early' && trigger.ms >= sizeMs) {
      throw new RangeError(`early of ${what} must be less than its size, ${sizeMs} ms: found ${trigger.ms} ms`)
    }
  }
  return {
    ...firing,
    allowedLatenessMs: durationMs(allowedLateness, `allowedLateness of ${what}`),
    outOfOrdernessMs: durationMs(outOfOrderness, `outOfOrderness of ${what}`),
    idleAfterMs: idleAfter === undefined ? undefined : durationMs(idleAfter, `idleAfter of ${what}`, 1),
    futureLimitMs:
      futureLimit === Number.POSITIVE_INFINITY ? futureLimit : durationMs(futureLimit, `futureLimit of ${what}`),
  }
}

/** The options of windows on a grid whose step is `stepMs`. */
export function offsetOf(
  what: string,
  options: OffsetOptions & EmptyOptions,
  stepMs: number,
): { readonly offsetMs: number; readonly emptyWindows: number } {
  const { offset = 0, emptyWindows = 0 } = options
  checkInteger(`emptyWindows of ${what}`, emptyWindows, 0, MOST_EMPTY)
  return { offsetMs: durationMs(offset, `offset of ${what}`) % stepMs, emptyWindows }
}

function checkTrigger(what: string, trigger: unknown, timed: readonly Trigger['kind'][]): void {
  const kind = (trigger as Trigger | null | undefined)?.kind
  if (kind === undefined || !KINDS.includes(kind)) {
    throw new TypeError(
      `triggers of ${what} must be made by every, interval, onMark, early or late: found ${describeValue(trigger)}`,
    )
  }
  if ((kind === 'early' || kind === 'late') && !timed.includes(kind)) {
    throw new TypeError(`${what} cannot have the trigger ${kind}: only windows of event time have it`)
  }
}
