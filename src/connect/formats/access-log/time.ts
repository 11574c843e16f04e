// The time of an access log: `17/May/2015:10:05:03 +0000` to epoch milliseconds.

import { daysIn, daysSinceEpoch, faultOfShown, monthAt, type Shown } from '../../kits/time/calendar.ts'

/** The length of a time, in characters. */
export const TIME_LENGTH = 26

const SHAPE = 'dd/Mon/yyyy:hh:mm:ss ±hhmm'
const FORM = /^\d\d\/.{3}\/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}$/s

/**
 * Reads the times of one file.
 *
 * Neighbouring lines nearly always share all but their seconds, so the parts of the last time are kept and compared.
 * They are short on purpose: V8 copies a slice of up to 12 characters, and two copies are compared faster than a slice
 * that points into its line.
 */
export class AccessTimes {
  /** `17/May/2015:` of the last time read; at first an arbitrary day. */
  #day = '01/Jan/1970:'
  /** `10:05:` of the last time read. */
  #minute = '00:00:'
  /** ` +0000` of the last time read. */
  #offset = ' +0000'
  /** Epoch milliseconds of the start of that minute. */
  #minuteMs = 0

  /** Epoch milliseconds, UTC, of the time that begins at `at`; NaN if there is no time. */
  read(text: string, at: number): number {
    const second = digits(text, at + 18, 2)
    if (!(second <= 59)) return Number.NaN
    const day = text.slice(at, at + 12)
    const minute = text.slice(at + 12, at + 18)
    const offset = text.slice(at + 20, at + TIME_LENGTH)
    if (minute !== this.#minute || day !== this.#day || offset !== this.#offset) {
      const minuteMs = readMinute(text, at)
      if (Number.isNaN(minuteMs)) return Number.NaN
      this.#day = day
      this.#minute = minute
      this.#offset = offset
      this.#minuteMs = minuteMs
    }
    return this.#minuteMs + second * 1000
  }
}

/** What is wrong with a time that {@link AccessTimes} does not accept, and where. */
export function faultOfTime(text: string, at: number): { readonly what: string; readonly at: number } {
  if (!FORM.test(text.slice(at, at + TIME_LENGTH))) return { what: `time is not ${SHAPE}`, at }
  const fault = faultOfShown({
    year: digits(text, at + 7, 4),
    month: monthAt(text, at + 3),
    day: digits(text, at, 2),
    hour: digits(text, at + 12, 2),
    minute: digits(text, at + 15, 2),
    second: digits(text, at + 18, 2),
  })
  if (fault !== undefined) return { what: `time has ${fault.what}`, at: at + PLACES[fault.part] }
  return { what: 'time has an offset over 23 hours 59 minutes', at: at + 21 }
}

/** Where the parts of a time are. */
const PLACES: Readonly<Record<keyof Shown, number>> = { day: 0, month: 3, year: 7, hour: 12, minute: 15, second: 18 }

function readMinute(text: string, at: number): number {
  const day = digits(text, at, 2)
  const month = monthAt(text, at + 3)
  const year = digits(text, at + 7, 4)
  const hour = digits(text, at + 12, 2)
  const minute = digits(text, at + 15, 2)
  const offsetHour = digits(text, at + 22, 2)
  const offsetMinute = digits(text, at + 24, 2)
  if (!hasSeparators(text, at) || month === -1 || !(year > 0)) return Number.NaN
  if (!(day >= 1 && day <= daysIn(month, year) && hour <= 23 && minute <= 59)) return Number.NaN
  if (!(offsetHour <= 23 && offsetMinute <= 59)) return Number.NaN
  const offsetMinutes = offsetHour * 60 + offsetMinute
  const minutes = daysSinceEpoch(year, month, day) * 1440 + hour * 60 + minute
  return (text[at + 21] === '-' ? minutes + offsetMinutes : minutes - offsetMinutes) * 60_000
}

function hasSeparators(text: string, at: number): boolean {
  const sign = text[at + 21]
  return (
    text[at + 2] === '/' &&
    text[at + 6] === '/' &&
    text[at + 11] === ':' &&
    text[at + 14] === ':' &&
    text[at + 17] === ':' &&
    text[at + 20] === ' ' &&
    (sign === '+' || sign === '-')
  )
}

/** The value of `count` digits; NaN unless all of them are digits. */
function digits(text: string, at: number, count: number): number {
  let value = 0
  for (let i = at; i < at + count; i += 1) {
    const digit = text.charCodeAt(i) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    value = value * 10 + digit
  }
  return value
}
