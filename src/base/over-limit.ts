// The error for an operator that would exceed the limit of its state.

import { SluiceError } from './errors.ts'

export interface OverLimit {
  /** What there is one too many of: `key`. */
  readonly what: string
  readonly operator: string
  readonly option: string
  readonly limit: number
  /** More that is known about it, after the advice. */
  readonly why?: string
}

/**
 * Ends a run whose operator would exceed its limit.
 *
 * @example
 * overLimit({ what: 'key', operator: 'sums', option: 'maxKeys', limit: 1000 }).message
 * // => 'Cannot hold another key in sums: a stage holds 1,000, the limit set by maxKeys; raise maxKeys, or use windows or more stages'
 */
export function overLimit({ what, operator, option, limit, why = '' }: OverLimit): SluiceError<'STATE_OVER_LIMIT'> {
  const found = `a stage holds ${limit.toLocaleString('en-US')}, the limit set by ${option}`
  const advice = `raise ${option}, or use windows or more stages`
  const message = `Cannot hold another ${what} in ${operator}: ${found}; ${advice}${why}`
  return new SluiceError('STATE_OVER_LIMIT', message, { operator, option, limit })
}
