// How long slots were in use, all of them together: the busy time of a stage with async calls.

export class Utilization {
  readonly #places: number
  #taken = 0
  #ms = 0
  #atMs = 0

  constructor(places: number) {
    this.#places = Math.max(1, places)
  }

  /** The number of slots in use from now on. */
  set(taken: number, nowMs: number): void {
    this.#ms = this.ms(nowMs)
    this.#atMs = nowMs
    this.#taken = taken
  }

  /** Time with all slots in use counts fully, time with half of them in use counts half, and so on. */
  ms(nowMs: number): number {
    return this.#ms + ((nowMs - this.#atMs) * this.#taken) / this.#places
  }
}
