// Dead letters on their way to the sink: they wait for their epoch.

import type { DeadLetter } from '../connect/origin.ts'

/** Above this many characters, reading is held until some are committed. */
const MOST_HELD = 4 * 1024 * 1024
/** What a dead letter takes beside its raw form. */
const OVERHEAD = 200

export interface PendingDeadLettersOptions {
  readonly onFull: () => void
  readonly onRoom: () => void
}

export class PendingDeadLetters {
  readonly #options: PendingDeadLettersOptions
  readonly #held = new Map<number, { readonly letters: DeadLetter[]; size: number }>()
  #size = 0
  /** How many are waiting. */
  count = 0
  #isFull = false

  constructor(options: PendingDeadLettersOptions) {
    this.#options = options
  }

  add(epoch: number, letters: readonly DeadLetter[]): void {
    let held = this.#held.get(epoch)
    if (held === undefined) {
      held = { letters: [], size: 0 }
      this.#held.set(epoch, held)
    }
    this.count += letters.length
    for (const letter of letters) {
      held.letters.push(letter)
      held.size += letter.origin.raw.length + OVERHEAD
      this.#size += letter.origin.raw.length + OVERHEAD
    }
    if (this.#isFull || this.#size < MOST_HELD) return
    this.#isFull = true
    this.#options.onFull()
  }

  /** Removes those of an epoch; they count toward the limit until they are committed. */
  take(epoch: number): readonly DeadLetter[] {
    const letters = this.#held.get(epoch)?.letters.splice(0) ?? []
    this.count -= letters.length
    return letters
  }

  committed(epoch: number): void {
    this.#size -= this.#held.get(epoch)?.size ?? 0
    this.#held.delete(epoch)
    if (!this.#isFull || this.#size >= MOST_HELD) return
    this.#isFull = false
    this.#options.onRoom()
  }
}
