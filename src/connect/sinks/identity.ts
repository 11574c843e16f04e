// Which event a row is, in the row itself: for readers of sinks that may give it twice.

import type { Origin, Traced } from '../origin.ts'

/** Place of the record that a row was made from, and which of its rows it is: the same at every replay. */
export interface RowIdentity {
  readonly _source: string
  readonly _offset: number
  readonly _part: number
}

/** Counts the rows that were made of one record. */
export class Identities {
  /** The record that the last row was made from. */
  #last: Origin | undefined
  /** How many rows were made from it before the last. */
  #part = 0

  of({ source, offset }: Origin): RowIdentity {
    const isSame = this.#last !== undefined && this.#last.offset === offset && this.#last.source === source
    this.#part = isSame ? this.#part + 1 : 0
    this.#last = { source, offset, line: 0, raw: '' }
    return { _source: source, _offset: offset, _part: this.#part }
  }
}

/** A row with its identity in front: in the row if it is an object, else beside it, as `value`. */
export function identified({ value }: Traced<unknown>, identity: RowIdentity): object {
  const isRow = typeof value === 'object' && value !== null && !Array.isArray(value) && !('toJSON' in value)
  return isRow ? { ...identity, ...value } : { ...identity, value }
}
