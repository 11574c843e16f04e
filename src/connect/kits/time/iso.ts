// Times in ISO 8601, also as databases write it, to epoch milliseconds.

import { epochOfShown, faultOfShown, type Shown } from './calendar.ts'
import { MS_DIGITS, type TimeRules, TOO_FINE } from './rules.ts'

const TIME =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,12}))?)?(?: ?(Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?$/i

/** No time is longer, and a longer text need not be parsed. */
const LONGEST = 48

/** The message for an invalid time. */
export const NOT_ISO = 'not a time such as 2024-02-29T23:59:59.999Z'

/**
 * Epoch milliseconds of a time: a date, or a date and a time of day, optionally with seconds and a fraction, and `Z`,
 * `UTC`, `+01`, `+0100` or `+01:00`; otherwise it is in the zone of the rules. Years 0001 to 9999. A text for an
 * invalid time, nonexistent days, hour 24, second 60, and for what is finer than a millisecond unless the rules
 * truncate it.
 *
 * @example
 * const rules = timeRules({})
 * readIso('2024-02-29 12:00:00.5+02:00', rules) // => 1709200800500
 * readIso('2023-02-29', rules) // => 'no such day'
 */
export function readIso(text: string, { zone, isCutOff }: TimeRules): number | string {
  const found = text.length > LONGEST ? null : TIME.exec(text)
  if (found === null) return NOT_ISO
  const [, year, month, day, hour = 0, minute = 0, second = 0, fraction = '', offset] = found
  const shown: Shown = {
    year: Number(year),
    month: Number(month) - 1,
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  }
  const fault = faultOfShown(shown)
  if (fault !== undefined) return fault.what
  if (!isCutOff && !/^0*$/.test(fraction.slice(MS_DIGITS))) return TOO_FINE
  const ms = Number(fraction.slice(0, MS_DIGITS).padEnd(MS_DIGITS, '0'))
  if (offset === undefined) return zone.epochMs(epochOfShown(shown)) + ms
  const offsetMs = readOffset(offset)
  return offsetMs === undefined ? OFFSET_FAULT : epochOfShown(shown) + ms - offsetMs
}

/** The message for an invalid offset. */
export const OFFSET_FAULT = 'an offset over 23 hours 59 minutes'

/** Milliseconds of `Z`, `UTC`, `+01`, `+0100` or `+01:00`; undefined if there are too many. */
export function readOffset(offset: string): number | undefined {
  const sign = offset[0]
  if (sign !== '+' && sign !== '-') return 0
  const [hours, minutes] = [Number(offset.slice(1, 3)), Number(offset.slice(3).replace(':', ''))]
  if (hours > 23 || minutes > 59) return undefined
  return (sign === '-' ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
