// Windows as data: which events are aggregated together, and when results are emitted.

import { checkInteger, checkKeys } from '../base/check.ts'
import { type Duration, durationMs } from '../base/duration.ts'
import { checkNames, fieldOf } from '../base/field.ts'
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

/** Windows of equal size, one after the other: `[start, start + size)`. */
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

/** Events that came in the same interval of the clock. */
export interface ProcessingTimeWindow extends Firing {
  readonly kind: 'processingTime'
  readonly sizeMs: number
  readonly offsetMs: number
  readonly emptyWindows: number
}

/** Windows of event time: they close by the watermark, and events can be late for them. */
export type EventTimeWindow<T> = TumblingWindow<T> | SlidingWindow<T> | SessionWindow<T>

/** Windows of event time whose time is a field, by its name. */
export interface FieldWindow<
  N extends string,
  Kind extends EventTimeWindow<never>['kind'] = EventTimeWindow<never>['kind'],
> {
  readonly kind: Kind
  /** The field of the time: epoch milliseconds, or a Date. */
  readonly field: N
  /** Only for the compiler: results in them are rows. */
  readonly gives?: 'row'
}

/** How events of type `T` are put in windows. */
export type WindowSpec<T> = GlobalWindow | EventTimeWindow<T> | CountWindow | ProcessingTimeWindow

const FIRING = ['triggers', 'panes', 'maxOpen']
const EVENT_TIME = [...FIRING, 'allowedLateness', 'outOfOrderness', 'idleAfter', 'futureLimit']

/**
 * One window for all events: its result is emitted at the end of the input, and at each trigger before.
 *
 * @example
 * globalWindow().kind // => 'global'
 */
export function globalWindow(options: FiringOptions = {}): GlobalWindow {
  checkKeys('globalWindow', options, FIRING)
  return { kind: 'global', ...firingOf('globalWindow', options, []) }
}

/**
 * Windows of event time, one after the other. Each event is in one of them.
 *
 * Windows start at multiples of `size` since 1970, shifted by `offset`; also before 1970.
 *
 * @param at - when an event happened, by a field or a function: epoch milliseconds or a Date; an event where it is anything
 *   else is rejected
 * @throws {TypeError} if an option is not known, or of the wrong type
 * @throws {RangeError} if a number or a duration is out of bounds
 * @example
 * tumbling('1m', 'at', { allowedLateness: '10s' }).field // => 'at'
 * const minutes = tumbling('1m', (event: { at: number }) => event.at, { allowedLateness: '10s' })
 * minutes.sizeMs // => 60000
 * minutes.allowedLatenessMs // => 10000
 */
export function tumbling<const N extends string>(
  size: Duration,
  at: N,
  options?: EventTimeOptions & OffsetOptions & EmptyOptions,
): FieldWindow<N, 'tumbling'>
export function tumbling<T>(
  size: Duration,
  at: At<T>,
  options?: EventTimeOptions & OffsetOptions & EmptyOptions,
): TumblingWindow<T>
export function tumbling<T>(
  size: Duration,
  at: At<T> | string,
  options: EventTimeOptions & OffsetOptions & EmptyOptions = {},
): TumblingWindow<T> | FieldWindow<string, 'tumbling'> {
  checkGrid('tumbling', options, [...EVENT_TIME, 'offset', 'emptyWindows'])
  const sizeMs = durationMs(size, 'size of tumbling', 1)
  return {
    kind: 'tumbling',
    ...timeBy<T>('tumbling', at),
    sizeMs,
    ...offsetOf('tumbling', options, sizeMs),
    ...timedOf('tumbling', options, sizeMs),
  }
}

/**
 * Windows of event time that overlap: a new one of `size` starts at intervals of `every`. Each event is in about `size
 * / every` of them.
 *
 * @throws {RangeError} if `every` is more than `size`: events would be in no window
 * @example
 * sliding('1h', '5m', (event: { at: number }) => event.at).everyMs // => 300000
 */
export function sliding<const N extends string>(
  size: Duration,
  every: Duration,
  at: N,
  options?: EventTimeOptions & OffsetOptions & EmptyOptions,
): FieldWindow<N, 'sliding'>
export function sliding<T>(
  size: Duration,
  every: Duration,
  at: At<T>,
  options?: EventTimeOptions & OffsetOptions & EmptyOptions,
): SlidingWindow<T>
export function sliding<T>(
  size: Duration,
  every: Duration,
  at: At<T> | string,
  options: EventTimeOptions & OffsetOptions & EmptyOptions = {},
): SlidingWindow<T> | FieldWindow<string, 'sliding'> {
  checkGrid('sliding', options, [...EVENT_TIME, 'offset', 'emptyWindows'])
  const sizeMs = durationMs(size, 'size of sliding', 1)
  const everyMs = durationMs(every, 'every of sliding', 1)
  if (everyMs > sizeMs)
    throw new RangeError(`every of sliding must be no more than its size, ${sizeMs} ms: found ${everyMs} ms`)
  return {
    kind: 'sliding',
    ...timeBy<T>('sliding', at),
    sizeMs,
    everyMs,
    ...offsetOf('sliding', options, everyMs),
    ...timedOf('sliding', options, sizeMs),
  }
}

/** Options of {@link session}. */
export interface SessionOptions extends EventTimeOptions {
  /** The longest a session may be: what follows starts another. Without it, there is no limit. */
  readonly maxLength?: Duration
}

/**
 * Events of a key with less than `gap` between them, in event time. A session ends `gap` after its last event; an event
 * that lies between two sessions merges them.
 *
 * With `maxLength`, where sessions are cut depends on the order in which events come; otherwise it does not.
 *
 * @throws {RangeError} if `maxLength` is less than `gap`
 * @example
 * session('30m', (event: { at: number }) => event.at).gapMs // => 1800000
 */
export function session<const N extends string>(
  gap: Duration,
  at: N,
  options?: SessionOptions,
): FieldWindow<N, 'session'>
export function session<T>(gap: Duration, at: At<T>, options?: SessionOptions): SessionWindow<T>
export function session<T>(
  gap: Duration,
  at: At<T> | string,
  options: SessionOptions = {},
): SessionWindow<T> | FieldWindow<string, 'session'> {
  checkKeys('session', options, [...EVENT_TIME, 'maxLength'])
  const gapMs = durationMs(gap, 'gap of session', 1)
  const { maxLength } = options
  const maxLengthMs =
    maxLength === undefined ? Number.POSITIVE_INFINITY : durationMs(maxLength, 'maxLength of session', gapMs)
  return {
    kind: 'session',
    ...timeBy<T>('session', at),
    gapMs,
    maxLengthMs,
    ...timedOf('session', options, Number.POSITIVE_INFINITY),
  }
}

/**
 * Each `events` events of a key; at the end of the input the remainder, if any.
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
 * Events that came in the same interval of the clock, whatever their own time. Not the same in two runs.
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

/** How a window gets the time of an event: from a function, which may be made from the name of a field. */
function timeBy<T>(what: string, at: At<T> | string): { readonly at: At<T>; readonly field?: string } {
  if (typeof at !== 'string') {
    checkFunction(`at of ${what}`, at)
    return { at }
  }
  checkNames(`at of ${what}`, [at])
  return { at: fieldOf(at) as At<T>, field: at }
}
