// Days, hours and seconds to epoch milliseconds: shared by all time formats.

/** The short names of months, as in logs: January is at 0, February at 3. */
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'

const DAYS_IN_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** The month whose short name is at `at`, from 0; -1 if there is no such name. */
export function monthAt(text: string, at: number): number {
  const place = MONTHS.indexOf(text.slice(at, at + 3))
  return place % 3 === 0 && at + 3 <= text.length ? place / 3 : -1
}

/** @param month - from 0 */
export function daysIn(month: number, year: number): number {
  return month === 1 && isLeap(year) ? 29 : (DAYS_IN_MONTH[month] ?? 0)
}

function isLeap(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
}

/** Days from 1970-01-01; years are counted from March, so that the leap day is a year's last. */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  const marchYear = month < 2 ? year - 1 : year
  const monthFromMarch = (month + 10) % 12
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400)
  return marchYear * 365 + leapDays + Math.floor((monthFromMarch * 153 + 2) / 5) + day - 1 - 719_468
}

/** A date and a time of day. */
export interface Shown {
  readonly year: number
  /** From 0. */
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  readonly second: number
}

/** The result of {@link faultOfShown}: in which part, and what. */
export interface ShownFault {
  readonly part: keyof Shown
  readonly what: string
}

/** What is wrong with a date and a time of day; undefined if nothing. Leap seconds have no epoch time. */
export function faultOfShown({ year, month, day, hour, minute, second }: Shown): ShownFault | undefined {
  if (!(month >= 0 && month <= 11)) return { part: 'month', what: 'no such month' }
  if (!(year >= 1 && year <= 9999)) return { part: 'year', what: 'no year 0000' }
  if (!(day >= 1 && day <= daysIn(month, year))) return { part: 'day', what: 'no such day' }
  if (hour > 23) return { part: 'hour', what: 'an hour over 23' }
  if (minute > 59) return { part: 'minute', what: 'a minute over 59' }
  return second > 59 ? { part: 'second', what: 'a second over 59' } : undefined
}

/** Epoch milliseconds of a date and a time of day in UTC. */
export function epochOfShown({ year, month, day, hour, minute, second }: Shown): number {
  return (((daysSinceEpoch(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000
}

/** The first and the last epoch millisecond of the years 1 to 9999. */
export const MIN_EPOCH_MS = -62_135_596_800_000
export const MAX_EPOCH_MS = 253_402_300_799_999
