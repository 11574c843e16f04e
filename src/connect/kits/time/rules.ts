// Options for all time formats: the zone, and what happens to times finer than a millisecond.

import { describeValue } from '../../../base/check.ts'
import { anything, type Checks, choice } from '../../../base/options.ts'

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

const DAY_MS = 86_400_000

/**
 * A time zone. A local time that occurs twice, when clocks are set back, is taken for the first one; one that is
 * skipped, when they are set forward, is shifted by as much.
 */
export class Zone {
  /** Undefined for UTC. */
  readonly #format: Intl.DateTimeFormat | undefined
  /** The hour looked up last, as if it were UTC, and the offset of its epoch milliseconds. */
  #hourMs = Number.NaN
  #offsetMs = 0

  /**
   * @throws {RangeError} for an unknown zone
   */
  constructor(name: string) {
    this.#format =
      name === 'UTC'
        ? undefined
        : new Intl.DateTimeFormat('en-US', { timeZone: name, hourCycle: 'h23', timeZoneName: 'longOffset' })
  }

  /**
   * @param localMs - the local time, as if it were UTC
   */
  epochMs(localMs: number): number {
    if (this.#format === undefined) return localMs
    // Zone transitions are at whole quarters of an hour.
    const hourMs = Math.floor(localMs / 900_000)
    if (hourMs !== this.#hourMs) {
      const before = this.#offsetAt(localMs - DAY_MS)
      const early = localMs - before
      this.#offsetMs = this.#offsetAt(early) === before ? before : this.#later(localMs, before)
      this.#hourMs = hourMs
    }
    return localMs - this.#offsetMs
  }

  /** There is a transition within the day: use the offset before or after, whichever is consistent. */
  #later(localMs: number, before: number): number {
    const after = this.#offsetAt(localMs - before)
    return this.#offsetAt(localMs - after) === after ? after : before
  }

  #offsetAt(epochMs: number): number {
    const parts = (this.#format as Intl.DateTimeFormat).formatToParts(epochMs)
    const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
    const found = /^GMT([+-])(\d{2}):(\d{2})(?::(\d{2}))?$/.exec(name)
    if (found === null) return 0
    const [, sign, hours, minutes, seconds = '0'] = found
    return (sign === '-' ? -1 : 1) * ((Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1000)
  }
}

/**
 * The zone named in an option.
 *
 * @throws {RangeError} for an unknown zone
 */
function zoneOf(timeZone: unknown = 'UTC'): Zone {
  try {
    if (typeof timeZone === 'string') return new Zone(timeZone)
  } catch {
    // The system's own error names neither the option nor an example.
  }
  throw new RangeError(`timeZone must be one such as Europe/Berlin: found ${describeValue(timeZone)}`)
}
