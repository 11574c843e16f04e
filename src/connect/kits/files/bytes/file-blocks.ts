// The bytes of an open file, in blocks, reading one ahead.

import type { FileHandle } from 'node:fs/promises'
import { SluiceError } from '../../../../base/errors.ts'
import { untilAborted } from '../../../../base/promise.ts'
import { cannotRead, quotePath } from '../errors.ts'
import type { Blocks } from './blocks.ts'
import { readBytes } from './read-bytes.ts'

/** Large enough that a read costs little compared with its lines, small enough to stay in a core's cache. */
export const BLOCK_BYTES: number = 256 * 1024

/** A file may grow while it is read: not byte by byte then. */
const MIN_BLOCK_BYTES = 4096

export interface FileBlocksOptions {
  /** The path for errors. */
  readonly path: string
  /** Where to begin, in bytes. */
  readonly from?: number
  /** The size that the file had when it was opened: one that ends earlier was truncated meanwhile. */
  readonly sizeBytes: number
  readonly blockBytes?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Reads an open file in blocks, from a byte to its end at the time when it is reached.
 *
 * Two buffers alternate: while the caller uses one block, the next is being read into the other.
 */
export class FileBlocks implements Blocks {
  readonly #file: FileHandle
  readonly #path: string
  readonly #sizeBytes: number
  readonly #signal: AbortSignal | undefined
  /** The block that the caller has, and that is filled next once it is released. */
  #given: Buffer
  /** The buffer that `#ahead` is filling. */
  #filling: Buffer
  /** Where the block being read begins. */
  #at: number
  /** The read under way; undefined before the first call and after the end. */
  #ahead: Promise<number> | undefined
  /** Set at the end of the file, so that later calls return the same. */
  #ended = false
  takenBytes: number

  constructor(file: FileHandle, options: FileBlocksOptions) {
    const { path, from = 0, sizeBytes, blockBytes = BLOCK_BYTES, signal } = options
    this.#file = file
    this.#path = path
    this.#sizeBytes = sizeBytes
    this.#signal = signal
    // One byte more than the file holds, so that a short file and its end are read at once.
    const bytes = Math.min(blockBytes, Math.max(MIN_BLOCK_BYTES, sizeBytes - from + 1))
    this.#given = Buffer.allocUnsafeSlow(bytes)
    this.#filling = Buffer.allocUnsafeSlow(bytes)
    this.#at = from
    this.takenBytes = from
  }

  async read(): Promise<Buffer | undefined> {
    if (this.#ended) return undefined
    const filled = await this.#fill()
    if (filled === 0) {
      this.#ended = true
      await this.#refuseShrunk()
      return undefined
    }
    const block = this.#filling
    this.#filling = this.#given
    this.#given = block
    this.#at += filled
    this.takenBytes = this.#at
    this.#ahead = this.#readAhead()
    return filled === block.length ? block : block.subarray(0, filled)
  }

  close(): void {
    this.#ended = true
  }

  async #fill(): Promise<number> {
    this.#signal?.throwIfAborted()
    this.#ahead ??= this.#readAhead()
    try {
      return await untilAborted(this.#ahead, this.#signal)
    } catch (thrown) {
      this.#ended = true
      if (this.#signal?.aborted === true) throw thrown
      throw cannotRead(this.#path, this.#at, thrown)
    }
  }

  #readAhead(): Promise<number> {
    const reading = readBytes(this.#file, this.#filling, this.#at)
    // Whoever awaits it sees the error; a reader closed meanwhile no longer awaits it.
    reading.catch(() => {})
    return reading
  }

  async #refuseShrunk(): Promise<void> {
    if (this.#at >= this.#sizeBytes) return
    const { size } = await this.#file.stat()
    const found = `it shrank from ${this.#sizeBytes} to ${size} bytes`
    const message = `Cannot read on in ${quotePath(this.#path)} from byte ${this.#at}: ${found}`
    throw new SluiceError('POSITION_LOST', message, { source: this.#path, position: `byte ${this.#at}` })
  }
}
