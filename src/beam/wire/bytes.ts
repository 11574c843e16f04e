// Bytes being written and read: the numbers and texts that messages and elements are made of.

import { invariant } from '../../base/invariant.ts'

/** A buffer that grows. */
export class ByteWriter {
  #buffer: Buffer
  #length = 0

  constructor(sizeBytes = 1024) {
    this.#buffer = Buffer.allocUnsafe(sizeBytes)
  }

  /** Bytes written since the last `take`. */
  get length(): number {
    return this.#length
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#length = this.#buffer.writeUInt8(value, this.#length)
  }

  bytes(value: Uint8Array): void {
    this.#reserve(value.length)
    this.#buffer.set(value, this.#length)
    this.#length += value.length
  }

  /** Seven bits a byte, the lowest first; a negative number is written as 64 bits. */
  varint(value: bigint | number): void {
    this.#reserve(10)
    if (typeof value === 'bigint' || value < 0 || value > 0x7fffffff)
      return this.#long(BigInt.asUintN(64, BigInt(value)))
    let left = value
    for (; left > 0x7f; left >>= 7) this.#buffer[this.#length++] = (left & 0x7f) | 0x80
    this.#buffer[this.#length++] = left
  }

  int32(value: number): void {
    this.#reserve(4)
    this.#length = this.#buffer.writeInt32BE(value, this.#length)
  }

  uint64(value: bigint): void {
    this.#reserve(8)
    this.#length = this.#buffer.writeBigUInt64BE(value, this.#length)
  }

  double(value: number): void {
    this.#reserve(8)
    this.#length = this.#buffer.writeDoubleBE(value, this.#length)
  }

  /** A text in UTF-8 after its length. */
  text(value: string): void {
    const bytes = Buffer.byteLength(value)
    this.varint(bytes)
    this.#reserve(bytes)
    this.#length += this.#buffer.write(value, this.#length)
  }

  /** Puts the length of what was written since `start` in front of it. */
  prefix(start: number): void {
    const body = Buffer.from(this.#buffer.subarray(start, this.#length))
    this.#length = start
    this.varint(body.length)
    this.bytes(body)
  }

  /** Everything written, which is the caller's own; the writer is empty afterwards. */
  take(): Buffer {
    const taken = this.#buffer.subarray(0, this.#length)
    this.#buffer = Buffer.allocUnsafe(Math.max(1024, this.#length))
    this.#length = 0
    return taken
  }

  #long(value: bigint): void {
    let left = value
    for (; left > 0x7fn; left >>= 7n) this.#buffer[this.#length++] = Number(left & 0x7fn) | 0x80
    this.#buffer[this.#length++] = Number(left)
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#length + bytes))
    this.#buffer.copy(larger, 0, 0, this.#length)
    this.#buffer = larger
  }
}

/** There are fewer bytes than a value has: the rest of it may still come. */
export class EndOfBytes extends RangeError {}

/** Reads what a {@link ByteWriter} of any language wrote. Reading past the end is an error. */
export class ByteReader {
  readonly #buffer: Buffer
  #at = 0
  #end: number

  constructor(bytes: Uint8Array) {
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#end = bytes.byteLength
  }

  get isAtEnd(): boolean {
    return this.#at === this.#end
  }

  /** How many bytes have been read. */
  get at(): number {
    return this.#at
  }

  /** A copy of what was read since then. */
  since(at: number): Uint8Array {
    return Uint8Array.from(this.#buffer.subarray(at, this.#at))
  }

  byte(): number {
    return this.#buffer.readUInt8(this.#forward(1))
  }

  /** A view, not a copy. */
  bytes(count: number): Buffer {
    const at = this.#forward(count)
    return this.#buffer.subarray(at, at + count)
  }

  /** As a signed number of 64 bits. */
  varint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
    throw new RangeError('Cannot read an integer: it has more than ten bytes')
  }

  /** A varint that is a number of bytes, or of anything else that is there. */
  length(): number {
    const value = this.varint()
    const left = this.#end - this.#at
    if (value >= 0n && value <= left) return Number(value)
    if (value < 0n) throw new RangeError(`Cannot read ${value} bytes`)
    throw new EndOfBytes(`Cannot read ${value} bytes: there are ${left}`)
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#forward(4))
  }

  uint64(): bigint {
    return this.#buffer.readBigUInt64BE(this.#forward(8))
  }

  double(): number {
    return this.#buffer.readDoubleBE(this.#forward(8))
  }

  text(): string {
    return this.bytes(this.length()).toString('utf8')
  }

  /** Reads so many bytes, all of them and no more. */
  within<T>(count: number, read: () => T): T {
    const outer = this.#end
    this.#end = this.#at + count
    const value = read()
    invariant(this.isAtEnd, `a value of ${count} bytes was not read to its end`)
    this.#end = outer
    return value
  }

  #forward(count: number): number {
    const at = this.#at
    if (at + count > this.#end) throw new EndOfBytes(`Cannot read ${count} bytes: there are ${this.#end - at}`)
    this.#at += count
    return at
  }
}
