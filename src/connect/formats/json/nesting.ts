// Follows JSON byte by byte, as far as it takes to know what is inside of what.

import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from '../../kits/json/bytes.ts'

/**
 * Finds the end of a value whose bytes come in blocks: the comma, or the closing bracket of what the value is in, that
 * is in none of its strings, arrays and objects. Any other bytes will do, JSON or not.
 */
export class Nesting {
  /** What closes the array or object that the value is in. */
  readonly #closer: number
  /** Arrays and objects that are open; which of them is for a parser to check. */
  #depth = 0
  #isString = false
  #isEscaped = false

  /** @param closer - the bracket that closes what the value is in */
  constructor(closer: typeof CLOSE_ARRAY | typeof CLOSE_OBJECT) {
    this.#closer = closer
  }

  /** The index of what stands behind the value; -1 if that is not before the end of these bytes. */
  find(bytes: Buffer, from: number): number {
    const { length } = bytes
    for (let at = from; at < length; at += 1) {
      if (this.#isString) {
        at = this.#passString(bytes, at)
        continue
      }
      const byte = bytes[at]
      if (byte === QUOTE) {
        this.#isString = true
      } else if (byte === OPEN_ARRAY || byte === OPEN_OBJECT) {
        this.#depth += 1
      } else if (byte === CLOSE_ARRAY || byte === CLOSE_OBJECT) {
        if (this.#depth > 0) this.#depth -= 1
        else if (byte === this.#closer) return at
      } else if (byte === COMMA && this.#depth === 0) {
        return at
      }
    }
    return -1
  }

  /** From inside a string to its last quote, or to the last byte. */
  #passString(bytes: Buffer, from: number): number {
    const { length } = bytes
    let at = from
    if (this.#isEscaped) {
      this.#isEscaped = false
      at += 1
    }
    for (; at < length; at += 1) {
      const byte = bytes[at]
      if (byte === QUOTE) {
        this.#isString = false
        return at
      }
      if (byte === BACKSLASH) {
        at += 1
        if (at === length) this.#isEscaped = true
      }
    }
    return length
  }
}
