// What a reader of Parquet may hold in memory, and what it holds.

import { OverLimit } from './errors.ts'

/** Counts the bytes of pages and dictionaries held at the same time. */
export class Budget {
  readonly limit: number
  #held = 0

  constructor(limit: number) {
    this.limit = limit
  }

  /**
   * Reserves bytes, before they are allocated.
   *
   * @throws {OverLimit}
   */
  take(bytes: number, what: string): void {
    const found = this.#held + bytes
    if (found > this.limit) throw new OverLimit(`${what} would make ${found} bytes held, over ${this.limit}`, found)
    this.#held = found
  }

  give(bytes: number): void {
    this.#held -= bytes
  }
}
