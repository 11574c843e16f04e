// Limits how often something may start.

/**
 * Lets at most `perSecond` calls start in any second; a rate below one per second spaces them out accordingly.
 *
 * @example
 * let nowMs = 0
 * const pace = new RateLimiter(2, () => nowMs)
 * pace.begin()
 * pace.begin()
 * pace.waitMs() // => 1000
 */
export class RateLimiter {
  readonly #nowMs: () => number
  readonly #spanMs: number
  /** When the last ones started, as a ring. */
  readonly #begun: Float64Array
  #next = 0

  constructor(perSecond: number, nowMs: () => number) {
    const most = Math.min(MOST, Math.max(1, Math.floor(perSecond)))
    this.#nowMs = nowMs
    this.#spanMs = (most / perSecond) * 1000
    this.#begun = new Float64Array(most).fill(Number.NEGATIVE_INFINITY)
  }

  /** How long until the next may start: 0 for at once. */
  waitMs(): number {
    const oldestMs = this.#begun[this.#next] ?? Number.NEGATIVE_INFINITY
    return Math.max(0, oldestMs + this.#spanMs - this.#nowMs())
  }

  begin(): void {
    this.#begun[this.#next] = this.#nowMs()
    this.#next = (this.#next + 1) % this.#begun.length
  }
}

/** Times that are remembered: a higher rate is limited over a shorter span. */
const MOST = 10_000
