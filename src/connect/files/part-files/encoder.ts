// Turns rows into the bytes of a part: the contract, and the encoder of line-based formats.

import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import type { Columns } from '../../column.ts'

export type Compression = 'none' | 'gzip' | 'zstd'

/** Turns the rows of one part into bytes. */
export interface PartEncoder {
  /** Adds a row, or throws the reason why it is rejected: nothing of it is kept then. */
  add(row: unknown): void
  /** How much it holds, roughly in bytes: what `finish`, or the next `drain`, would return. */
  readonly heldBytes: number
  /** Returns bytes that follow the previous ones, once there are enough; until then undefined. */
  drain(): Promise<Uint8Array> | undefined
  /** The rest. The encoder is not used any more. */
  finish(): Promise<Uint8Array>
}

/** A format of part files. */
export interface PartFormat {
  /** The step in dead letters, and the kind of sink in diagrams: `csv-files`. */
  readonly kind: string
  /** In a title: `CSV files`. */
  readonly name: string
  /** The extension of file names: `.csv.gz`. */
  readonly ending: string
  /** Whether all rows have the same columns, which must be known before the first. */
  readonly hasColumns: boolean
  /**
   * Set if inferred number columns are floating point, even if the first values are whole: one batch must not decide
   * what all files hold.
   */
  readonly findsFloats?: true
  /** Returns a function that makes the encoder of a part; what it needs is loaded first. */
  prepare(columns: Columns, areInferred: boolean): Promise<() => PartEncoder | Promise<PartEncoder>>
}

/** Enough to be worth a call, and to compress well by itself. */
const BLOCK_BYTES = 256 * 1024

const COMPRESSORS: Readonly<Record<Compression, (bytes: Uint8Array) => Promise<Uint8Array>>> = {
  none: async (bytes) => bytes,
  gzip: promisify<Uint8Array, Uint8Array>(zlib.gzip),
  zstd: promisify<Uint8Array, Uint8Array>(zlib.zstdCompress),
}

export const ENDINGS: Readonly<Record<Compression, string>> = { none: '', gzip: '.gz', zstd: '.zst' }

/**
 * Lines of text. Each compressed block is its own gzip member or zstd frame: readers take them as one file, and no part
 * holds a compressor while it is open.
 */
export class LineEncoder implements PartEncoder {
  readonly #lineOf: (row: unknown) => string
  readonly #compress: (bytes: Uint8Array) => Promise<Uint8Array>
  /** Lines that were not returned yet. */
  #lines: string[]
  #length: number

  constructor(lineOf: (row: unknown) => string, compression: Compression, head = '') {
    this.#lineOf = lineOf
    this.#compress = COMPRESSORS[compression]
    this.#lines = [head]
    this.#length = head.length
  }

  add(row: unknown): void {
    const line = this.#lineOf(row)
    this.#lines.push(line)
    this.#length += line.length
  }

  get heldBytes(): number {
    return this.#length
  }

  drain(): Promise<Uint8Array> | undefined {
    return this.#length < BLOCK_BYTES ? undefined : this.finish()
  }

  async finish(): Promise<Uint8Array> {
    const bytes = Buffer.from(this.#lines.join(''))
    this.#lines = []
    this.#length = 0
    return bytes.length === 0 ? bytes : await this.#compress(bytes)
  }
}
