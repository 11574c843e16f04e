// A call that is retried when it fails, each attempt with a timeout.

import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { SluiceError } from '../base/errors.ts'

/** What one attempt gets. */
export interface Attempt {
  /** Aborted when nobody waits for it any more, and when the attempt times out. */
  readonly signal: AbortSignal
  /** 1 at the first attempt. */
  readonly attempt: number
}

export interface AttemptOptions {
  /** What is called, for the error of a timeout. */
  readonly what: string
  /** Attempts in total: 1 or more. */
  readonly attempts: number
  readonly backoff: Backoff
  /** The timeout of one attempt, in clock milliseconds. */
  readonly timeoutMs: number | undefined
  readonly clock: Clock
  /** Ends everything. */
  readonly signal: AbortSignal
}

/**
 * The result of `call` at the first attempt that succeeds.
 *
 * @throws the error of the last attempt; TIMED_OUT after a timeout; the error of the first one after an abort
 */
export async function withAttempts<T>(
  call: (attempt: Attempt) => PromiseLike<T> | T,
  options: AttemptOptions,
): Promise<Awaited<T>> {
  const { attempts, backoff, clock, signal } = options
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await once(call, attempt, options)
    } catch (error) {
      if (signal.aborted || attempt >= attempts) throw error
      // Ended early only by the signal.
      await clock.sleep(backoffMs(attempt, backoff), signal).catch(() => {})
      if (signal.aborted) throw error
    }
  }
}

async function once<T>(
  call: (attempt: Attempt) => PromiseLike<T> | T,
  attempt: number,
  { what, timeoutMs, clock, signal }: AttemptOptions,
): Promise<Awaited<T>> {
  if (timeoutMs === undefined) return await call({ signal, attempt })
  const late = new AbortController()
  const done = new AbortController()
  const limit = clock.sleep(timeoutMs, done.signal).then(
    () => {
      const message = `${what} ran longer than its ${timeoutMs} ms`
      late.abort(new SluiceError('TIMED_OUT', message, { what, limitMs: timeoutMs }))
      throw late.signal.reason
    },
    () => {}, // The attempt ended first.
  )
  const never = limit.then(() => new Promise<never>(() => {}))
  try {
    return await Promise.race([call({ signal: AbortSignal.any([signal, late.signal]), attempt }), never])
  } finally {
    done.abort()
  }
}
