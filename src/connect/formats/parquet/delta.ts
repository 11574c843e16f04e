// Numbers as differences from one to the next, and texts encoded with them.

import { Damage } from './errors.ts'
import type { Conversion } from './physical.ts'
import type { ValueDecoder } from './plain.ts'

/** The most numbers in a block: writers take 128 to 1024. */
const MAX_BLOCK = 1 << 20

/** Decodes DELTA_BINARY_PACKED, one number at a time. */
export class DeltaNumbers {
  readonly #bytes: Buffer
  readonly #isWide: boolean
  readonly #perMiniblock: number
  readonly #miniblocks: number
  /** How many numbers there are in all. */
  readonly count: number
  #at: number
  #given = 0
  /** The next number. */
  #value: number | bigint
  #smallest: number | bigint = 0
  /** Where the widths of this block's miniblocks are, and which of them it is in. */
  #widthsAt = 0
  #miniblock: number
  #width = 0
  /** How many numbers of the miniblock it has taken. */
  #taken: number

  /**
   * @param isWide - whether they have 64 bits instead of 32
   */
  constructor(bytes: Buffer, at: number, isWide: boolean) {
    this.#bytes = bytes
    this.#at = at
    this.#isWide = isWide
    const block = this.#varint()
    this.#miniblocks = this.#varint()
    this.count = this.#varint()
    this.#value = this.#zigzag()
    this.#perMiniblock = block / this.#miniblocks
    if (block === 0 || block > MAX_BLOCK || !Number.isInteger(this.#perMiniblock) || this.#perMiniblock % 8 !== 0) {
      throw new Damage(`a block of ${block} numbers in ${this.#miniblocks} parts is invalid`)
    }
    this.#miniblock = this.#miniblocks
    this.#taken = this.#perMiniblock
  }

  /** Where the numbers end; valid once all have been read. */
  get end(): number {
    return this.#taken === this.#perMiniblock ? this.#at : this.#at + (this.#perMiniblock / 8) * this.#width
  }

  next(): number | bigint {
    if (this.#given === this.count) throw new Damage('a page has fewer values than it says')
    if (this.#given > 0) this.#value = this.#sum(this.#value, this.#difference())
    this.#given += 1
    return this.#value
  }

  #difference(): number | bigint {
    if (this.#taken === this.#perMiniblock) this.#beginMiniblock()
    const bits = bitsAt(this.#bytes, this.#at, this.#taken * this.#width, this.#width)
    this.#taken += 1
    if (this.#taken === this.#perMiniblock) this.#at += (this.#perMiniblock / 8) * this.#width
    return this.#sum(this.#smallest, bits)
  }

  #beginMiniblock(): void {
    this.#miniblock += 1
    if (this.#miniblock >= this.#miniblocks) {
      this.#smallest = this.#zigzag()
      this.#widthsAt = this.#at
      this.#at += this.#miniblocks
      this.#miniblock = 0
    }
    this.#width = this.#bytes.readUInt8(this.#widthsAt + this.#miniblock)
    if (this.#width > (this.#isWide ? 64 : 32)) throw new Damage(`differences of ${this.#width} bits are too wide`)
    this.#taken = 0
  }

  #sum(a: number | bigint, b: number | bigint): number | bigint {
    if (typeof a === 'number' && typeof b === 'number') {
      const sum = a + b
      if (!this.#isWide) return sum | 0
      if (Number.isSafeInteger(sum)) return sum
    }
    return narrow(BigInt.asIntN(this.#isWide ? 64 : 32, BigInt(a) + BigInt(b)))
  }

  #varint(): number {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes.readUInt8(this.#at)
      this.#at += 1
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      if (scale > 2 ** 28) throw new Damage('a count has over five bytes')
    }
  }

  #zigzag(): number | bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes.readUInt8(this.#at)
      this.#at += 1
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return narrow((value >> 1n) ^ -(value & 1n))
    }
    throw new Damage('a number has over ten bytes')
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

/** So many bits, counted from the lowest of the byte at `from`. */
function bitsAt(bytes: Buffer, from: number, bit: number, width: number): number | bigint {
  if (width === 0) return 0
  const at = from + (bit >> 3)
  const shift = bit & 7
  const length = (shift + width + 7) >> 3
  if (length <= 6) return Math.floor(bytes.readUIntLE(at, length) / 2 ** shift) % 2 ** width
  let value = 0n
  for (let byte = length - 1; byte >= 0; byte -= 1) value = (value << 8n) | BigInt(bytes.readUInt8(at + byte))
  return narrow(BigInt.asUintN(width, value >> BigInt(shift)))
}

export function deltaNumbers(bytes: Buffer, at: number, isWide: boolean, { ofNumber }: Conversion): ValueDecoder {
  const numbers = new DeltaNumbers(bytes, at, isWide)
  return {
    read(out, count) {
      for (let left = count; left > 0; left -= 1)
        out.push(ofNumber === undefined ? numbers.next() : ofNumber(numbers.next()))
      return count * 8
    },
  }
}

/** Skips the numbers at a place, and returns where they end. */
function endOf(bytes: Buffer, at: number): number {
  const numbers = new DeltaNumbers(bytes, at, false)
  for (let left = numbers.count; left > 0; left -= 1) numbers.next()
  return numbers.end
}

/** DELTA_LENGTH_BYTE_ARRAY: all lengths, then all values. */
export function deltaLengths(bytes: Buffer, at: number, conversion: Conversion): ValueDecoder {
  const lengths = new DeltaNumbers(bytes, at, false)
  let from = endOf(bytes, at)
  return {
    read(out, wanted, enough) {
      const start = from
      for (let left = wanted; left > 0 && from - start <= enough; left -= 1) {
        const to = from + lengthOf(lengths, bytes.length - from)
        out.push(conversion.ofBytes?.(bytes, from, to))
        from = to
      }
      return from - start
    },
  }
}

/** DELTA_BYTE_ARRAY: the length of the prefix shared with the previous value, then the rest of each, with lengths. */
export function deltaTexts(bytes: Buffer, at: number, conversion: Conversion): ValueDecoder {
  const shared = new DeltaNumbers(bytes, at, false)
  const lengthsAt = endOf(bytes, at)
  const lengths = new DeltaNumbers(bytes, lengthsAt, false)
  let from = endOf(bytes, lengthsAt)
  let before: Buffer = Buffer.alloc(0)
  return {
    read(out, wanted, enough) {
      let read = 0
      for (let left = wanted; left > 0 && read <= enough; left -= 1) {
        const common = lengthOf(shared, before.length)
        const to = from + lengthOf(lengths, bytes.length - from)
        before = Buffer.concat([before.subarray(0, common), bytes.subarray(from, to)])
        out.push(conversion.ofBytes?.(before, 0, before.length))
        from = to
        read += before.length
      }
      return read
    },
  }
}

function lengthOf(lengths: DeltaNumbers, most: number): number {
  const length = Number(lengths.next())
  if (length < 0 || length > most) throw new Damage(`a value has a length of ${length}, there are ${most} bytes`)
  return length
}
