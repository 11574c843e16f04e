// Durations as people write them: '90s', '1h30m', or a number of milliseconds.

import { describeValue } from './check.ts'

type Days = '' | `${number}d`
type Hours = '' | `${number}h`
type Minutes = '' | `${number}m`
type Seconds = '' | `${number}s`
type Milliseconds = '' | `${number}ms`

/**
 * Milliseconds, or a text of numbers and units from the largest to the smallest: `d`, `h`, `m`, `s`, `ms`. For a text
 * that is only known at run time, use {@link duration}.
 */
export type Duration = number | Exclude<`${Days}${Hours}${Minutes}${Seconds}${Milliseconds}`, ''>

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
  ['ms', 1],
]
const WRITTEN = new RegExp(`^${UNITS.map(([unit]) => `(?:(\\d+(?:\\.\\d+)?)${unit}(?![a-z]))?`).join('')}$`)

/**
 * The milliseconds of a duration given as text, by a parameter or a configuration file.
 *
 * @throws {TypeError} if it is not a text in units
 * @throws {RangeError} if it is not whole milliseconds
 * @example
 * const size: string = process.env.WINDOW ?? '1m30s'
 * tumbling(duration(size), (event: { at: number }) => event.at).sizeMs // => 90000
 */
export function duration(text: string): number {
  return durationMs(text as Duration)
}

/**
 * The whole milliseconds of a duration.
 *
 * @param duration - what the caller wrote
 * @param name - the option, as an error names it
 * @param minMs - the minimum
 * @throws {TypeError} if it is neither a number nor a text in units
 * @throws {RangeError} if it is not whole milliseconds, or less than `minMs`
 * @example
 * durationMs('1h30m') // => 5400000
 * durationMs('90s') // => 90000
 * durationMs('1.5s') // => 1500
 * durationMs(250) // => 250
 */
export function durationMs(duration: Duration, name = 'duration', minMs = 0): number {
  const ms = typeof duration === 'string' ? parse(duration) : duration
  if (typeof ms !== 'number' || Number.isNaN(ms)) {
    const found = describeValue(duration)
    throw new TypeError(`${name} must be milliseconds or a text like '90s', '1h30m', '250ms': found ${found}`)
  }
  if (Number.isSafeInteger(ms) && ms >= minMs) return ms
  throw new RangeError(`${name} must be whole milliseconds, ${minMs} or more: found ${describeValue(duration)}`)
}

function parse(text: string): number {
  const match = WRITTEN.exec(text)
  if (match === null || text === '') return Number.NaN
  const ms = UNITS.reduce((sum, [, unitMs], index) => sum + Number(match[index + 1] ?? 0) * unitMs, 0)
  // 1.1 × 1000 is not 1100 in doubles: a value within rounding error of an integer counts as that integer.
  return Math.abs(ms - Math.round(ms)) < 1e-6 ? Math.round(ms) : ms
}
