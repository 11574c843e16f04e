// The keys of many events at once, out of the fields that they are made of.

import { textOfKey } from '../../base/field.ts'
import type { Key } from '../../base/hash.ts'
import { KeyTable } from '../../base/key-table.ts'
import { PairTable } from '../../base/pair-table.ts'
import type { ColumnBatch } from '../../connect/column-batch.ts'
import type { Vector } from '../../connect/vector.ts'

/** The key of an aggregation without keys. */
export const NO_KEY = ''

/** Integers from 0 up to this have a place of their own. */
const SMALL = 4096

/** Numbers of keys in a table, for the keys of events that are made of one field, or of several. */
export class KeyColumns {
  readonly #names: readonly string[]
  readonly #table: KeyTable
  /** Of one field: a single part, whose values are the keys. */
  readonly #parts: readonly KeyPart[]
  readonly #pairs: readonly PairTable[]
  /** Number of a combination → number of its key. */
  #numbers: number[] = []

  constructor(names: readonly string[], table: KeyTable) {
    this.#names = names
    this.#table = table
    this.#parts = names.map(() => new KeyPart(names.length === 1 ? table : new KeyTable()))
    this.#pairs = names.slice(1).map(() => new PairTable())
  }

  /** For each event the number of its key, until the next call; undefined if a field is not there, or cannot be read this way. */
  numbersOf(batch: ColumnBatch<unknown>): Int32Array | undefined {
    if (this.#names.length === 0) return new Int32Array(batch.length).fill(this.#table.find(NO_KEY))
    const codes: Int32Array[] = []
    for (const [at, name] of this.#names.entries()) {
      const vector = batch.field(name)?.vector()
      const own = vector && this.#parts[at]?.codesOf(vector)
      if (own === undefined) return undefined
      codes.push(own)
    }
    const [first, ...others] = codes
    if (first === undefined || others.length === 0) return first
    const combined = first.slice()
    for (const [at, right] of others.entries()) {
      const pairs = this.#pairs[at] as PairTable
      for (let i = 0; i < combined.length; i += 1) combined[i] = pairs.find(combined[i] as number, right[i] as number)
    }
    return this.#keysOf(combined, codes)
  }

  /** Forgets all: the table was cleared. */
  clear(): void {
    for (const part of this.#parts) part.clear()
    for (const pairs of this.#pairs) pairs.clear()
    this.#numbers = []
  }

  #keysOf(combined: Int32Array, codes: readonly Int32Array[]): Int32Array {
    const numbers = this.#numbers
    for (let i = 0; i < combined.length; i += 1) {
      const one = combined[i] as number
      if (one === numbers.length) {
        let text = ''
        for (const [at, part] of this.#parts.entries()) text += textOfKey(part.valueOf(codes[at]?.[i] as number))
        numbers.push(this.#table.find(text))
      }
      combined[i] = numbers[one] as number
    }
    return combined
  }
}

/** Codes of the values of one field: numbers in a table. */
class KeyPart {
  readonly #table: KeyTable
  /** Symbol → code + 1, for the texts that came last. */
  #bySymbol = new Int32Array(256)
  #texts: readonly string[] | undefined
  /** Used again for each batch. */
  #room = new Int32Array(0)
  /** Small integer → code + 1. */
  #small: Int32Array | undefined

  constructor(table: KeyTable) {
    this.#table = table
  }

  valueOf(code: number): Key {
    return this.#table.keys[code] as Key
  }

  clear(): void {
    this.#table.clear()
    this.#texts = undefined
    this.#small = undefined
  }

  /** The codes of values, until the next call; undefined where one cannot be a key, as null. */
  codesOf(vector: Vector): Int32Array | undefined {
    switch (vector.kind) {
      case 'symbols':
        return vector.symbols.includes(-1) ? undefined : this.#ofSymbols(vector.symbols, vector.texts)
      case 'numbers':
        return vector.nulls?.includes(1) ? undefined : this.#ofNumbers(vector.values)
      case 'values':
        return this.#ofTexts(vector.values)
    }
  }

  #roomFor(count: number): Int32Array {
    if (this.#room.length < count) this.#room = new Int32Array(count)
    return this.#room.subarray(0, count)
  }

  #ofSymbols(symbols: Int32Array, texts: readonly string[]): Int32Array {
    if (this.#texts !== texts) this.#bySymbol.fill(0)
    this.#texts = texts
    if (this.#bySymbol.length < texts.length) {
      const more = new Int32Array(2 * texts.length)
      more.set(this.#bySymbol)
      this.#bySymbol = more
    }
    const bySymbol = this.#bySymbol
    const codes = this.#roomFor(symbols.length)
    for (let i = 0; i < symbols.length; i += 1) {
      const symbol = symbols[i] as number
      let code = (bySymbol[symbol] as number) - 1
      if (code < 0) {
        code = this.#table.find(texts[symbol] as string)
        bySymbol[symbol] = code + 1
      }
      codes[i] = code
    }
    return codes
  }

  #ofNumbers(values: Float64Array): Int32Array {
    this.#small ??= new Int32Array(SMALL)
    const small = this.#small
    const codes = this.#roomFor(values.length)
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i] as number
      if (value >= 0 && value < SMALL && value === Math.trunc(value)) {
        let code = (small[value] as number) - 1
        if (code < 0) {
          code = this.#table.find(value)
          small[value] = code + 1
        }
        codes[i] = code
      } else codes[i] = this.#table.find(value)
    }
    return codes
  }

  #ofTexts(values: readonly unknown[]): Int32Array | undefined {
    if (!values.every((value) => typeof value === 'string')) return undefined
    return Int32Array.from(values as readonly string[], (value) => this.#table.find(value))
  }
}
