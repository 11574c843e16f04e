// Triggers as data: when a window emits results before, and after, its end.

import { checkInteger, describeValue } from '../base/check.ts'
import { type Duration, durationMs } from '../base/duration.ts'

/** When a window fires besides its own times: as it passes, as it closes, at the end. */
export type Trigger =
  | { readonly kind: 'every'; readonly events: number }
  | { readonly kind: 'interval'; readonly ms: number }
  | { readonly kind: 'mark'; readonly name: string }
  | { readonly kind: 'early'; readonly ms: number }
  | { readonly kind: 'late' }

/** Why a pane was emitted: one of the window's triggers, or one of the times that every window has. */
export type FiredBy =
  | Trigger
  /** The watermark passed the window's end. */
  | { readonly kind: 'watermark' }
  /** The time for late events is over. */
  | { readonly kind: 'closing' }
  /** A count window is full. */
  | { readonly kind: 'count' }
  /** The clock passed the end of a processing-time window. */
  | { readonly kind: 'clock' }
  /** The input has ended. */
  | { readonly kind: 'end' }

/**
 * Fires after each `events` events of a key in a window. The remainder carries over between batches.
 *
 * @throws {RangeError} if `events` is not an integer of 1 or more
 * @example
 * every(100) // => { kind: 'every', events: 100 }
 */
export function every(events: number): Trigger {
  checkInteger('events of every', events, 1)
  return { kind: 'every', events }
}

/**
 * Fires whenever the clock passes a multiple of `duration`, each window that changed since it last fired.
 *
 * @example
 * interval('10s') // => { kind: 'interval', ms: 10000 }
 */
export function interval(duration: Duration): Trigger {
  return { kind: 'interval', ms: durationMs(duration, 'duration of interval', 1) }
}

/**
 * Fires all open windows, changed or not, when the mark `name` is sent.
 *
 * @throws {TypeError} if the name is not a text, or empty
 * @example
 * onMark('report') // => { kind: 'mark', name: 'report' }
 */
export function onMark(name: string): Trigger {
  if (typeof name === 'string' && name !== '') return { kind: 'mark', name }
  throw new TypeError(`name of onMark must be a text: found ${describeValue(name)}`)
}

/**
 * Fires each time the watermark passes another `duration` of the window, counted from its start, if the window changed
 * since it last fired. Only in windows of event time.
 *
 * @example
 * early('10s') // => { kind: 'early', ms: 10000 }
 */
export function early(duration: Duration): Trigger {
  return { kind: 'early', ms: durationMs(duration, 'duration of early', 1) }
}

/**
 * Fires with each late event that is accepted. Without it, a window changed by late events fires once, at the next step
 * of the watermark. Only in windows of event time with `allowedLateness`.
 *
 * @example
 * late() // => { kind: 'late' }
 */
export function late(): Trigger {
  return { kind: 'late' }
}
