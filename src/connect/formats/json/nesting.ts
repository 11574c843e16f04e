// Tracks the nesting of JSON, byte by byte.

import { BACKSLASH, CLOSE_ARRAY, CLOSE_OBJECT, COMMA, OPEN_ARRAY, OPEN_OBJECT, QUOTE } from '../../kits/json/bytes.ts'

/**
 * Finds the end of a value whose bytes come in blocks: the comma, or the closing bracket of the enclosing value,
 * outside of its strings, arrays and objects. The bytes need not be valid JSON.
 */
export class Nesting {
  /** The bracket that closes the enclosing array or object. */
  readonly #closer: number
  /** Open arrays and objects; whether brackets match is for a parser to check. */
  #depth = 0
  #isString = false
  #isEscaped = false

  /**
   * @param closer - the bracket that closes the enclosing value
   */
  constructor(closer: typeof CLOSE_ARRAY | typeof CLOSE_OBJECT) {
    this.#closer = closer
  }

  /** The index after the value; -1 if it does not end in these bytes. */
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

  /** From inside a string to its closing quote, or to the last byte. */
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
