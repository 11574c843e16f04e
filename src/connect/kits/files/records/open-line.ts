// A line whose end has not come yet, in bounded memory.

import { StringDecoder } from 'node:string_decoder'
import { escapeBytes } from './raw.ts'

const LF = 0x0a
const CR = 0x0d
const NOTHING: Buffer = Buffer.alloc(0)

/** How much of a line that is too long is kept, in bytes. */
export const KEPT_BYTES = 1024

/**
 * Gathers the bytes of one line over blocks, including its LF.
 *
 * Up to a limit it keeps them all; beyond it, the first {@link KEPT_BYTES} and the count.
 */
export class OpenLine {
  /** The most bytes kept, plus the line end. */
  readonly #maxBytes: number
  /** The bytes added, at its beginning, while the line is within its limit; grows by doubling. */
  #buffer: Buffer = NOTHING
  /** The first bytes of a line over its limit. */
  #kept: Buffer | undefined
  /** The last bytes of a line over its limit, at most {@link LAST_BYTES}. */
  #last: Buffer = NOTHING
  /** How many bytes were added. */
  #length = 0

  /**
   * @param maxBytes - the most bytes of a line, without its line end
   */
  constructor(maxBytes: number) {
    // What is kept of a line over its limit must be the same however the bytes are split.
    this.#maxBytes = Math.max(maxBytes, KEPT_BYTES)
  }

  get length(): number {
    return this.#length
  }

  /** The length of the line without its line end: LF, or CR LF. */
  get textBytes(): number {
    const last = this.last
    if (last.at(-1) !== LF) return this.#length
    return this.#length - (last.at(-2) === CR ? 2 : 1)
  }

  /** The last bytes, {@link LAST_BYTES} or as many as there are. */
  get last(): Buffer {
    return this.#kept === undefined ? lastBytes(NOTHING, this.bytes()) : this.#last
  }

  /** Copies bytes; an LF may only be the last of all. */
  add(bytes: Buffer): void {
    const before = this.#length
    this.#length += bytes.length
    if (this.#kept !== undefined) {
      this.#last = lastBytes(this.#last, bytes)
    } else if (this.#length > this.#maxBytes + 2) {
      // The line end does not count: two bytes over the limit may turn out to be CR LF.
      this.#shorten(this.#buffer.subarray(0, before), bytes)
    } else {
      if (this.#length > this.#buffer.length) this.#grow(before)
      bytes.copy(this.#buffer, before)
    }
  }

  /** All bytes added or, for a line over its limit, the first of them. A view. */
  bytes(): Buffer {
    return this.#kept ?? this.#buffer.subarray(0, this.#length)
  }

  #grow(used: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#length, 2 * this.#buffer.length))
    this.#buffer.copy(grown, 0, 0, used)
    this.#buffer = grown
  }

  #shorten(before: Buffer, bytes: Buffer): void {
    this.#kept = Buffer.concat([before.subarray(0, KEPT_BYTES), bytes.subarray(0, KEPT_BYTES)]).subarray(0, KEPT_BYTES)
    this.#last = lastBytes(lastBytes(NOTHING, before), bytes)
    this.#buffer = NOTHING
  }
}

/** How many bytes before a position are remembered, to recognize the place. */
export const LAST_BYTES = 256

/** The last {@link LAST_BYTES} of two byte sequences together, as a copy. */
export function lastBytes(before: Buffer, bytes: Buffer): Buffer {
  if (bytes.length >= LAST_BYTES) return Buffer.from(bytes.subarray(bytes.length - LAST_BYTES))
  return Buffer.concat([before.subarray(Math.max(0, before.length + bytes.length - LAST_BYTES)), bytes])
}

/** The first bytes of a record as text, without a partial last character, and escaped if they are not all text. */
export function firstText(bytes: Buffer): { readonly text: string; readonly raw?: string } {
  const first = bytes.subarray(0, KEPT_BYTES)
  const text = new StringDecoder('utf8').write(first)
  const again = text.includes('\ufffd') ? Buffer.from(text) : undefined
  const isText = again === undefined || again.equals(first.subarray(0, again.length))
  return isText ? { text } : { text, raw: escapeBytes(first) }
}

/** The length of the byte order mark at the start of a UTF-8 file. */
export function markBytes(bytes: Buffer): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
}
