// Numbers of dead letters that one record left in one step: with them each letter has a key of its own.

import type { DeadLetter } from './origin.ts'

/** Letters come in the order in which their records were read: those of one record follow each other. */
export class LetterParts {
  #last: DeadLetter | undefined
  /** How many letters of its record and step came before the last one. */
  #part = 0

  /** The number of a letter among those of its record and step. */
  next(letter: DeadLetter): number {
    const last = this.#last
    const isSame =
      last !== undefined &&
      last.origin.offset === letter.origin.offset &&
      last.origin.source === letter.origin.source &&
      last.step === letter.step
    this.#part = isSame ? this.#part + 1 : 0
    this.#last = letter
    return this.#part
  }
}
