// How far the source stages are, by their last reports.

import type { SourceProgress } from './epoch-reports.ts'

export class SourceFigures {
  /** Stage → its last report. */
  readonly #told = new Map<string, SourceProgress>()

  add(told: SourceProgress): void {
    this.#told.set(told.stage, told)
  }

  get read(): number {
    return this.#sum(({ read }) => read)
  }

  get doneBytes(): number {
    return this.#sum(({ doneBytes }) => doneBytes)
  }

  get skippedBytes(): number {
    return this.#sum(({ skippedBytes }) => skippedBytes)
  }

  /** A split being read. */
  get split(): string | undefined {
    return [...this.#told.values()].findLast(({ split }) => split !== undefined)?.split
  }

  /** Records read since the barrier of an epoch; earlier reports no longer count. */
  readSince(epoch: number): number {
    return this.#sum((told) => (told.epoch > epoch ? told.inEpoch : 0))
  }

  /** Whether a stage has something that the barrier of an epoch does not cover. */
  hasMovedSince(epoch: number): boolean {
    return [...this.#told.values()].some((told) => told.hasMoved && told.epoch > epoch)
  }

  /** Whether this many stages are at the end of their splits. */
  areExhausted(stages: number): boolean {
    return this.#told.size === stages && [...this.#told.values()].every(({ isExhausted }) => isExhausted)
  }

  #sum(of: (told: SourceProgress) => number): number {
    let sum = 0
    for (const told of this.#told.values()) sum += of(told)
    return sum
  }
}
