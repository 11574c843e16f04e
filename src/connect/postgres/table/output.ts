// A growing buffer: rows in PostgreSQL's binary COPY format.

/** The header of every binary COPY: a signature, no flags, no extension. */
const HEADER = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex')
/** The trailer: a row of −1 columns. */
const TRAILER = Buffer.from('ffff', 'hex')

/** For a leading column: its length, and a four-byte number. */
const NUMBER_BYTES = 8

/** Kept from chunk to chunk; what a single large row needed beyond it is released. */
const KEPT_BYTES = 1024 * 1024

/** Rows one after the other, following a header. Writers request room first. */
export class Output {
  bytes: Buffer = Buffer.allocUnsafe(KEPT_BYTES)
  /** Where the next byte goes. */
  at = 0

  constructor() {
    this.clear()
  }

  /** Forgets all rows. */
  clear(): void {
    if (this.bytes.length > KEPT_BYTES * 4) this.bytes = Buffer.allocUnsafe(KEPT_BYTES)
    this.at = HEADER.copy(this.bytes)
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.at + count
    if (needed <= this.bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2))
    this.bytes.copy(grown, 0, 0, this.at)
    this.bytes = grown
  }

  /** The bytes of a COPY of the rows between `from` and `to`. Valid until the next row. */
  copyOf(from: number, to: number): Uint8Array {
    const { at } = this
    if (from > HEADER.length || to < at) return Buffer.concat([HEADER, this.bytes.subarray(from, to), TRAILER])
    this.reserve(TRAILER.length)
    TRAILER.copy(this.bytes, at)
    return this.bytes.subarray(0, at + TRAILER.length)
  }

  /**
   * The same, each row preceded by its number among those from `first` on: `starts` are where rows begin, and where the
   * last one ends.
   */
  numberedCopyOf(starts: readonly number[], first: number, last: number): Uint8Array {
    const numbered = new Output()
    for (let row = first; row < last; row += 1) {
      const [from, to] = [starts[row] as number, starts[row + 1] as number]
      numbered.reserve(to - from + NUMBER_BYTES)
      numbered.int16(this.bytes.readInt16BE(from) + 1)
      numbered.int32(NUMBER_BYTES - 4)
      numbered.int32(row - first)
      numbered.at += this.bytes.copy(numbered.bytes, numbered.at, from + 2, to)
    }
    return numbered.copyOf(HEADER.length, numbered.at)
  }

  int16(value: number): void {
    const { bytes, at } = this
    bytes[at] = value >> 8
    bytes[at + 1] = value
    this.at = at + 2
  }

  int32(value: number): void {
    const { bytes, at } = this
    bytes[at] = value >> 24
    bytes[at + 1] = value >> 16
    bytes[at + 2] = value >> 8
    bytes[at + 3] = value
    this.at = at + 4
  }

  /** An exact integer. */
  int64(value: number): void {
    const high = Math.floor(value / 0x1_0000_0000)
    this.int32(high)
    this.int32(value - high * 0x1_0000_0000)
  }
}
