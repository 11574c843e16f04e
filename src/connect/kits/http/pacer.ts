// When the next request may go out to a server that is in trouble: all requests to it together, not each by itself.

import type { Clock } from '../../../base/clock.ts'

/** A server that does not answer is asked so often, and not more. */
const TROUBLE_MS = 1000

/**
 * Lets requests pass while all is well. Before the first has come through, and once one has failed, they go out one by
 * one, a second apart, until one comes through; what the server said of when to come back holds for all of them.
 */
export class Pacer {
  readonly #clock: Clock
  /** Whether the last answer was a failure, or there was none yet. */
  #isFailing = true
  /** Nothing goes out before, while there is trouble; in clock milliseconds. */
  #notBeforeMs = 0
  /** What wakes those who wait, when there is no more reason to. */
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

  /** @param waitMs - how long the server wants to be left alone */
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
