// Small integers, in runs and bit-packed: levels, and dictionary indexes.

import { Damage } from './errors.ts'

/** Decodes Parquet's hybrid of run lengths and bit packing, a few numbers at a time. */
export class RunDecoder {
  readonly #bytes: Buffer
  readonly #end: number
  readonly #width: number
  #at: number
  /** How many are left of the current run. */
  #left = 0
  /** The repeated number; undefined for a packed run. */
  #value: number | undefined
  /** Bits read and not yet returned: `#bits` of them, the lowest first. */
  #rest = 0
  #bits = 0

  constructor(bytes: Buffer, at: number, end: number, width: number) {
    if (width > 32) throw new Damage(`numbers of ${width} bits are too wide`)
    if (end > bytes.length || at > end) throw new Damage('runs of numbers exceed their page')
    this.#bytes = bytes
    this.#at = at
    this.#end = end
    this.#width = width
  }

  /** Reads exactly `count` numbers. */
  read(out: Uint8Array | Uint32Array, count: number): void {
    for (let given = 0; given < count; ) {
      if (this.#left === 0) this.#begin()
      const some = Math.min(this.#left, count - given)
      if (this.#value !== undefined) out.fill(this.#value, given, given + some)
      else for (let at = given; at < given + some; at += 1) out[at] = this.#packed()
      this.#left -= some
      given += some
    }
  }

  #begin(): void {
    let header = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte()
      header += (byte & 0x7f) * scale
      if (byte < 0x80) break
      if (scale > 2 ** 28) throw new Damage('a run of numbers has no length')
    }
    this.#left = header % 2 === 1 ? Math.floor(header / 2) * 8 : header / 2
    this.#rest = 0
    this.#bits = 0
    if (header % 2 === 1) {
      this.#value = this.#width === 0 ? 0 : undefined
      return
    }
    let value = 0
    for (let shift = 0; shift < this.#width; shift += 8) value |= this.#byte() << shift
    this.#value = value >>> 0
  }

  #packed(): number {
    const width = this.#width
    if (width > 24) return this.#packedWide()
    while (this.#bits < width) {
      this.#rest |= this.#byte() << this.#bits
      this.#bits += 8
    }
    const value = this.#rest & ((1 << width) - 1)
    this.#rest >>>= width
    this.#bits -= width
    return value
  }

  #packedWide(): number {
    let value = 0
    for (let bit = 0; bit < this.#width; bit += 1) {
      if (this.#bits === 0) {
        this.#rest = this.#byte()
        this.#bits = 8
      }
      value += (this.#rest & 1) * 2 ** bit
      this.#rest >>>= 1
      this.#bits -= 1
    }
    return value
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new Damage('runs of numbers end before the page does')
    const byte = this.#bytes[this.#at] as number
    this.#at += 1
    return byte
  }
}

/** How many bits numbers up to `most` take. */
export function bitsFor(most: number): number {
  return 32 - Math.clz32(most)
}
