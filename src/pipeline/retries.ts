// When a failed run restarts from its last commit, and when it has failed for good.

import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { isSluiceError, messageOf, SluiceError } from '../base/errors.ts'

export interface RetriesOptions {
  /** How long to retry a lost sink without a commit in between, in clock milliseconds. */
  readonly retryMs: number
  /** How often a crashed worker is replaced without a commit in between. */
  readonly maxRestarts: number
  readonly clock: Clock
  readonly signal: AbortSignal | undefined
  readonly onRetry: (retry: Retry) => void
}

/** Called before each wait. */
export interface Retry {
  readonly error: unknown
  readonly attempt: number
  readonly waitMs: number
}

/** At most one attempt per second: more do not help a database that is starting up. */
const BACKOFF: Backoff = { firstMs: 2000, capMs: 30_000 }
const RESTART_BACKOFF: Backoff = { firstMs: 200, capMs: 5000 }

/** Counts failures since the last commit. */
export class Retries {
  readonly #options: RetriesOptions
  #losses = 0
  #restarts = 0
  /** When the sink was first lost. */
  #lostMs = 0

  constructor(options: RetriesOptions) {
    this.#options = options
  }

  /** Something was committed: earlier failures no longer count. */
  succeeded(): void {
    this.#losses = 0
    this.#restarts = 0
  }

  /**
   * Waits for the next attempt, and returns if there is to be one.
   *
   * @param mayBePoison - whether one record may be the cause: there is a better way to retry then
   * @param stop - ends the wait without another attempt
   * @throws the error, or what it amounts to after too many attempts
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
  const message = `Cannot reach ${sink}: ${tries} within ${Math.round(retryMs / 1000)} s, the last failed with: ${reason}`
  return new SluiceError('SINK_UNREACHABLE', message, { sink, attempts }, { cause: error })
}

/** The words of a retry, for people: `Cannot write to ...; trying again in 2 s`. */
export function retryText({ error, waitMs }: Retry): string {
  return `${messageOf(error)}; trying again in ${(waitMs / 1000).toFixed(1)} s, from the last commit`
}
