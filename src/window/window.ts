// Windows as data: which events are summed up together, and when the results go out.

import { checkInteger, checkKeys } from '../base/check.ts'
import { type Duration, durationMs } from '../base/duration.ts'
import {
  checkFunction,
  checkGrid,
  type EmptyOptions,
  type EventTimeOptions,
  type Firing,
  type FiringOptions,
  firingOf,
  type OffsetOptions,
  offsetOf,
  type Timed,
  timedOf,
} from './window-options.ts'

/** When an event happened: epoch milliseconds, or a Date. */
export type At<T> = (event: T) => number | Date

/** All events are one window; it closes at the end of the input. */
export interface GlobalWindow extends Firing {
  readonly kind: 'global'
}

/** Windows of equal size, one behind the other: `[start, start + size)`. */
export interface TumblingWindow<T> extends Timed {
  readonly kind: 'tumbling'
  readonly at: At<T>
  readonly sizeMs: number
  readonly offsetMs: number
  readonly emptyWindows: number
}

/** Windows of equal size that overlap: a new one starts every `everyMs`. */
export interface SlidingWindow<T> extends Omit<TumblingWindow<T>, 'kind'> {
  readonly kind: 'sliding'
  readonly everyMs: number
}

/** Events of a key with less than `gapMs` between them. */
export interface SessionWindow<T> extends Timed {
  readonly kind: 'session'
  readonly at: At<T>
  readonly gapMs: number
  /** Infinity where there is no limit. */
  readonly maxLengthMs: number
}

/** Each `events` events of a key. */
export interface CountWindow extends Firing {
  readonly kind: 'count'
  readonly events: number
}

/** Events that came in the same stretch of the clock. */
export interface ProcessingTimeWindow extends Firing {
  readonly kind: 'processingTime'
  readonly sizeMs: number
  readonly offsetMs: number
  readonly emptyWindows: number
}

/** Windows of event time: they close by the watermark, and events can be late for them. */
export type EventTimeWindow<T> = TumblingWindow<T> | SlidingWindow<T> | SessionWindow<T>

/** How events of type `T` are put in windows. */
export type WindowSpec<T> = GlobalWindow | EventTimeWindow<T> | CountWindow | ProcessingTimeWindow

const FIRING = ['triggers', 'panes', 'maxOpen']
const EVENT_TIME = [...FIRING, 'allowedLateness', 'outOfOrderness', 'idleAfter', 'futureLimit']

/**
 * One window for all events: its result goes out at the end of the input, and with each trigger before.
 *
 * @example
 * globalWindow().kind // => 'global'
 */
export function globalWindow(options: FiringOptions = {}): GlobalWindow {
  checkKeys('globalWindow', options, FIRING)
  return { kind: 'global', ...firingOf('globalWindow', options, []) }
}

/**
 * Windows of event time, one behind the other. Each event is in one of them.
 *
 * Windows start at multiples of `size` since 1970, moved by `offset`; times before 1970 are no exception.
 *
 * @param at - when an event happened: epoch milliseconds or a Date; an event where it gives anything else is refused
 * @throws {TypeError} if an option is not known, or of the wrong type
 * @throws {RangeError} if a number or a duration is out of bounds
 * @example
 * const minutes = tumbling('1m', (event: { at: number }) => event.at, { allowedLateness: '10s' })
 * minutes.sizeMs // => 60000
 * minutes.allowedLatenessMs // => 10000
 */
export function tumbling<T>(
  size: Duration,
  at: At<T>,
  options: EventTimeOptions & OffsetOptions & EmptyOptions = {},
): TumblingWindow<T> {
  checkGrid('tumbling', options, [...EVENT_TIME, 'offset', 'emptyWindows'])
  checkFunction('at of tumbling', at)
  const sizeMs = durationMs(size, 'size of tumbling', 1)
  return {
    kind: 'tumbling',
    at,
    sizeMs,
    ...offsetOf('tumbling', options, sizeMs),
    ...timedOf('tumbling', options, sizeMs),
  }
}

/**
 * Windows of event time that overlap: a new one of `size` starts `every` so often. Each event is in about
 * `size / every` of them.
 *
 * @throws {RangeError} if `every` is more than `size`: events would be in no window
 * @example
 * sliding('1h', '5m', (event: { at: number }) => event.at).everyMs // => 300000
 */
export function sliding<T>(
  size: Duration,
  every: Duration,
  at: At<T>,
  options: EventTimeOptions & OffsetOptions & EmptyOptions = {},
): SlidingWindow<T> {
  checkGrid('sliding', options, [...EVENT_TIME, 'offset', 'emptyWindows'])
  checkFunction('at of sliding', at)
  const sizeMs = durationMs(size, 'size of sliding', 1)
  const everyMs = durationMs(every, 'every of sliding', 1)
  if (everyMs > sizeMs)
    throw new RangeError(`every of sliding must be no more than its size, ${sizeMs} ms: found ${everyMs} ms`)
  return {
    kind: 'sliding',
    at,
    sizeMs,
    everyMs,
    ...offsetOf('sliding', options, everyMs),
    ...timedOf('sliding', options, sizeMs),
  }
}

/** Options of {@link session}. */
export interface SessionOptions extends EventTimeOptions {
  /** The longest a session may be: what follows begins another. Without it, there is no limit. */
  readonly maxLength?: Duration
}

/**
 * Events of a key with less than `gap` between them, in event time. A session ends `gap` after its last event; an event
 * that lies between two sessions makes one of them.
 *
 * With `maxLength`, where sessions are cut depends on the order in which events come; without it, it does not.
 *
 * @throws {RangeError} if `maxLength` is less than `gap`
 * @example
 * session('30m', (event: { at: number }) => event.at).gapMs // => 1800000
 */
export function session<T>(gap: Duration, at: At<T>, options: SessionOptions = {}): SessionWindow<T> {
  checkKeys('session', options, [...EVENT_TIME, 'maxLength'])
  checkFunction('at of session', at)
  const gapMs = durationMs(gap, 'gap of session', 1)
  const { maxLength } = options
  const maxLengthMs =
    maxLength === undefined ? Number.POSITIVE_INFINITY : durationMs(maxLength, 'maxLength of session', gapMs)
  return { kind: 'session', at, gapMs, maxLengthMs, ...timedOf('session', options, Number.POSITIVE_INFINITY) }
}

/**
 * Each `events` events of a key; at the end of the input what is left, if anything is.
 *
 * @throws {RangeError} if `events` is not an integer of 1 or more
 * @example
 * countWindow(1000).events // => 1000
 */
export function countWindow(events: number, options: FiringOptions = {}): CountWindow {
  checkInteger('events of countWindow', events, 1)
  checkKeys('countWindow', options, FIRING)
  return { kind: 'count', events, ...firingOf('countWindow', options, []) }
}

/**
 * Events that came in the same stretch of the clock, whatever their own time. Not the same in two runs.
 *
 * @example
 * processingTime('10s').sizeMs // => 10000
 */
export function processingTime(
  size: Duration,
  options: FiringOptions & OffsetOptions & EmptyOptions = {},
): ProcessingTimeWindow {
  checkGrid('processingTime', options, [...FIRING, 'offset', 'emptyWindows'])
  const sizeMs = durationMs(size, 'size of processingTime', 1)
  return {
    kind: 'processingTime',
    sizeMs,
    ...offsetOf('processingTime', options, sizeMs),
    ...firingOf('processingTime', options, []),
  }
}
