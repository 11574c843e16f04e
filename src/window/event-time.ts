// The time of an event, as its window's `at` gives it.

import { describeValue } from '../base/check.ts'
import type { At } from './window.ts'

/** The range of a Date, before and after 1970. */
const FURTHEST_MS = 8_640_000_000_000_000

/**
 * An event with an invalid time: it becomes a dead letter, the others continue.
 *
 * @example
 * new EventTimeError('2024-01-01').message // => 'Cannot tell the time of an event: at gave "2024-01-01", not epoch milliseconds or a Date'
 */
export class EventTimeError extends Error {
  override readonly name: string = 'EventTimeError'
  /** What `at` returned. */
  readonly found: unknown

  constructor(found: unknown) {
    const what = found instanceof Date ? 'an invalid Date' : describeValue(found)
    super(`Cannot tell the time of an event: at gave ${what}, not epoch milliseconds or a Date`)
    this.found = found
  }
}

/**
 * The time of an event in epoch milliseconds.
 *
 * @throws {EventTimeError} if `at` returns neither a number that a Date can hold nor a valid Date
 * @example
 * timeOf((event: { at: Date }) => event.at, { at: new Date(1500) }) // => 1500
 */
export function timeOf<T>(at: At<T>, event: T): number {
  const given: unknown = at(event)
  const timeMs = typeof given === 'number' ? given : given instanceof Date ? given.getTime() : Number.NaN
  // 0 is added so that -0 is 0.
  if (isTime(timeMs)) return timeMs + 0
  throw new EventTimeError(given)
}

/** Whether a Date can hold a time. */
export function isTime(timeMs: number): boolean {
  return timeMs >= -FURTHEST_MS && timeMs <= FURTHEST_MS
}
