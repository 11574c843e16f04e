// How long others may take to close what is given up.

import { systemClock } from './clock.ts'

/** In clock milliseconds. */
const CLOSING_MS = 5000

/**
 * Waits for the closing of something that is not ours, 5 seconds at most: one that never ends must not keep a run from
 * ending.
 *
 * @throws what `closing` fails with in that time
 */
export async function inTime(closing: Promise<unknown>): Promise<void> {
  const enough = new AbortController()
  const tooLong = systemClock.sleep(CLOSING_MS, enough.signal).catch(() => {}) // Ended by `enough`.
  try {
    await Promise.race([closing, tooLong])
  } finally {
    enough.abort()
  }
}

/** Does something with what was opened, which is closed if that fails. */
export async function orClose<T>(
  opened: { readonly close: () => void | Promise<void> },
  work: () => T | PromiseLike<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await opened.close()
    throw error
  }
}
