// The times of syslog: full ones as ISO 8601, and those of RFC 3164, without year and zone.

import { epochOfShown, faultOfShown, monthAt } from '../../kits/time/calendar.ts'
import { NOT_ISO, readIso } from '../../kits/time/iso.ts'
import { MS_DIGITS, type TimeRules, TOO_FINE } from '../../kits/time/rules.ts'

const LEGACY = /^([A-Z][a-z]{2}) ([ 0-9]?[0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,12}))?(?= |:|$)/
/** The longest time, in characters. */
const LONGEST = 48
const DAY_MS = 86_400_000

/** A message that begins with a time: a day followed by a clock time, or a count of seconds. */
const TIME_LIKE =
  /^[*.]?(?:[A-Za-z]{3,9},? )?(?:[A-Za-z]{3,9} {1,2}[0-9]{1,2},?|[0-9]{1,2} [A-Za-z]{3,9}|[0-9]{1,4}[-/.](?:[0-9]{1,2}|[A-Za-z]{3})[-/.][0-9]{1,4})[ T:]{1,2}(?:[0-9]{4},? )?[0-9]{1,2}:[0-9]{2}|^[0-9]{10}(?:\.[0-9]+)? /

/** Epoch milliseconds of a full time, as in RFC 5424; a text that says what is wrong with an invalid one. */
export function readWholeTime(word: string, rules: TimeRules): number | string {
  return /^[0-9]{4}-[0-9]{2}-[0-9]{2}T/.test(word) ? readIso(word, rules) : NOT_ISO
}

/** Whether there seems to be a time at `at`, valid or not. */
export function isTimeLike(text: string, at: number): boolean {
  return TIME_LIKE.test(text.slice(at, at + LONGEST))
}

/** How a time without year and zone is interpreted. */
export interface LegacyClock extends TimeRules {
  /** Its year; undefined for the latest in which it is at most a day ahead. */
  readonly year: number | undefined
}

/** A time, and where it ends. */
export interface Stamp {
  readonly time: number
  readonly to: number
}

/**
 * The time `Oct  9 22:14:15` at `at`; undefined if there is no time, a text that says what is wrong with an invalid
 * one.
 */
export function readLegacyTime(
  text: string,
  at: number,
  { zone, isCutOff, year }: LegacyClock,
  nowMs: number,
): Stamp | string | undefined {
  const found = LEGACY.exec(text.slice(at, at + LONGEST))
  if (found === null) return undefined
  const [all, name = '', day, hour, minute, second, fraction = ''] = found
  const clock = {
    month: monthAt(name, 0),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  }
  // A leap year, so that every possible day is valid.
  const fault = faultOfShown({ ...clock, year: 2000 })
  if (fault !== undefined) return fault.what
  if (!isCutOff && /[1-9]/.test(fraction.slice(MS_DIGITS))) return TOO_FINE
  const ms = Number(fraction.slice(0, MS_DIGITS).padEnd(MS_DIGITS, '0'))
  const to = at + all.length
  const inYear = (one: number): number | undefined => {
    const shown = { ...clock, year: one }
    return faultOfShown(shown) === undefined ? zone.epochMs(epochOfShown(shown)) + ms : undefined
  }
  if (year !== undefined) {
    const time = inYear(year)
    return time === undefined ? 'no such day' : { time, to }
  }
  const last = new Date(nowMs + DAY_MS).getUTCFullYear() + 1
  // The 29th of February does not exist every year, but at least every eight years.
  for (let one = last; one > last - 10; one -= 1) {
    const time = inYear(one)
    if (time !== undefined && time <= nowMs + DAY_MS) return { time, to }
  }
  return 'no such day'
}
