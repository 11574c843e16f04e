// The files that were finished last: this keeps them from being read again under another name.

import type { Finished } from './place.ts'

/** How many finished files are remembered, plus two for each name. */
export const REMEMBERED = 32

/** Finished files, oldest first, and the time up to which older ones of each name were forgotten. */
export class FinishedFiles {
  /** Never changed in place: positions share it. */
  #files: readonly Finished[]
  #forgottenMs: Readonly<Record<string, number>>

  constructor(files: readonly Finished[] = [], forgottenMs: Readonly<Record<string, number>> = {}) {
    this.#files = files
    this.#forgottenMs = forgottenMs
  }

  get files(): readonly Finished[] {
    return this.#files
  }

  get forgottenMs(): Readonly<Record<string, number>> {
    return this.#forgottenMs
  }

  ofInode(inode: string): Finished | undefined {
    return this.#files.findLast((one) => one.inode === inode)
  }

  add(file: Finished): void {
    this.#files = [...this.#files, file]
  }

  remove(file: Finished): void {
    this.#files = this.#files.filter((one) => one !== file)
  }

  replace(file: Finished, by: Finished): void {
    this.#files = this.#files.map((one) => (one === file ? by : one))
  }

  /** Whether a rotated file was finished and forgotten, judging by its age. */
  isForgotten(name: string, changedMs: number): boolean {
    return changedMs <= (this.#forgottenMs[name] ?? Number.NEGATIVE_INFINITY)
  }

  /**
   * Forgets the oldest files over a number, except those that `isNeeded` names.
   *
   * @param latestMs - the current time: a file with a future date must not hide all that come until then
   */
  trim(most: number, latestMs: number, isNeeded: (file: Finished) => boolean): void {
    let over = this.#files.length - most
    if (over <= 0) return
    const kept: Finished[] = []
    const forgottenMs = { ...this.#forgottenMs }
    for (const file of this.#files) {
      if (over <= 0 || isNeeded(file)) {
        kept.push(file)
        continue
      }
      over -= 1
      const untilMs = forgottenMs[file.name] ?? Number.NEGATIVE_INFINITY
      forgottenMs[file.name] = Math.max(untilMs, Math.min(file.changedMs, latestMs))
    }
    this.#files = kept
    this.#forgottenMs = forgottenMs
  }
}
