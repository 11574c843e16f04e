// Keeps the process alive while something is under way, whatever that waits for.

/** The longest that a timer of Node's waits, in clock milliseconds. */
const LONGEST_MS = 0x7fffffff

/**
 * Keeps this process alive until `work` has settled. Node ends a process once nothing is left that could wake it, also
 * in the middle of a wait: for a person who resumes a run, or for a socket or timer that holds nothing.
 *
 * @example
 * await keepingAlive(Promise.resolve(5)) // => 5
 */
export async function keepingAlive<T>(work: Promise<T>): Promise<T> {
  const timer = setInterval(() => {}, LONGEST_MS)
  try {
    return await work
  } finally {
    clearInterval(timer)
  }
}
