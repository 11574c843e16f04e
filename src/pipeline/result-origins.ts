// Origins of events made of many records: a number for each, and a text that is made only on request.

import type { Batch, Origins } from '../connect/batch.ts'
import type { Origin } from '../connect/origin.ts'
import { textOf } from '../flow/dead-letter.ts'

/** Origins for a batch of events without a record: numbers from `first` on. */
export function resultOrigins(batch: Batch, first: number): Origins {
  return { at: (index) => new ResultOrigin(first + index, batch.at(index)) }
}

/** The origin of an event made of many records: its text is made only on request. */
class ResultOrigin implements Origin {
  readonly source = ''
  readonly line = 0
  readonly offset: number
  readonly #value: unknown

  constructor(offset: number, value: unknown) {
    this.offset = offset
    this.#value = value
  }

  get raw(): string {
    return textOf(this.#value)
  }
}
