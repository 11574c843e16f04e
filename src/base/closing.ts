// How long what is given up may take to end.

import { systemClock } from './clock.ts'

/** In clock milliseconds. */
export const CLOSING_MS = 3000

/**
 * Waits for the closing of something that is not ours, 3 seconds at most unless told otherwise: one that never ends must
 * not keep a run from ending.
 *
 * @param givenUp - when that time begins: at once if there is none
 * @throws what `closing` fails with in that time
 */
export async function inTime(closing: Promise<unknown>, givenUp?: AbortSignal, limitMs?: number): Promise<void> {
  const over = new AbortController()
  try {
    await Promise.race([closing, tooLong(givenUp, over.signal, limitMs)])
  } finally {
    over.abort()
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

/**
 * What `work` gives; its failure. Once `signal` is aborted it has 3 seconds to end: then the signal's reason is thrown, and
 * what it still comes to is not heard.
 */
export async function orGivenUp<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  const over = new AbortController()
  const late = tooLong(signal, over.signal).then(() => {
    throw signal.reason
  })
  late.catch(() => {}) // Heard below, if it comes first.
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}

/** Resolves so long after `givenUp`, unless `over` comes first. */
async function tooLong(givenUp: AbortSignal | undefined, over: AbortSignal, limitMs = CLOSING_MS): Promise<void> {
  const never = new Promise<never>(() => {})
  if (givenUp?.aborted === false) {
    await new Promise<void>((resolve) => {
      givenUp.addEventListener('abort', () => resolve(), { once: true, signal: over })
    })
  }
  // Ended early by `over`: nobody waits any more.
  await systemClock.sleep(limitMs, over).catch(() => never)
}
