// How fast something progresses, smoothed, and how long it will take. Time is a parameter.

/** How quickly earlier speed is forgotten, in clock milliseconds. */
const HALF_LIFE_MS = 3000

/**
 * The rate of a counter that only goes up.
 *
 * @example
 * const rate = new Rate()
 * rate.update(0, 0)
 * rate.update(500, 1000)
 * rate.perSecond // => 500
 */
export class Rate {
  /** The last count and when it was. */
  #count = 0
  #atMs: number | undefined
  #perMs: number | undefined

  update(count: number, nowMs: number): void {
    const passedMs = nowMs - (this.#atMs ?? nowMs)
    if (this.#atMs !== undefined && passedMs <= 0) return
    if (passedMs > 0) {
      const perMs = (count - this.#count) / passedMs
      const weight = this.#perMs === undefined ? 1 : 1 - 0.5 ** (passedMs / HALF_LIFE_MS)
      this.#perMs = (this.#perMs ?? 0) * (1 - weight) + perMs * weight
    }
    this.#count = count
    this.#atMs = nowMs
  }

  /** 0 until two counts were seen. */
  get perSecond(): number {
    return (this.#perMs ?? 0) * 1000
  }

  /** How long `left` more will take at this rate, in clock milliseconds; undefined if unknown. */
  etaMs(left: number): number | undefined {
    return this.#perMs === undefined || this.#perMs <= 0 ? undefined : left / this.#perMs
  }
}
