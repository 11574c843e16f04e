// The pages of one column of a row group: scanned beforehand, then decompressed one after the other.

import { crc32 } from 'node:zlib'
import type { Budget } from './budget.ts'
import type { ChunkFile } from './chunk-file.ts'
import { type Codec, codecOf } from './codecs.ts'
import { Damage } from './errors.ts'
import type { ColumnChunk } from './footer.ts'
import { PageBytes } from './page-bytes.ts'
import type { PageHeader } from './page-header.ts'

/** A larger page is decompressed in pieces if its values can be read so. */
const PIECEWISE_BYTES = 512 * 1024
/** From this size on, a page must be as large as it says. */
const LARGE_BYTES = 16 * 1024 * 1024
/** The encoding of values one after the other. */
const PLAIN = 0
/** For values that are indexes into the dictionary: the current name, and the old one. */
const DICTIONARY: readonly number[] = [8, 2]
const UNCOMPRESSED = codecOf(0)
const ENCODINGS: readonly number[] = [PLAIN, 2, 3, 5, 6, 7, 8, 9]

/** A page and its bytes; for `data-2` the levels are separate. */
export interface Page {
  readonly header: PageHeader
  readonly levels: Buffer
  readonly data: PageBytes
  /** How many bytes of the budget it holds. */
  readonly heldBytes: number
}

export interface ChunkPagesOptions {
  readonly file: ChunkFile
  readonly chunk: ColumnChunk
  /** The name of the column, for messages. */
  readonly name: string
  readonly budget: Budget
}

export class ChunkPages {
  readonly #options: ChunkPagesOptions
  readonly #codec: Codec
  /** Where the next page begins. */
  #at: number

  constructor(options: ChunkPagesOptions) {
    this.#options = options
    this.#codec = codecOf(options.chunk.codec)
    this.#at = options.chunk.from
  }

  /** Where it is in the file. */
  get at(): number {
    return this.#at
  }

  /**
   * Checks all pages before any is decompressed: the number of values, the size of the column, and the checksums if
   * present.
   */
  async verify(): Promise<void> {
    const { chunk, file } = this.#options
    const end = chunk.from + chunk.bytes
    let values = 0
    let isFirst = true
    for (let at = chunk.from; at < end || values < chunk.values; ) {
      this.#at = at
      const header = await file.header(at)
      this.#check(header, isFirst)
      isFirst = false
      at += header.headerBytes
      if (header.crc !== undefined && crc32(await file.read(at, header.bytes)) !== header.crc) {
        throw new Damage(`a page of ${this.#name} is damaged: its checksum does not match`)
      }
      at += header.bytes
      if (header.kind === 'data' || header.kind === 'data-2') values += header.values
      if (values > chunk.values) break
    }
    this.#at = chunk.from
    if (values !== chunk.values) {
      throw new Damage(`${this.#name} has ${values} values in its pages, and ${chunk.values} according to the footer`)
    }
  }

  /** The next page of data or of a dictionary. The caller must release its part of the budget. */
  async next(): Promise<Page> {
    const { file, budget } = this.#options
    for (;;) {
      const header = await file.header(this.#at)
      const from = this.#at + header.headerBytes
      if (header.kind === 'index') {
        this.#at = from + header.bytes
        continue
      }
      const levelBytes = header.definitionBytes + header.repetitionBytes
      const fullBytes = header.fullBytes - levelBytes
      const stored = header.bytes - levelBytes
      const isPlain = !header.isCompressed || this.#codec.name === 'UNCOMPRESSED'
      const { pieces } = isPlain ? UNCOMPRESSED : this.#codec
      const isPiecewise = header.kind !== 'dictionary' && header.encoding === PLAIN && fullBytes > PIECEWISE_BYTES
      if (isPlain && stored !== fullBytes) throw new Damage(`a page of ${this.#name} has two sizes`)
      const inPieces = isPiecewise ? pieces : undefined
      const heldBytes = inPieces !== undefined ? levelBytes : (isPlain ? 0 : stored) + fullBytes + levelBytes
      budget.take(heldBytes, `a page of ${this.#name}`)
      const levels = await file.read(from, levelBytes)
      const at = from + levelBytes
      this.#at = at + stored
      if (inPieces !== undefined) {
        const data = PageBytes.inPieces(
          inPieces(() => file.pieces(at, stored), fullBytes),
          fullBytes,
        )
        return { header, levels, data, heldBytes }
      }
      const bytes = await file.read(at, stored)
      // A page without values may be omitted.
      const isEmpty = isPlain || fullBytes === 0
      return { header, levels, data: PageBytes.whole(isEmpty ? bytes : this.#codec.whole(bytes, fullBytes)), heldBytes }
    }
  }

  get #name(): string {
    return `column ${this.#options.name}`
  }

  #check(header: PageHeader, isFirst: boolean): void {
    const levelBytes = header.definitionBytes + header.repetitionBytes
    if (header.kind === 'index') return
    // Some writers miscount a little: only a page that would take much memory is checked.
    if (header.fullBytes > LARGE_BYTES && header.fullBytes > this.#options.chunk.fullBytes) {
      throw new Damage(`a page of ${this.#name} is larger than the whole column should be`)
    }
    if (levelBytes > header.bytes || levelBytes > header.fullBytes) {
      throw new Damage(`the levels of a page of ${this.#name} are larger than the page`)
    }
    if (
      header.isCompressed &&
      header.fullBytes - levelBytes > (header.bytes - levelBytes) * this.#codec.maxRatio + 64
    ) {
      throw new Damage(`a page of ${this.#name} cannot become ${header.fullBytes} bytes`)
    }
    if (header.kind === 'dictionary') {
      if (isFirst) return
      throw new Damage(`the dictionary of ${this.#name} does not come first`)
    }
    if (ENCODINGS.includes(header.encoding)) return
    throw new Damage(`${this.#name} has encoding ${header.encoding}, which is not supported`)
  }
}

export function isDictionaryCoded(header: PageHeader): boolean {
  return DICTIONARY.includes(header.encoding)
}
