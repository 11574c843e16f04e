// The times of syslog: whole ones as ISO 8601 writes them, and those of RFC 3164, without year and zone.

import { readIsoTime } from '../csv/iso-time.ts'

const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec'
const LEGACY = /^([A-Z][a-z]{2}) ([ 0-9]?[0-9]) ([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?(?= |:|$)/
const ISO = /^([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:?[0-9]{2})?$/
/** The longest time, in characters. */
const LONGEST = 40
const DAY_MS = 86_400_000

/** Epoch milliseconds of a whole time; what is finer than a millisecond is cut off. Undefined for what is none. */
export function readWholeTime(word: string): number | undefined {
  if (word.length > LONGEST) return undefined
  const found = ISO.exec(word)
  if (found === null) return undefined
  const [, seconds, fraction = '', zone = 'Z'] = found
  return readIsoTime(`${seconds}${fraction.slice(0, 4)}${zone}`)
}

/** What a time without year and zone is taken for. */
export interface LegacyClock {
  /** The zone in which it was written down. */
  readonly zone: Zone
  /** Its year; undefined for the last one in which it is not more than a day ahead. */
  readonly year: number | undefined
}

/** Epoch milliseconds of `Oct  9 22:14:15` at `at`, and where it ends; undefined where there is none. */
export function readLegacyTime(
  text: string,
  at: number,
  { zone, year }: LegacyClock,
  nowMs: number,
): { readonly time: number; readonly to: number } | undefined {
  const found = LEGACY.exec(text.slice(at, at + LONGEST))
  if (found === null) return undefined
  const [all, name = '', day, hour, minute, second, fraction = ''] = found
  const place = MONTHS.indexOf(name)
  if (place % 3 !== 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59) return undefined
  const inYear = (one: number): number | undefined => {
    const date = new Date(0)
    date.setUTCFullYear(one, place / 3, Number(day))
    // A day that there is not has become another.
    if (date.getUTCDate() !== Number(day)) return undefined
    const ofDay = (Number(hour) * 60 + Number(minute)) * 60_000 + Number(second) * 1000
    return zone.epochMs(date.getTime() + ofDay) + Number(fraction.slice(0, 3).padEnd(3, '0'))
  }
  const to = at + all.length
  if (year !== undefined) return timeAt(inYear(year), to)
  const last = new Date(nowMs + DAY_MS).getUTCFullYear() + 1
  // The 29th of February is not there every year, and eight years apart at most.
  for (let one = last; one > last - 10; one -= 1) {
    const time = inYear(one)
    if (time !== undefined && time <= nowMs + DAY_MS) return { time, to }
  }
  return undefined
}

function timeAt(time: number | undefined, to: number): { readonly time: number; readonly to: number } | undefined {
  return time === undefined ? undefined : { time, to }
}

/**
 * A time zone. A time that comes twice, as clocks are set back, is taken for the first one; one that does not come, as
 * they are set forward, for as much later as they are.
 */
export class Zone {
  /** Undefined for UTC. */
  readonly #format: Intl.DateTimeFormat | undefined
  /** The hour that was looked up last, as if it were UTC, and what its epoch milliseconds are less than that. */
  #hourMs = Number.NaN
  #offsetMs = 0

  /** @throws {RangeError} for a zone that there is not */
  constructor(name: string) {
    this.#format =
      name === 'UTC'
        ? undefined
        : new Intl.DateTimeFormat('en-US', { timeZone: name, hourCycle: 'h23', timeZoneName: 'longOffset' })
  }

  /** @param localMs - what clocks show, as if it were UTC */
  epochMs(localMs: number): number {
    if (this.#format === undefined) return localMs
    // Clocks are set at whole quarters of an hour.
    const hourMs = Math.floor(localMs / 900_000)
    if (hourMs !== this.#hourMs) {
      const before = this.#offsetAt(localMs - DAY_MS)
      const early = localMs - before
      this.#offsetMs = this.#offsetAt(early) === before ? before : this.#later(localMs, before)
      this.#hourMs = hourMs
    }
    return localMs - this.#offsetMs
  }

  /** Clocks were set within the day: by what is before, or by what is after, whichever is so. */
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
