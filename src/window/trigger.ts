// When a window gives a result before, and after, its time has come: triggers as data.

import { checkInteger, describeValue } from '../base/check.ts'
import { type Duration, durationMs } from '../base/duration.ts'

/** When a window fires besides the times that every window has: as it passes, as it closes, at the end. */
export type Trigger =
  | { readonly kind: 'every'; readonly events: number }
  | { readonly kind: 'interval'; readonly ms: number }
  | { readonly kind: 'mark'; readonly name: string }
  | { readonly kind: 'early'; readonly ms: number }
  | { readonly kind: 'late' }

/** Why a pane came: one of the window's triggers, or one of the times that every window has. */
export type FiredBy =
  | Trigger
  /** The watermark passed the window's end. */
  | { readonly kind: 'watermark' }
  /** The time that late events are waited for is over. */
  | { readonly kind: 'closing' }
  /** A count window is full. */
  | { readonly kind: 'count' }
  /** The clock passed the end of a processing-time window. */
  | { readonly kind: 'clock' }
  /** The input has ended. */
  | { readonly kind: 'end' }

/**
 * Fires after each `events` events of a key in a window. What is left over counts on, across batches.
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
 * Fires all open windows, changed or not, when somebody sends the mark `name`.
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
 * Fires with each late event that is still let in. Without it, a window that late events changed fires once, at the
 * next step of the watermark. Only in windows of event time with `allowedLateness`.
 *
 * @example
 * late() // => { kind: 'late' }
 */
export function late(): Trigger {
  return { kind: 'late' }
}
