// The error for an operator that would hold more than its option allows.

import { SluiceError } from './errors.ts'

export interface OverLimit {
  /** What it would hold one more of: `key`. */
  readonly what: string
  readonly operator: string
  readonly option: string
  readonly limit: number
  /** What else is known of it, behind the advice. */
  readonly why?: string
}

/**
 * What ends a run whose operator would hold more than it may.
 *
 * @example
 * overLimit({ what: 'key', operator: 'sums', option: 'maxKeys', limit: 1000 }).message
 * // => 'Cannot hold another key in sums: a stage holds 1,000, as many as maxKeys allows; raise maxKeys, or use windows or more stages'
 */
export function overLimit({ what, operator, option, limit, why = '' }: OverLimit): SluiceError<'STATE_OVER_LIMIT'> {
  const found = `a stage holds ${limit.toLocaleString('en-US')}, as many as ${option} allows`
  const advice = `raise ${option}, or use windows or more stages`
  const message = `Cannot hold another ${what} in ${operator}: ${found}; ${advice}${why}`
  return new SluiceError('STATE_OVER_LIMIT', message, { operator, option, limit })
}
