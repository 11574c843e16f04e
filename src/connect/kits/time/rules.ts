// What options say of every form of a time: its zone, and what becomes of what is finer than a millisecond.

import { anything, type Checks, choice } from '../../../base/options.ts'
import { type Zone, zoneOf } from './zone.ts'

export interface TimeOptions {
  /** The zone of times that do not say theirs: `Europe/Berlin`. `UTC` by default. */
  readonly timeZone?: string
  /**
   * What becomes of times finer than a millisecond: `reject` makes a dead letter of the record (the default, but not in
   * syslog), `truncate` cuts off what is finer.
   */
  readonly subMilliseconds?: 'reject' | 'truncate'
}

/** What they take. */
export const TIME_OPTIONS: Checks<TimeOptions> = { timeZone: anything, subMilliseconds: choice('reject', 'truncate') }

export interface TimeRules {
  readonly zone: Zone
  /** Whether what is finer than a millisecond is cut off. */
  readonly isCutOff: boolean
}

/** Digits of a fraction of a second that a time holds. */
export const MS_DIGITS = 3

/** What is said of a time that has more of them. */
export const TOO_FINE =
  "digits finer than a millisecond, which would be lost: subMilliseconds: 'truncate' cuts them off"

/** @throws {RangeError} for a zone or a choice that there is not */
export function timeRules({ timeZone, subMilliseconds = 'reject' }: TimeOptions): TimeRules {
  return { zone: zoneOf(timeZone), isCutOff: subMilliseconds === 'truncate' }
}
