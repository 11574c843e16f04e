// The bounds of what operators keep.

import { SluiceError } from '../base/errors.ts'

/** No bound but the memory's. */
export const UNBOUNDED: number = Number.POSITIVE_INFINITY

/** What ends a run whose operator would keep more than its option allows. */
export function overLimit(what: string, operator: string, option: string, limit: number): SluiceError {
  const message = `Cannot hold more ${what} in ${operator}: ${option} is ${limit}`
  return new SluiceError('STATE_OVER_LIMIT', message, { operator, option, limit })
}
