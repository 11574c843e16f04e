// Keeps the process alive while something is under way, whatever that waits for.

import { type Clock, systemClock } from './clock.ts'

/** The longest that a timer of Node's waits, in clock milliseconds. */
const LONGEST_MS = 0x7fffffff

/**
 * Keeps this process alive until `work` has settled. Node ends a process once nothing is left that could wake it, also
 * in the middle of a wait: for a person who resumes a run, or for a socket or timer that holds nothing.
 *
 * @param clock - what `work` waits by: where that is not the machine's, time is somebody's play, who may leave it at that
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
