// Elements out of the parts of a stream of bytes: one may end in another part than it began in.

import { ByteReader, EndOfBytes } from '../wire/bytes.ts'
import type { Coder } from '../wire/coders.ts'

export class ElementReader<T> {
  readonly #coder: Coder<T>
  /** The beginning of an element whose end has not come. */
  #rest: Uint8Array | undefined

  constructor(coder: Coder<T>) {
    this.#coder = coder
  }

  /** The elements that end in a part. */
  *read(part: Uint8Array): Generator<T> {
    const bytes = this.#rest === undefined ? part : Buffer.concat([this.#rest, part])
    this.#rest = undefined
    const reader = new ByteReader(bytes)
    while (!reader.isAtEnd) {
      const start = reader.at
      let element: T
      try {
        element = this.#coder.read(reader)
      } catch (error) {
        if (!(error instanceof EndOfBytes)) throw error
        this.#rest = bytes.subarray(start)
        return
      }
      yield element
    }
  }

  /** @throws {RangeError} if the last element has not ended */
  end(): void {
    if (this.#rest === undefined) return
    throw new RangeError(`Cannot read elements to their end: ${this.#rest.length} bytes of the last one came, not all`)
  }
}
