// The content of zstd data: one frame after the other, each checked to be whole.

import * as zlib from 'node:zlib'
import type { Blocks } from './blocks.ts'
import { checkLimits, type Limits } from './limits.ts'
import { Pump, ZLIB_OPTIONS } from './pump.ts'
import { corrupt } from './trouble.ts'
import { ZstdFrames } from './zstd-frames.ts'

/** Decompresses zstd. Offsets in its errors are those of the compressed data, to the block in which they were found. */
export class ZstdBlocks implements Blocks {
  readonly #input: Blocks
  readonly #path: string
  readonly #limits: Limits
  readonly #frames = new ZstdFrames()
  /** One for all frames: to begin another takes longer than a small frame does. */
  readonly #pump = new Pump(zlib.createZstdDecompress(ZLIB_OPTIONS))
  /** What has come out so far, for the limits. */
  #outBytes = 0

  constructor(input: Blocks, path: string, limits: Limits) {
    this.#input = input
    this.#path = path
    this.#limits = limits
  }

  get takenBytes(): number {
    return this.#pump.consumedBytes
  }

  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = await this.#take()
      if (chunk !== undefined) return this.#count(chunk)
      if (!(await this.#feed())) return undefined
    }
  }

  close(): void {
    this.#pump.close()
    this.#input.close()
  }

  async #take(): Promise<Buffer | undefined> {
    try {
      return await this.#pump.take()
    } catch (thrown) {
      if (!(thrown instanceof Error) || !isZstdError(thrown)) throw thrown
      throw corrupt(this.#path, this.takenBytes, thrown.message, thrown)
    }
  }

  #count(chunk: Buffer): Buffer {
    this.#outBytes += chunk.length
    checkLimits(this.#path, this.#limits, { encoding: 'zstd', inBytes: this.takenBytes, outBytes: this.#outBytes })
    return chunk
  }

  /** Reads the next block; false at the end of the data. */
  async #feed(): Promise<boolean> {
    const block = await this.#input.read()
    if (block === undefined && this.#frames.isBetweenFrames) return false
    if (block === undefined) throw corrupt(this.#path, this.takenBytes, 'unexpected end of file')
    for (const part of this.#cut(block)) this.#pump.put(part)
    return true
  }

  #cut(block: Buffer): Buffer[] {
    try {
      return this.#frames.push(block)
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown
      throw corrupt(this.#path, this.#frames.seenBytes, thrown.message)
    }
  }
}

function isZstdError(thrown: Error): boolean {
  const code = (thrown as NodeJS.ErrnoException).code
  return typeof code === 'string' && code.startsWith('ZSTD_')
}
