// Reads structures in Thrift's compact protocol, as far as Parquet uses it, from untrusted bytes.

import { Damage } from './errors.ts'

const BOOLEAN_TRUE = 1
const BOOLEAN_FALSE = 2
const BYTE = 3
const I16 = 4
const I32 = 5
const I64 = 6
const DOUBLE = 7
const BINARY = 8
const LIST = 9
const SET = 10
const MAP = 11
const STRUCT = 12

/** The deepest nesting of structures and lists: Parquet's own have six levels. */
const MAX_DEPTH = 32

/** A type of a field. */
export type FieldType = number

/**
 * Walks through a structure: `structure` calls back with each field, which is then read by one of the following
 * methods, or skipped. A number is read as its field type says. Nothing is allocated by a size that was read.
 */
export class ThriftReader {
  readonly #bytes: Buffer
  #at: number
  #depth = 0

  constructor(bytes: Buffer, at = 0) {
    this.#bytes = bytes
    this.#at = at
  }

  /** The current offset. */
  get at(): number {
    return this.#at
  }

  /** Reads a structure: `field` reads the value of each field that it knows, and says whether it did. */
  structure(field: (id: number, type: FieldType) => boolean): void {
    this.#enter()
    let id = 0
    for (;;) {
      const head = this.#byte()
      const type = head & 0x0f
      if (type === 0) break
      id = head >> 4 === 0 ? Number(this.#zigzag()) : id + (head >> 4)
      if (!field(id, type)) this.#skip(type)
    }
    this.#depth -= 1
  }

  /** Reads a list: `item` reads each of its items. */
  list(type: FieldType, item: (type: FieldType) => void): void {
    if (type !== LIST && type !== SET) throw new Damage(`expected a list, found a field of type ${type}`)
    this.#enter()
    const head = this.#byte()
    const count = head >> 4 === 15 ? this.#count() : head >> 4
    for (let left = count; left > 0; left -= 1) item(head & 0x0f)
    this.#depth -= 1
  }

  /** An integer that JavaScript holds exactly. */
  integer(type: FieldType): number {
    if (type === BYTE) return (this.#byte() << 24) >> 24
    if (type !== I16 && type !== I32 && type !== I64)
      throw new Damage(`expected a number, found a field of type ${type}`)
    const value = Number(this.#zigzag())
    if (!Number.isSafeInteger(value)) throw new Damage(`the number ${value} is beyond what a file can have`)
    return value
  }

  /** An integer that counts something. */
  count(type: FieldType): number {
    const value = this.integer(type)
    if (value < 0) throw new Damage(`a number is below 0: ${value}`)
    return value
  }

  boolean(type: FieldType): boolean {
    if (type === BOOLEAN_TRUE || type === BOOLEAN_FALSE) return type === BOOLEAN_TRUE
    throw new Damage(`expected true or false, found a field of type ${type}`)
  }

  text(type: FieldType): string {
    if (type !== BINARY) throw new Damage(`expected a text, found a field of type ${type}`)
    const from = this.#pass(this.#count())
    return this.#bytes.toString('utf8', from, this.#at)
  }

  #skip(type: FieldType): void {
    switch (type) {
      case BOOLEAN_TRUE:
      case BOOLEAN_FALSE:
        return
      case BYTE:
        this.#pass(1)
        return
      case I16:
      case I32:
      case I64:
        this.#zigzag()
        return
      case DOUBLE:
        this.#pass(8)
        return
      case BINARY:
        this.#pass(this.#count())
        return
      case LIST:
      case SET:
        return this.list(type, (item) => this.#skipItem(item))
      case MAP:
        return this.#skipMap()
      case STRUCT:
        return this.structure(() => false)
      default:
        throw new Damage(`fields of type ${type} are unknown`)
    }
  }

  /** In a list, booleans take a byte. */
  #skipItem(type: FieldType): void {
    if (type === BOOLEAN_TRUE || type === BOOLEAN_FALSE) this.#pass(1)
    else this.#skip(type)
  }

  #skipMap(): void {
    this.#enter()
    const count = this.#count()
    const types = count === 0 ? 0 : this.#byte()
    for (let left = count; left > 0; left -= 1) {
      this.#skipItem(types >> 4)
      this.#skipItem(types & 0x0f)
    }
    this.#depth -= 1
  }

  #enter(): void {
    this.#depth += 1
    if (this.#depth > MAX_DEPTH) throw new Damage(`structures are nested more than ${MAX_DEPTH} deep`)
  }

  #pass(bytes: number): number {
    const from = this.#at
    if (bytes > this.#bytes.length - from)
      throw new Damage(`expected ${bytes} bytes, found ${this.#bytes.length - from}`)
    this.#at += bytes
    return from
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw new Damage('it ends within a structure')
    this.#at += 1
    return byte
  }

  #count(): number {
    const value = Number(this.#varint())
    if (value > this.#bytes.length - this.#at)
      throw new Damage(`expected ${value} bytes or items, more than there can be`)
    return value
  }

  #zigzag(): bigint {
    const value = this.#varint()
    return (value >> 1n) ^ -(value & 1n)
  }

  #varint(): bigint {
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt(low)
    }
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new Damage('a number has over ten bytes')
  }
}
