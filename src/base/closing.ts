// How long something abandoned may take to end.

import { systemClock } from './clock.ts'

/** In clock milliseconds. */
export const CLOSING_MS = 3000

/**
 * Waits for something that is not ours to close, for at most 3 seconds by default: it must not keep a run from ending.
 *
 * @param givenUp - when that time starts: at once by default
 * @throws the error of `closing`, if it fails within that time
 */
export async function inTime(closing: Promise<unknown>, givenUp?: AbortSignal, limitMs?: number): Promise<void> {
  const over = new AbortController()
  try {
    await Promise.race([closing, tooLong(givenUp, over.signal, limitMs)])
  } finally {
    over.abort()
  }
}

/** Uses something that was opened, and closes it if that fails. */
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
 * Resolves or rejects as `work` does. Once `signal` is aborted, `work` has 3 seconds to end: after that the signal's
 * reason is thrown, and what `work` still does is ignored.
 */
export async function orGivenUp<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return await work
  const over = new AbortController()
  const late = tooLong(signal, over.signal).then(() => {
    throw signal.reason
  })
  late.catch(() => {}) // Handled below, if it comes first.
  try {
    return await Promise.race([work, late])
  } finally {
    over.abort()
  }
}

/** Resolves this long after `givenUp`, unless `over` comes first. */
async function tooLong(givenUp: AbortSignal | undefined, over: AbortSignal, limitMs = CLOSING_MS): Promise<void> {
  const never = new Promise<never>(() => {})
  if (givenUp?.aborted === false) {
    await new Promise<void>((resolve) => {
      givenUp.addEventListener('abort', () => resolve(), { once: true, signal: over })
    })
  }
  // Ended early by `over`: nobody is waiting any more.
  await systemClock.sleep(limitMs, over).catch(() => never)
}
