// The values of one column of a row group, with their levels, a few rows at a time.

import type { Budget } from './budget.ts'
import { type ChunkPages, isDictionaryCoded, type Page } from './chunk-pages.ts'
import type { ColumnValues } from './conversion.ts'
import { deltaLengths, deltaNumbers, deltaTexts } from './delta.ts'
import { type Dictionary, dictionaryDecoder, readDictionary } from './dictionary.ts'
import { Damage, OverLimit } from './errors.ts'
import { type Levels, readLevels } from './levels.ts'
import { type Physical, physicalOf } from './physical.ts'
import { plainDecoder, type ValueDecoder } from './plain.ts'
import { RunDecoder } from './runs.ts'
import type { LeafNode } from './schema.ts'
import { splitDecoder } from './split.ts'

/** The most values and nulls decoded at once. */
const AT_ONCE = 1024
/** The most values of one row in one column. */
const MAX_OF_A_ROW = 4_194_304
/** A decoded dictionary takes so much more memory than its page. */
const DICTIONARY_GROWTH = 3

export interface ColumnReaderOptions {
  readonly leaf: LeafNode
  readonly values: ColumnValues
  readonly pages: ChunkPages
  /** Nulls included. */
  readonly valueCount: number
  readonly budget: Budget
  /** About how many bytes of values it may hold, except for one row. */
  readonly shareBytes: number
}

/** Holds values from `at` on, one per place, null where absent; for a nested column the levels, too. */
export class ColumnReader {
  readonly leaf: LeafNode
  readonly #options: ColumnReaderOptions
  readonly #physical: Physical
  readonly #hasLevels: boolean
  values: unknown[] = []
  repetitions: number[] = []
  definitions: number[] = []
  /** The first place not taken. */
  at = 0
  #page: Page | undefined
  #levels: Levels = { repetitions: undefined, definitions: undefined }
  #decoder: ValueDecoder | undefined
  #dictionary: Dictionary | undefined
  /** Places left in the page, and in the column. */
  #leftInPage = 0
  #left: number
  /** About how many bytes the values from `at` on came from. */
  #bytes = 0
  /** Levels read from the page: those from `#leveled` on belong to values not decoded yet. */
  readonly #definitionsNow = new Uint8Array(AT_ONCE)
  readonly #repetitionsNow = new Uint8Array(AT_ONCE)
  #leveled = 0
  #levelCount = 0

  constructor(options: ColumnReaderOptions) {
    this.#options = options
    this.leaf = options.leaf
    this.#physical = physicalOf(options.leaf.element)
    this.#hasLevels = options.leaf.path.length > 1 || options.leaf.repeats > 0
    this.#left = options.valueCount
  }

  /** Where it is in the file. */
  get fileAt(): number {
    return this.#options.pages.at
  }

  /** Whether nothing is left. */
  get isAtEnd(): boolean {
    return this.#left === 0 && this.at === this.values.length
  }

  /** Loads up to `rows` rows, at least one; returns how many there are. */
  async fill(rows: number): Promise<number> {
    this.#forget()
    if (this.leaf.repeats === 0) {
      while (this.values.length < rows && this.#left > 0) {
        if (this.values.length > 0 && this.#bytes > this.#options.shareBytes) break
        await this.#decode(rows - this.values.length)
      }
      if (this.values.length === 0) throw new Damage(`column ${this.#name} has fewer values than rows`)
      return Math.min(rows, this.values.length)
    }
    return await this.#fillRepeated(rows)
  }

  /** A row ends where the next one begins: at a repetition level of 0. */
  async #fillRepeated(rows: number): Promise<number> {
    let found = 0
    let looked = 0
    for (;;) {
      for (; looked < this.repetitions.length; looked += 1) {
        if (this.repetitions[looked] !== 0) continue
        if (looked > 0) found += 1
        if (found === rows) return rows
      }
      if (this.#left === 0) break
      if (found > 0 && this.#bytes > this.#options.shareBytes) return found
      if (found === 0 && (looked > MAX_OF_A_ROW || this.#bytes > this.#options.budget.limit)) {
        throw new OverLimit(`one row has over ${looked} values in column ${this.#name}`, looked)
      }
      await this.#decode(AT_ONCE)
    }
    if (looked === 0) throw new Damage(`column ${this.#name} has fewer rows than expected`)
    return found + 1
  }

  async close(): Promise<void> {
    this.values = []
    await this.#page?.data.close()
  }

  #forget(): void {
    if (this.at === 0) return
    if (this.at === this.values.length) {
      this.#bytes = 0
      this.values.length = 0
      this.repetitions.length = 0
      this.definitions.length = 0
      this.at = 0
      return
    }
    this.#bytes = Math.floor((this.#bytes * (this.values.length - this.at)) / this.values.length)
    this.values = this.values.slice(this.at)
    this.repetitions = this.repetitions.slice(this.at)
    this.definitions = this.definitions.slice(this.at)
    this.at = 0
  }

  async #decode(wanted: number): Promise<void> {
    while (this.#leftInPage === 0) await this.#nextPage()
    if (this.#leveled === this.#levelCount) this.#readLevels()
    const from = this.#leveled
    const { definition } = this.leaf
    const hasNulls = this.#levels.definitions !== undefined
    let end = Math.min(from + wanted, this.#levelCount)
    let present = end - from
    if (hasNulls) for (let at = from; at < end; at += 1) if (this.#definitionsNow[at] !== definition) present -= 1
    const values = hasNulls ? [] : this.values
    const before = values.length
    this.#bytes += (await this.#read(values, present)) + end - from
    const got = values.length - before
    if (!hasNulls) end = from + got
    let next = 0
    for (let at = from; at < end; at += 1) {
      const isThere = !hasNulls || this.#definitionsNow[at] === definition
      if (hasNulls) {
        // It stopped before the next existing one.
        if (isThere && next === got) {
          end = at
          break
        }
        this.values.push(isThere ? values[next] : null)
        if (isThere) next += 1
      }
      if (!this.#hasLevels) continue
      this.definitions.push(hasNulls ? (this.#definitionsNow[at] as number) : definition)
      this.repetitions.push(this.leaf.repeats === 0 ? 0 : (this.#repetitionsNow[at] as number))
    }
    this.#leveled = end
    this.#leftInPage -= end - from
    this.#left -= end - from
  }

  /** Levels of values not decoded yet: they say which of those exist. */
  #readLevels(): void {
    const count = Math.min(AT_ONCE, this.#leftInPage)
    const { repetitions, definitions } = this.#levels
    repetitions?.read(this.#repetitionsNow, count)
    definitions?.read(this.#definitionsNow, count)
    for (let at = 0; at < count; at += 1) {
      const isOver = repetitions !== undefined && (this.#repetitionsNow[at] as number) > this.leaf.repeats
      if (isOver || (definitions !== undefined && (this.#definitionsNow[at] as number) > this.leaf.definition)) {
        throw new Damage(`column ${this.#name} has an invalid level`)
      }
    }
    this.#leveled = 0
    this.#levelCount = count
  }

  async #read(out: unknown[], count: number): Promise<number> {
    if (count === 0) return 0
    this.#decoder ??= this.#decoderOf(this.#page as Page)
    return await this.#decoder.read(out, count, this.#options.shareBytes)
  }

  async #nextPage(): Promise<void> {
    const { pages, budget, values } = this.#options
    await this.#page?.data.close()
    budget.give(this.#page?.heldBytes ?? 0)
    this.#page = undefined
    const page = await pages.next()
    this.#page = page
    if (page.header.kind === 'dictionary') {
      budget.take(page.header.fullBytes * DICTIONARY_GROWTH, `the dictionary of column ${this.#name}`)
      this.#dictionary = await readDictionary(page, this.#physical, values.conversion)
      return
    }
    this.#levels = await readLevels(page, this.leaf)
    this.#decoder = undefined
    this.#leveled = 0
    this.#levelCount = 0
    this.#leftInPage = page.header.values
    if (this.#leftInPage > this.#left) throw new Damage(`column ${this.#name} has more values than the footer says`)
  }

  #decoderOf({ header, data }: Page): ValueDecoder {
    const { conversion } = this.#options.values
    const { bytes, at } = data
    const { type } = this.#physical
    if (isDictionaryCoded(header)) return dictionaryDecoder(bytes, at, this.#dictionary)
    switch (header.encoding) {
      case 0:
        return plainDecoder(data, this.#physical, conversion)
      case 3:
        if (type === 'BOOLEAN') return booleanRuns(bytes, at)
        break
      case 5:
        if (type === 'INT32' || type === 'INT64') return deltaNumbers(bytes, at, type === 'INT64', conversion)
        break
      case 6:
        if (type === 'BYTE_ARRAY') return deltaLengths(bytes, at, conversion)
        break
      case 7:
        if (type === 'BYTE_ARRAY' || type === 'FIXED_LEN_BYTE_ARRAY') return deltaTexts(bytes, at, conversion)
        break
      default:
        return splitDecoder(bytes.subarray(at), this.#physical, conversion)
    }
    throw new Damage(`column ${this.#name} of ${type} has encoding ${header.encoding}`)
  }

  get #name(): string {
    return this.leaf.path.join('.')
  }
}

/** Booleans in runs, preceded by their total length. */
function booleanRuns(bytes: Buffer, at: number): ValueDecoder {
  const length = bytes.readUInt32LE(at)
  const runs = new RunDecoder(bytes, at + 4, at + 4 + length, 1)
  const numbers = new Uint8Array(AT_ONCE)
  return {
    read(out, count) {
      runs.read(numbers, count)
      for (let at = 0; at < count; at += 1) out.push(numbers[at] === 1)
      return count
    },
  }
}
