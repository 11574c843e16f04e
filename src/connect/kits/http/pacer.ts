// When the next request may go to a server in trouble: limits all requests to it together, not each by itself.

import type { Clock } from '../../../base/clock.ts'

/** A server that does not answer gets one request per this interval. */
const TROUBLE_MS = 1000

/**
 * Lets requests pass while all is well. Until the first has succeeded, and once one has failed, they go out one by one,
 * a second apart, until one succeeds; the server's `Retry-After` holds for all of them.
 */
export class Pacer {
  readonly #clock: Clock
  /** Whether the last answer was a failure, or there was no answer yet. */
  #isFailing = true
  /** The earliest time for a request, while there is trouble; in clock milliseconds. */
  #notBeforeMs = 0
  /** Wakes the waiting requests, when the trouble is over. */
  #relief = new AbortController()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Waits for a turn; rejects with the reason of `signal`. */
  async turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted()
    for (;;) {
      const nowMs = this.#clock.nowMs()
      if (!this.#isFailing || nowMs >= this.#notBeforeMs) {
        if (this.#isFailing) this.#notBeforeMs = nowMs + TROUBLE_MS
        return
      }
      await this.#sleep(this.#notBeforeMs - nowMs, signal)
    }
  }

  succeeded(): void {
    if (!this.#isFailing) return
    this.#isFailing = false
    this.#relief.abort()
    this.#relief = new AbortController()
  }

  /**
   * @param waitMs - how long the server asks to be left alone
   */
  failed(waitMs = 0): void {
    this.#isFailing = true
    this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#clock.nowMs() + Math.max(TROUBLE_MS, waitMs))
  }

  async #sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const relief = this.#relief.signal
    try {
      await this.#clock.sleep(ms, signal === undefined ? relief : AbortSignal.any([relief, signal]))
    } catch (error) {
      signal?.throwIfAborted()
      if (!relief.aborted) throw error
    }
  }
}
