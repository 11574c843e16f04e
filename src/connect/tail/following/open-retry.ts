// Which failures to open a file are temporary, and which are not.

import { errnoOf, isSluiceError } from '../../../base/errors.ts'
import { cannotRead, quotePath } from '../../kits/files/errors.ts'

/** It was renamed or removed since it was seen: the next scan finds out. */
const MOVED = ['ENOENT', 'ENOTDIR', 'ESTALE']
/** No descriptor is free: others are being closed. */
const NO_DESCRIPTOR = ['EMFILE', 'ENFILE']
/** What creates a log sometimes sets its permissions a moment later. */
const NOT_ALLOWED = ['EACCES', 'EPERM']

/** Tolerates files that cannot be opened, while that may be temporary. */
export class OpenRetry {
  readonly #graceMs: number
  readonly #onNote: (note: string) => void
  /** Since when a file is not readable. */
  readonly #refusedMs = new Map<string, number>()
  /** Whether descriptors are short, and it was noted. */
  #isShort = false

  constructor(graceMs: number, onNote: (note: string) => void) {
    this.#graceMs = graceMs
    this.#onNote = onNote
  }

  /** Called when a file was opened. */
  succeeded(path: string): void {
    this.#isShort = false
    if (this.#refusedMs.size > 0) this.#refusedMs.delete(path)
  }

  /**
   * Tolerates a failure; returns if it should be retried at the next scan.
   *
   * @throws {SluiceError} SOURCE_UNREADABLE if it is not temporary, or has lasted longer than the grace time
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
