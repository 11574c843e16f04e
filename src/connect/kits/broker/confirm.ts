// The broker's answer to a sink, or an error that says whether a retry may help.

import { type Clock, systemClock } from '../../../base/clock.ts'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import { untilAborted } from '../../../base/promise.ts'

export interface Question {
  /** How much is sent with it. */
  readonly sizeBytes: number
  readonly signal: AbortSignal | undefined
  readonly clock?: Clock
}

/** The time that a broker has for small requests, and the speed it must have for large ones. */
const ANSWER_MS = 30_000
const BYTES_PER_MS = 10

/** How long a broker may take to answer, in clock milliseconds: a slow connection is not a hanging one. */
export function answerMs(sizeBytes: number): number {
  return ANSWER_MS + Math.ceil(sizeBytes / BYTES_PER_MS)
}

/**
 * Awaits a broker's answer; `work` is abandoned once time is up.
 * @throws the signal's reason once it is aborted, or an error if there is no answer in time
 */
export async function answered<T>(work: Promise<T>, { sizeBytes, signal, clock = systemClock }: Question): Promise<T> {
  const limitMs = answerMs(sizeBytes)
  const over = new AbortController()
  const late = clock.sleep(limitMs, over.signal).then(() => {
    throw new Error(`the broker has not answered for ${Math.round(limitMs / 1000)} s`)
  })
  late.catch(() => {}) // It has answered.
  try {
    return await untilAborted(Promise.race([work, late]), signal)
  } finally {
    over.abort()
  }
}

/**
 * The error for a failure between a sink and its broker; one that callers can act on is returned as it is.
 *
 * @param act - continues a message after `Cannot`: `send messages to`
 * @param mayPass - whether a retry may help: the run then returns to its last commit (SINK_LOST)
 */
export function brokerError(
  error: unknown,
  { act, sink, mayPass }: { readonly act: string; readonly sink: string; readonly mayPass: boolean },
): SluiceError {
  if (error instanceof SluiceError) return error
  const reason = messageOf(error)
  const message = `Cannot ${act} ${sink}: ${reason}`
  if (mayPass) return new SluiceError('SINK_LOST', message, { sink, reason }, { cause: error })
  return new SluiceError('SINK_UNREACHABLE', message, { sink, attempts: 1 }, { cause: error })
}
