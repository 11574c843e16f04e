// Reads the bytes of one column of a row group, from front to back.

import type { FileHandle } from 'node:fs/promises'
import { readAt } from '../../kits/files/identity.ts'
import { Damage } from './errors.ts'
import { type PageHeader, parsePageHeader } from './page-header.ts'

/** What is read for a header at first, and its maximum. */
const HEADER_BYTES = 1024
const MAX_HEADER_BYTES = 1024 * 1024

/** Keeps what it read last: many small pages are read at once. */
export class ChunkFile {
  readonly #handle: FileHandle
  readonly #end: number
  readonly #aheadBytes: number
  #bytes: Buffer = Buffer.alloc(0)
  #from = 0

  /**
   * @param end - the byte after the last page
   * @param aheadBytes - how much is read at once if less is requested
   */
  constructor(handle: FileHandle, end: number, aheadBytes: number) {
    this.#handle = handle
    this.#end = end
    this.#aheadBytes = aheadBytes
  }

  /** So many bytes, not to be written to. */
  async read(from: number, bytes: number): Promise<Buffer> {
    if (bytes > this.#end - from)
      throw new Damage(`${bytes} bytes were expected, the column has ${this.#end - from} more`)
    if (from < this.#from || from + bytes > this.#from + this.#bytes.length) {
      const wanted = Math.min(Math.max(bytes, this.#aheadBytes), this.#end - from)
      const read = await readAt(this.#handle, from, wanted)
      if (bytes > this.#aheadBytes || read.length < bytes) {
        if (read.length < bytes) throw new Damage('the file ends within a page')
        return read
      }
      this.#bytes = read
      this.#from = from
    }
    return this.#bytes.subarray(from - this.#from, from - this.#from + bytes)
  }

  async header(from: number): Promise<PageHeader> {
    for (let bytes = HEADER_BYTES; ; bytes *= 8) {
      const length = Math.min(bytes, this.#end - from)
      try {
        return parsePageHeader(await this.read(from, length))
      } catch (thrown) {
        // It may continue beyond what was read.
        if (!(thrown instanceof Damage) || length < bytes || bytes >= MAX_HEADER_BYTES) throw thrown
      }
    }
  }

  /** Pieces of a byte range, for uncompressed data. */
  async *pieces(from: number, bytes: number): AsyncGenerator<Buffer> {
    for (let at = from; at < from + bytes; at += this.#aheadBytes) {
      yield await this.read(at, Math.min(this.#aheadBytes, from + bytes - at))
    }
  }
}
