// The bytes of one page, decompressed: all at once, or on demand.

import type { Pieces } from './codecs.ts'
import { Damage, OverLimit } from './errors.ts'

/** The most that is held of a page in pieces: no value is larger. */
const MAX_NEEDED = 32 * 1024 * 1024

/** Room for a piece and the rest of the previous one. */
const FIRST_ROOM = 72 * 1024

/** Decompressed bytes not taken yet are in `bytes` from `at` on. */
export class PageBytes {
  bytes: Buffer
  at = 0
  readonly #pieces: Pieces | undefined
  /** The buffer for pieces: `bytes` is its beginning. */
  #room: Buffer = Buffer.alloc(0)
  /** How many bytes are still to come. */
  #left: number

  private constructor(bytes: Buffer, pieces: Pieces | undefined, left: number) {
    this.bytes = bytes
    this.#pieces = pieces
    this.#left = left
  }

  static whole(bytes: Buffer): PageBytes {
    return new PageBytes(bytes, undefined, 0)
  }

  /**
   * @param first - what precedes the pieces
   */
  static inPieces(pieces: Pieces, sizeBytes: number): PageBytes {
    return new PageBytes(Buffer.alloc(0), pieces, sizeBytes)
  }

  /** How many bytes there are now. */
  get there(): number {
    return this.bytes.length - this.at
  }

  /** How many bytes there are in all, including those still to come. */
  get length(): number {
    return this.there + this.#left
  }

  /** Loads the next piece; false at the end of the page. */
  async more(): Promise<boolean> {
    if (this.#left === 0) return false
    await this.need(this.there + 1)
    return true
  }

  /** Waits until that many bytes are there. */
  async need(bytes: number): Promise<void> {
    if (bytes > this.length) throw new Damage(`${bytes} bytes were expected in a page, there are ${this.length}`)
    if (bytes > MAX_NEEDED) throw new OverLimit(`a value of ${bytes} bytes is over ${MAX_NEEDED}`, bytes)
    while (this.there < bytes) {
      const { done, value } = await (this.#pieces as Pieces).next()
      if (done === true) throw new Damage(`a page ends ${this.#left} bytes too early`)
      if (value.length > this.#left) throw new Damage('a page is larger than it says')
      this.#left -= value.length
      this.#append(value, bytes)
    }
  }

  /** A piece is a view that the next one overwrites: it is copied after what was not taken. */
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
