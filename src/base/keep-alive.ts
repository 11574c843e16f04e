// Keeps the process alive while something is under way, whatever it waits for.

import { type Clock, systemClock } from './clock.ts'

/** The longest wait of a Node timer, in clock milliseconds. */
const LONGEST_MS = 0x7fffffff

/**
 * Keeps this process alive until `work` has settled. Node exits once nothing is left that could wake it, even in the
 * middle of a wait: for a person to resume a run, or for a socket or timer that is unreferenced.
 *
 * @param clock - what `work` waits by: with any clock but the system's, a test controls the time and may stop it
 * @example
 * await keepingAlive(Promise.resolve(5)) // => 5
 */
export async function keepingAlive<T>(work: Promise<T>, clock: Clock = systemClock): Promise<T> {
  if (clock !== systemClock) return await work
  const timer = setInterval(() => {}, LONGEST_MS)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}
