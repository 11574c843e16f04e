// Times as counts since 1970: of seconds, milliseconds, microseconds or nanoseconds, exactly.

import { MAX_EPOCH_MS, MIN_EPOCH_MS } from './calendar.ts'
import { type TimeRules, TOO_FINE } from './rules.ts'

export type EpochUnit = 's' | 'ms' | 'us' | 'ns'

/** By how many digits the point of a count moves to the right to make it milliseconds. */
const SHIFT: Readonly<Record<EpochUnit, number>> = { s: 3, ms: 0, us: -3, ns: -6 }

const WORDS: Readonly<Record<EpochUnit, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
}

const COUNT = /^([+-]?)([0-9]{1,30})(?:\.([0-9]{1,30}))?$/

/**
 * A parser of counts, with or without a fraction. It works on the digits, so that nothing is rounded.
 *
 * @example
 * epochReader('us', timeRules({}))('1709200800500000') // => 1709200800500
 */
export function epochReader(unit: EpochUnit, { isCutOff }: TimeRules): (text: string) => number | string {
  const notSuch = `not a count of ${WORDS[unit]} since 1970`
  return (text) => {
    const found = text.length > 64 ? null : COUNT.exec(text)
    if (found === null) return notSuch
    const [, sign, whole = '', fraction = ''] = found
    const point = whole.length + SHIFT[unit]
    const digits = (whole + fraction).padEnd(point, '0')
    const isFine = /[1-9]/.test(digits.slice(Math.max(0, point)).padStart(-point, '0'))
    if (isFine && !isCutOff) return TOO_FINE
    const ms = point > 0 ? Number(digits.slice(0, point)) : 0
    // Truncation makes times earlier, before 1970, too.
    const time = sign === '-' ? 0 - ms - (isFine ? 1 : 0) : ms
    return time >= MIN_EPOCH_MS && time <= MAX_EPOCH_MS ? time : `${notSuch} in the years 1 to 9999`
  }
}
