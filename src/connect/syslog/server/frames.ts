// Parses messages from a TCP connection, with the framing of RFC 6587: by length, or by line.

/** A message, or the beginning of one that is rejected. */
export interface Frame {
  readonly bytes: Uint8Array
  /** Why it is rejected. */
  readonly fault?: string
}

/** How much is kept of a message that is too long. */
const KEPT_BYTES = 1024
/** Most blocks of one message that are kept before they are joined. */
const MOST_PARTS = 64
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const ZERO = 0x30
const NINE = 0x39
/** The most digits of a length. */
const MOST_DIGITS = 9

/**
 * Cuts the input into messages. Each has its own framing: one that starts with a number and a space has that length,
 * any other ends with its line. Holds one block and the beginning of one message, at most `maxBytes` of it.
 *
 * @example
 * const frames = new Frames(100)
 * frames.push(Buffer.from('8 <1>a\nb c<2>d\n<3>'))
 * String(frames.next()?.bytes) // => '<1>a\nb c'
 * String(frames.next()?.bytes) // => '<2>d'
 * frames.next() // => undefined
 * frames.push(Buffer.from('e'))
 * frames.next() // => undefined
 * String(frames.end({ isClean: true })?.bytes) // => '<3>e'
 */
export class Frames {
  readonly #maxBytes: number
  #block: Uint8Array = Buffer.alloc(0)
  #at = 0
  /** The beginning of the incoming message, and its length including what was not kept. */
  #parts: Uint8Array[] = []
  #keptBytes = 0
  #sizeBytes = 0
  /** Its declared length; undefined if it ends with its line, or while that is unknown. */
  #length: number | undefined
  /** Leading digits that may be its length, while that is unknown. */
  #digits = ''
  #isBegun = false

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** Takes the next block, after `next` returned undefined for the previous one. */
  push(block: Uint8Array): void {
    this.#block = block
    this.#at = 0
  }

  /** The next message; undefined if the block holds no more complete ones. */
  next(): Frame | undefined {
    while (this.#at < this.#block.length) {
      if (!this.#isBegun && !this.#begin()) continue
      const frame = this.#length === undefined ? this.#line() : this.#counted(this.#length)
      if (frame !== undefined) return frame
    }
    return undefined
  }

  /**
   * What is left when the connection has ended.
   *
   * @param isClean - whether it ended regularly: the last line then needs no end
   */
  end({ isClean }: { readonly isClean: boolean }): Frame | undefined {
    if (!this.#isBegun) this.#keep(Buffer.from(this.#digits))
    if (this.#sizeBytes === 0) return undefined
    const length = this.#length
    if (length !== undefined) return this.#frame(`${this.#sizeBytes} of ${length} bytes came`)
    return this.#frame(isClean ? undefined : `the connection broke after ${this.#sizeBytes} bytes`)
  }

  /** A message that came as a whole, in a datagram. */
  whole(bytes: Uint8Array): Frame {
    this.#keep(bytes)
    return this.#frame()
  }

  /** Detects the framing of the message; false while that is undecided. */
  #begin(): boolean {
    const code = this.#block[this.#at] as number
    const isFirst = this.#digits === ''
    if (code >= (isFirst ? ZERO + 1 : ZERO) && code <= NINE && this.#digits.length < MOST_DIGITS) {
      this.#digits += String.fromCharCode(code)
      this.#at += 1
      return false
    }
    this.#isBegun = true
    if (code === SPACE && !isFirst) {
      this.#length = Number(this.#digits)
      this.#at += 1
    } else {
      this.#keep(Buffer.from(this.#digits))
    }
    this.#digits = ''
    return true
  }

  #counted(length: number): Frame | undefined {
    const to = Math.min(this.#block.length, this.#at + length - this.#sizeBytes)
    this.#keep(this.#block.subarray(this.#at, to))
    this.#at = to
    return this.#sizeBytes < length ? undefined : this.#frame()
  }

  #line(): Frame | undefined {
    const found = this.#block.indexOf(LF, this.#at)
    const to = found === -1 ? this.#block.length : found
    this.#keep(this.#block.subarray(this.#at, to))
    this.#at = found === -1 ? to : to + 1
    if (found === -1) return undefined
    const frame = this.#frame()
    // The separator after a message with a length, and empty lines, are skipped.
    return frame.bytes.length === 0 ? undefined : frame
  }

  #keep(part: Uint8Array): void {
    this.#sizeBytes += part.length
    const room = (this.#sizeBytes > this.#maxBytes ? KEPT_BYTES : this.#maxBytes) - this.#keptBytes
    if (part.length === 0 || room <= 0) return
    const kept = part.subarray(0, room)
    this.#parts.push(kept)
    this.#keptBytes += kept.length
    // Data that comes byte by byte would take hundreds of times its size.
    if (this.#parts.length >= MOST_PARTS) this.#parts = [Buffer.concat(this.#parts)]
  }

  #frame(fault?: string): Frame {
    const all = this.#parts.length === 1 ? (this.#parts[0] as Uint8Array) : Buffer.concat(this.#parts)
    const [sizeBytes, isLine] = [this.#sizeBytes, this.#length === undefined]
    this.#parts = []
    this.#keptBytes = 0
    this.#sizeBytes = 0
    this.#length = undefined
    this.#isBegun = false
    this.#digits = ''
    if (sizeBytes > this.#maxBytes) {
      const found = `a message of ${sizeBytes} bytes: at most ${this.#maxBytes} are accepted (maxBytes)`
      return { bytes: all.slice(0, KEPT_BYTES), fault: found }
    }
    if (fault !== undefined) return { bytes: all, fault }
    return { bytes: isLine && all.at(-1) === CR ? all.subarray(0, -1) : all }
  }
}
