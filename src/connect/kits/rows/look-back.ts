// How far before its position a query reads again: for rows that were committed late.

import { type Duration, durationMs } from '../../../base/duration.ts'
import { SluiceError } from '../../../base/errors.ts'
import { optionInvalid } from '../config.ts'

/** By the type of the cursor: a number, or a time. */
export type LookBack = { readonly kind: 'number'; readonly by: number } | { readonly kind: 'time'; readonly ms: number }

/**
 * @param given - a number, or a duration as text
 * @throws {SluiceError} CONFIG_INVALID for anything else, and without a cursor
 */
export function lookBackOf(what: string, given: Duration | undefined, hasCursor: boolean): LookBack | undefined {
  if (given === undefined) return undefined
  if (!hasCursor) throw optionInvalid(what, 'lookBack', given, 'a cursor to look back by')
  if (typeof given === 'number') {
    if (!Number.isFinite(given) || given <= 0)
      throw optionInvalid(what, 'lookBack', given, "a number over 0, or a text such as '10m'")
    return { kind: 'number', by: given }
  }
  try {
    return { kind: 'time', ms: durationMs(given, 'lookBack', 1) }
  } catch {
    throw optionInvalid(what, 'lookBack', given, "a number, or a text such as '90s', '1h30m', '2d'")
  }
}

/** The error for a cursor of an unsuitable type. */
export function unfitLookBack(
  source: string,
  cursor: string,
  { kind }: LookBack,
  type: string,
): SluiceError<'CONFIG_INVALID'> {
  const allowed = kind === 'number' ? 'a cursor of numbers' : 'a cursor of timestamps'
  const other = kind === 'number' ? "as text, such as '10m', one of timestamps" : 'as a number, one of numbers'
  const message = `Cannot look back in ${source} by ${cursor}: this lookBack takes ${allowed} (${other}), and ${cursor} is ${type}`
  return new SluiceError('CONFIG_INVALID', message, { key: 'lookBack', value: cursor, allowed })
}
