// The bounds of what operators keep.

import { SluiceError } from '../base/errors.ts'

/** Keys that a stage holds where nothing else is said: fewer than a Map can, so that the end is one that names its option. */
export const MOST_KEYS = 10_000_000
/** Batches that a stage has open where nothing else is said. */
export const MOST_OPEN = 1_000_000

/** What ends a run whose operator would keep more than its option allows. */
export function overLimit(what: string, operator: string, option: string, limit: number): SluiceError {
  const message = `Cannot hold more ${what} in ${operator}: ${option} is ${limit}`
  return new SluiceError('STATE_OVER_LIMIT', message, { operator, option, limit })
}
