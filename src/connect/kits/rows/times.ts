// Timestamps of databases as numbers, exactly or not at all.

import { checkChoice } from '../../../base/check.ts'
import type { ColumnType } from '../../column.ts'
import { BIGINTS, type JsonBigInts } from '../json/numbers.ts'
import { Unfit } from './unfit.ts'

/** What timestamps become: epoch milli-, micro- or nanoseconds, or text with all their digits. */
export type Times = 'ms' | 'us' | 'ns' | 'text'

const TIMES: readonly Times[] = ['ms', 'us', 'ns', 'text']

/** What the options of a source ask for. */
export interface ValueChoices {
  readonly bigints: JsonBigInts
  /** Undefined: milliseconds if the type holds nothing finer, else text. */
  readonly times: Times | undefined
}

/** @throws {RangeError} for others than there are */
export function choicesOf({ bigints = 'reject', times }: Partial<ValueChoices>): ValueChoices {
  checkChoice('bigints', bigints, BIGINTS)
  if (times !== undefined) checkChoice('times', times, TIMES)
  return { bigints, times }
}

/** The type of a column for timestamps that become this. */
export function columnOfTimes(times: Times): ColumnType {
  return times === 'ms' ? 'time' : times === 'text' ? 'text' : 'integer'
}

const NAMES = { ms: 'milliseconds', us: 'microseconds', ns: 'nanoseconds' }
const NANOS = { ms: 1_000_000, us: 1000, ns: 1 }
/** The range of JavaScript's dates around 1970. */
const MOST_MS = 8.64e15

/**
 * A timestamp as a number of units since 1970: a bigint beyond 2^53.
 *
 * @param ms - epoch milliseconds
 * @param restNs - the remainder in nanoseconds
 * @param shown - the timestamp as the database writes it
 * @throws {Unfit} for one that is finer than the unit, or out of the range of JavaScript's dates
 */
export function momentOf(unit: Exclude<Times, 'text'>, ms: number, restNs: number, shown: string): number | bigint {
  const perUnit = NANOS[unit]
  if (!(Math.abs(ms) <= MOST_MS))
    throw new Unfit(`${shown} is out of the range of epoch ${NAMES[unit]}: take it as text`)
  if (restNs % perUnit !== 0)
    throw new Unfit(`${shown} is finer than ${NAMES[unit]}: take it in a finer unit, or as text (times)`)
  if (unit === 'ms') return ms
  return plainWhole(BigInt(ms) * BigInt(NANOS.ms / perUnit) + BigInt(restNs / perUnit))
}

/** An integer: as a number if that is exact. */
export function plainWhole(whole: bigint): number | bigint {
  const number = Number(whole)
  return Number.isSafeInteger(number) ? number : whole
}
