// The times of syslog: whole ones as ISO 8601 writes them, and those of RFC 3164, without year and zone.

import { epochOfShown, faultOfShown, monthAt } from '../../kits/time/calendar.ts'
import { NOT_ISO, readIso } from '../../kits/time/iso.ts'
import { MS_DIGITS, type TimeRules, TOO_FINE } from '../../kits/time/rules.ts'

const LEGACY = /^([A-Z][a-z]{2}) ([ 0-9]?[0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,12}))?(?= |:|$)/
/** The longest time, in characters. */
const LONGEST = 48
const DAY_MS = 86_400_000

/** What a message begins with that is meant for a time: a day with a clock behind it, or a count of seconds. */
const TIME_LIKE =
  /^[*.]?(?:[A-Za-z]{3,9},? )?(?:[A-Za-z]{3,9} {1,2}[0-9]{1,2},?|[0-9]{1,2} [A-Za-z]{3,9}|[0-9]{1,4}[-/.](?:[0-9]{1,2}|[A-Za-z]{3})[-/.][0-9]{1,4})[ T:]{1,2}(?:[0-9]{4},? )?[0-9]{1,2}:[0-9]{2}|^[0-9]{10}(?:\.[0-9]+)? /

/** Epoch milliseconds of a whole time, as RFC 5424 has it; a text that says what is wrong for one that is not. */
export function readWholeTime(word: string, rules: TimeRules): number | string {
  return /^[0-9]{4}-[0-9]{2}-[0-9]{2}T/.test(word) ? readIso(word, rules) : NOT_ISO
}

/** Whether a time seems to stand at `at`, to be read or not. */
export function isTimeLike(text: string, at: number): boolean {
  return TIME_LIKE.test(text.slice(at, at + LONGEST))
}

/** What a time without year and zone is taken for. */
export interface LegacyClock extends TimeRules {
  /** Its year; undefined for the last one in which it is not more than a day ahead. */
  readonly year: number | undefined
}

/** A time, and where it ends. */
export interface Stamp {
  readonly time: number
  readonly to: number
}

/** The time `Oct  9 22:14:15` at `at`; undefined where there is none, a text that says what is wrong where one is meant. */
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
  // A leap year, so that every day that there may be is one.
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
  // The 29th of February is not there every year, and eight years apart at most.
  for (let one = last; one > last - 10; one -= 1) {
    const time = inYear(one)
    if (time !== undefined && time <= nowMs + DAY_MS) return { time, to }
  }
  return 'no such day'
}
