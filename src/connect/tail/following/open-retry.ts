// What passes by itself when a file cannot be opened just now, and what does not.

import { errnoOf, isSluiceError } from '../../../base/errors.ts'
import { cannotRead, quotePath } from '../../kits/files/errors.ts'

/** It was renamed or removed since it was seen: the next look tells. */
const MOVED = ['ENOENT', 'ENOTDIR', 'ESTALE']
/** No descriptor is free: others are being closed. */
const NO_DESCRIPTOR = ['EMFILE', 'ENFILE']
/** What creates a log sometimes hands it over a moment later. */
const NOT_ALLOWED = ['EACCES', 'EPERM']

/** Bears with files that cannot be opened, for as long as that may pass. */
export class OpenRetry {
  readonly #graceMs: number
  readonly #onNote: (note: string) => void
  /** Since when a file is not allowed to be read. */
  readonly #refusedMs = new Map<string, number>()
  /** Whether descriptors are short, and it was noted. */
  #isShort = false

  constructor(graceMs: number, onNote: (note: string) => void) {
    this.#graceMs = graceMs
    this.#onNote = onNote
  }

  /** Says that a file was opened. */
  succeeded(path: string): void {
    this.#isShort = false
    if (this.#refusedMs.size > 0) this.#refusedMs.delete(path)
  }

  /**
   * Bears with a failure; returns if it is to be tried again at the next look.
   *
   * @throws {SluiceError} SOURCE_UNREADABLE if it is none that passes, or has not passed within the grace time
   */
  bear(path: string, thrown: unknown, nowMs: number): void {
    const errno = isSluiceError(thrown, 'SOURCE_UNREADABLE') ? thrown.details.errno : errnoOf(thrown)
    if (MOVED.includes(errno) || isSluiceError(thrown, 'SOURCE_MISSING')) return
    if (NO_DESCRIPTOR.includes(errno)) return this.#noteShortage(errno)
    if (NOT_ALLOWED.includes(errno)) {
      const sinceMs = this.#refusedMs.get(path) ?? nowMs
      this.#refusedMs.set(path, sinceMs)
      if (nowMs - sinceMs < this.#graceMs) return
    }
    throw thrown instanceof Error && 'syscall' in thrown ? cannotRead(path, 0, thrown) : thrown
  }

  #noteShortage(errno: string): void {
    if (this.#isShort) return
    this.#isShort = true
    this.#onNote(`waiting for a file descriptor (${errno})`)
  }
}

/** A note on a file, in one line. */
export function noteOn(path: string, words: string): string {
  return `${quotePath(path)} ${words}`
}
