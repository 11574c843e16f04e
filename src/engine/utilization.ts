// How long places were taken, all of them together: the time at work of a stage whose calls wait.

export class Utilization {
  readonly #places: number
  #taken = 0
  #ms = 0
  #atMs = 0

  constructor(places: number) {
    this.#places = Math.max(1, places)
  }

  /** So many are taken from now on. */
  set(taken: number, nowMs: number): void {
    this.#ms = this.ms(nowMs)
    this.#atMs = nowMs
    this.#taken = taken
  }

  /** The time for which all places were taken, and that for which half of them were half, and so on. */
  ms(nowMs: number): number {
    return this.#ms + ((nowMs - this.#atMs) * this.#taken) / this.#places
  }
}
