// When a run that failed is begun again from its last commit, and when it has failed for good.

import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { isSluiceError, messageOf, SluiceError } from '../base/errors.ts'

export interface RetriesOptions {
  /** How long a sink that was lost is tried for, without a commit in between, in clock milliseconds. */
  readonly retryMs: number
  /** How often a worker that ended by itself is replaced, without a commit in between. */
  readonly maxRestarts: number
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  readonly onRetry: (retry: Retry) => void
}

/** Told before each wait. */
export interface Retry {
  readonly error: unknown
  readonly attempt: number
  readonly waitMs: number
}

/** At most one attempt a second: a database that is starting up is not helped by more. */
const BACKOFF: Backoff = { firstMs: 2000, capMs: 30_000 }
const RESTART_BACKOFF: Backoff = { firstMs: 200, capMs: 5000 }

/** Counts what failed since the last commit. */
export class Retries {
  readonly #options: RetriesOptions
  #losses = 0
  #restarts = 0
  /** When the sink was lost first. */
  #lostMs = 0

  constructor(options: RetriesOptions) {
    this.#options = options
  }

  /** Something was committed: what failed before is over. */
  succeeded(): void {
    this.#losses = 0
    this.#restarts = 0
  }

  /**
   * Waits for its time, and returns if there is to be another attempt.
   *
   * @param mayBePoison - whether one record may be the cause: there is then a better way to try again
   * @param stop - ends the wait, and there is none
   * @throws the error, or what it comes to when it was tried often enough
   */
  async again(error: unknown, mayBePoison: boolean, stop: AbortSignal): Promise<void> {
    const { clock, signal, onRetry } = this.#options
    const waitMs = this.#waitFor(error, mayBePoison)
    if (stop.aborted || signal?.aborted === true) throw error
    onRetry({ error, attempt: this.#losses + this.#restarts, waitMs })
    await clock.sleep(waitMs, signal === undefined ? stop : AbortSignal.any([stop, signal])).catch(() => {
      throw error
    })
  }

  #waitFor(error: unknown, mayBePoison: boolean): number {
    const { retryMs, maxRestarts, clock } = this.#options
    if (isSluiceError(error, 'SINK_LOST')) {
      const nowMs = clock.nowMs()
      if (this.#losses === 0) this.#lostMs = nowMs
      this.#losses += 1
      const waitMs = backoffMs(this.#losses, BACKOFF)
      if (nowMs + waitMs - this.#lostMs > retryMs) throw unreachable(error, this.#losses, retryMs)
      return waitMs
    }
    if (mayBePoison) {
      this.#restarts += 1
      if (this.#restarts <= maxRestarts) return backoffMs(this.#restarts, RESTART_BACKOFF)
    }
    throw error
  }
}

function unreachable(
  error: SluiceError<'SINK_LOST'>,
  attempts: number,
  retryMs: number,
): SluiceError<'SINK_UNREACHABLE'> {
  const { sink, reason } = error.details
  const tries = attempts === 1 ? 'one attempt' : `${attempts} attempts`
  const message = `Cannot reach ${sink}: ${tries} within ${Math.round(retryMs / 1000)} s, the last: ${reason}`
  return new SluiceError('SINK_UNREACHABLE', message, { sink, attempts }, { cause: error })
}

/** The words of a retry, for people: `Cannot write to ...; trying again in 2 s`. */
export function retryText({ error, waitMs }: Retry): string {
  return `${messageOf(error)}; trying again in ${(waitMs / 1000).toFixed(1)} s, from the last commit`
}
