// The bytes last pushed to a cutter, while their memory is theirs, and what must be kept of them.

import { lastBytes } from '../records/open-line.ts'

const NOTHING: Buffer = Buffer.alloc(0)

/** Bytes that become text, except for the first ones of an incomplete character. */
export class PushedBytes {
  /** What was pushed last, after the rest of what came before it. */
  #bytes: Buffer = NOTHING
  /** The offset of its first byte. */
  #origin: number
  /** How much of it has become text. */
  #used = 0
  /** The bytes before it, and those before a place in it once its memory is reused. */
  #before: Buffer
  #passed: Buffer

  constructor(origin: number, before: Buffer = NOTHING) {
    this.#origin = origin
    this.#before = before
    this.#passed = before
  }

  /** The offset after those that have become text. */
  get usedTo(): number {
    return this.#origin + this.#used
  }

  /** What has not become text yet. */
  get left(): Buffer {
    return this.#bytes.subarray(this.#used)
  }

  /** Takes the next bytes, once the previous ones are kept. */
  push(block: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? block : Buffer.concat([this.#bytes, block])
  }

  use(bytes: number): void {
    this.#used += bytes
  }

  /** The bytes before a place. */
  lastBefore(offset: number): Buffer {
    const length = offset - this.#origin
    return length < 0 ? this.#passed : lastBytes(this.#before, this.#bytes.subarray(0, length))
  }

  /** Copies what is needed later: the memory of the pushed bytes may be reused from now on. */
  keep(offset: number): void {
    if (this.#used === 0) {
      this.#bytes = Buffer.from(this.#bytes)
      return
    }
    this.#passed = this.lastBefore(offset)
    this.#before = lastBytes(this.#before, this.#bytes.subarray(0, this.#used))
    this.#origin += this.#used
    this.#bytes = Buffer.from(this.left)
    this.#used = 0
  }
}
