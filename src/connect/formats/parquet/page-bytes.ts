// The bytes of one page, decompressed: all at once, or as far as they are asked for.

import type { Pieces } from './codecs.ts'
import { Damage, OverLimit } from './errors.ts'

/** What is held of a page in pieces at most: no value is larger. */
const MAX_NEEDED = 32 * 1024 * 1024

/** Room for a piece and what was left of the one before. */
const FIRST_ROOM = 72 * 1024

/** What is decompressed and not taken stands from `at` on in `bytes`. */
export class PageBytes {
  bytes: Buffer
  at = 0
  readonly #pieces: Pieces | undefined
  /** What pieces are gathered in: `bytes` is its beginning. */
  #room: Buffer = Buffer.alloc(0)
  /** How many bytes are to come beyond those that are there. */
  #left: number

  private constructor(bytes: Buffer, pieces: Pieces | undefined, left: number) {
    this.bytes = bytes
    this.#pieces = pieces
    this.#left = left
  }

  static whole(bytes: Buffer): PageBytes {
    return new PageBytes(bytes, undefined, 0)
  }

  /** @param first - what comes before the pieces */
  static inPieces(pieces: Pieces, sizeBytes: number): PageBytes {
    return new PageBytes(Buffer.alloc(0), pieces, sizeBytes)
  }

  /** How many bytes are there. */
  get there(): number {
    return this.bytes.length - this.at
  }

  /** How many bytes there are in all, those that are to come included. */
  get length(): number {
    return this.there + this.#left
  }

  /** Gets the next piece; false at the end of the page. */
  async more(): Promise<boolean> {
    if (this.#left === 0) return false
    await this.need(this.there + 1)
    return true
  }

  /** Waits until so many bytes are there. */
  async need(bytes: number): Promise<void> {
    if (bytes > this.length) throw new Damage(`${bytes} bytes were to come in a page, there are ${this.length}`)
    if (bytes > MAX_NEEDED) throw new OverLimit(`a value of ${bytes} bytes is over ${MAX_NEEDED}`, bytes)
    while (this.there < bytes) {
      const { done, value } = await (this.#pieces as Pieces).next()
      if (done === true) throw new Damage(`a page ends ${this.#left} bytes before it should`)
      if (value.length > this.#left) throw new Damage('a page is larger than it is said to be')
      this.#left -= value.length
      this.#append(value, bytes)
    }
  }

  /** A piece is a view of what the next one is written into: it is copied after what was not taken. */
  #append(piece: Buffer, needed: number): void {
    const { there } = this
    const length = there + piece.length
    if (this.#room.length < length) {
      const room = Buffer.allocUnsafeSlow(Math.max(length, needed, FIRST_ROOM))
      this.bytes.copy(room, 0, this.at)
      this.#room = room
    } else {
      this.#room.copyWithin(0, this.at, this.bytes.length)
    }
    piece.copy(this.#room, there)
    this.bytes = this.#room.subarray(0, length)
    this.at = 0
  }

  /** Takes bytes that are there. */
  take(bytes: number): Buffer {
    const taken = this.bytes.subarray(this.at, this.at + bytes)
    this.at += bytes
    return taken
  }

  async close(): Promise<void> {
    await this.#pieces?.return?.()
  }
}
