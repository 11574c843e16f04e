// Times of Parquet, counted from 1970 in UTC: as numbers of another unit, or as text, exactly or not at all.

import type { TimeUnit } from './meaning.ts'
import { Refusal } from './physical.ts'

/** The units per second. */
const PER_SECOND: Readonly<Record<TimeUnit, bigint>> = { ms: 1000n, us: 1_000_000n, ns: 1_000_000_000n }
const DIGITS: Readonly<Record<TimeUnit, number>> = { ms: 3, us: 6, ns: 9 }
const NAMES: Readonly<Record<TimeUnit, string>> = { ms: 'millisecond', us: 'microsecond', ns: 'nanosecond' }

const DAY_SECONDS = 86_400n
/** The years 0001 to 9999, in days and in milliseconds. */
const FIRST_DAY = -719_162
const LAST_DAY = 2_932_896
const FIRST_MS = FIRST_DAY * 86_400_000
const END_MS = (LAST_DAY + 1) * 86_400_000

/** A time in a unit, as a number in another one. */
export function timeNumber(
  from: TimeUnit,
  to: TimeUnit,
  isUtc: boolean,
): (value: number | bigint) => number | bigint | Refusal {
  const [given, wanted] = [PER_SECOND[from], PER_SECOND[to]]
  const isFiner = given > wanted
  const factor = isFiner ? given / wanted : wanted / given
  const factorNumber = Number(factor)
  return (value) => {
    let time: number | bigint
    if (factorNumber === 1) {
      time = value
    } else if (isFiner) {
      if (typeof value === 'number' ? value % factorNumber !== 0 : value % factor !== 0n)
        return tooFine(value, from, to, isUtc)
      time = typeof value === 'number' ? value / factorNumber : value / factor
    } else {
      time = typeof value === 'number' ? value * factorNumber : value * factor
      if (typeof time === 'number' && !Number.isSafeInteger(time)) time = BigInt(value) * factor
    }
    if (to === 'ms' && (time < FIRST_MS || time >= END_MS)) return outside(value)
    if (typeof time === 'number') return time + 0
    const number = Number(time)
    return Number.isSafeInteger(number) ? number : time
  }
}

/** A time as ISO 8601 with all digits of its unit, with `Z` for an instant. */
export function timeText(from: TimeUnit, isUtc: boolean): (value: number | bigint) => string | Refusal {
  return (value) => textOf(BigInt(value), from, isUtc) ?? outside(value)
}

/** Days since 1970 as a date. */
export function dateText(days: number | bigint): string | Refusal {
  const day = Number(days)
  if (day < FIRST_DAY || day > LAST_DAY) return outside(days)
  return new Date(day * 86_400_000).toISOString().slice(0, 10)
}

/** A time of day, with all digits of its unit. */
export function clockText(from: TimeUnit): (value: number | bigint) => string | Refusal {
  const perDay = DAY_SECONDS * PER_SECOND[from]
  return (value) => (value < 0n || value >= perDay ? outside(value) : clockOf(BigInt(value), from))
}

function textOf(value: bigint, unit: TimeUnit, isUtc: boolean): string | undefined {
  const perDay = DAY_SECONDS * PER_SECOND[unit]
  const ofDay = ((value % perDay) + perDay) % perDay
  const date = dateText((value - ofDay) / perDay)
  return date instanceof Refusal ? undefined : `${date}T${clockOf(ofDay, unit)}${isUtc ? 'Z' : ''}`
}

function clockOf(value: bigint, unit: TimeUnit): string {
  const seconds = Number(value / PER_SECOND[unit])
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const fraction = String(value % PER_SECOND[unit]).padStart(DIGITS[unit], '0')
  return `${parts.map((part) => String(part).padStart(2, '0')).join(':')}.${fraction}`
}

function tooFine(value: number | bigint, from: TimeUnit, to: TimeUnit, isUtc: boolean): Refusal {
  const shown = textOf(BigInt(value), from, isUtc) ?? String(value)
  return new Refusal(`the time ${shown} is finer than a ${NAMES[to]} (see the option times)`, shown)
}

function outside(value: number | bigint): Refusal {
  return new Refusal(`the time ${value} is outside the years 1 to 9999, or outside its day`, String(value))
}
