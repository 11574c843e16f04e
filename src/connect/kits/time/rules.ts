// Options for all time formats: the zone, and what happens to times finer than a millisecond.

import { anything, type Checks, choice } from '../../../base/options.ts'
import { type Zone, zoneOf } from './zone.ts'

export interface TimeOptions {
  /** The zone of times without one: `Europe/Berlin`. `UTC` by default. */
  readonly timeZone?: string
  /**
   * Times finer than a millisecond: `reject` makes a dead letter of the record (the default, except in syslog),
   * `truncate` drops the rest.
   */
  readonly subMilliseconds?: 'reject' | 'truncate'
}

/** What they take. */
export const TIME_OPTIONS: Checks<TimeOptions> = { timeZone: anything, subMilliseconds: choice('reject', 'truncate') }

export interface TimeRules {
  readonly zone: Zone
  /** Whether times finer than a millisecond are truncated. */
  readonly isCutOff: boolean
}

/** The most digits of a fraction of a second. */
export const MS_DIGITS = 3

/** The message for a time with more of them. */
export const TOO_FINE =
  "digits finer than a millisecond, which would be lost: subMilliseconds: 'truncate' cuts them off"

/**
 * @throws {RangeError} for an invalid zone or choice
 */
export function timeRules({ timeZone, subMilliseconds = 'reject' }: TimeOptions): TimeRules {
  return { zone: zoneOf(timeZone), isCutOff: subMilliseconds === 'truncate' }
}
