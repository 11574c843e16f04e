// How long to wait before trying again.

import { checkKeys, checkMs } from './check.ts'

/** A wait that doubles with every attempt, up to a cap. */
export interface Backoff {
  /** The longest first wait, in clock milliseconds. */
  readonly firstMs: number
  /** The longest wait of all, in clock milliseconds. */
  readonly capMs: number
}

/** Rejects an invalid back-off. */
export function checkBackoff(name: string, backoff: Backoff): void {
  checkKeys(name, backoff, ['firstMs', 'capMs'])
  checkMs(`firstMs of ${name}`, backoff.firstMs)
  checkMs(`capMs of ${name}`, backoff.capMs)
}

/**
 * The wait before attempt `attempt + 1`, in clock milliseconds: between half and all of the doubled wait, so that
 * callers that failed together do not return together.
 *
 * @param attempt - failed attempts so far: an integer, 1 or more
 * @param random - a number from 0 to 1
 * @example
 * backoffMs(1, { firstMs: 100, capMs: 1000 }, 1) // => 100
 * backoffMs(9, { firstMs: 100, capMs: 1000 }, 0) // => 500
 */
export function backoffMs(attempt: number, { firstMs, capMs }: Backoff, random: number = Math.random()): number {
  const wholeMs = Math.min(capMs, firstMs * 2 ** (attempt - 1))
  return wholeMs * (0.5 + random / 2)
}
