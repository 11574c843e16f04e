// The content of zstd data: one frame after the other, each checked to be whole.

import * as zlib from 'node:zlib'
import type { Blocks } from './blocks.ts'
import { checkLimits, type Limits } from './limits.ts'
import { Pump, ZLIB_OPTIONS } from './pump.ts'
import { corrupt } from './trouble.ts'
import { type FramePart, ZstdFrames } from './zstd-frames.ts'

/** Decompresses zstd. Offsets in its errors are those of the compressed data, to the block in which they were found. */
export class ZstdBlocks implements Blocks {
  readonly #input: Blocks
  readonly #path: string
  readonly #limits: Limits
  readonly #frames = new ZstdFrames()
  /** The frame that is being decompressed; undefined between two. */
  #pump: Pump | undefined
  /** Parts of the block at hand that are yet to be put in, the next one last. */
  #parts: FramePart[] = []
  /** Whether the frame's last part has been put in. */
  #isFrameFed = false
  /** What has come out so far, for the limits. */
  #outBytes = 0
  takenBytes = 0

  constructor(input: Blocks, path: string, limits: Limits) {
    this.#input = input
    this.#path = path
    this.#limits = limits
  }

  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = await this.#take()
      if (chunk !== undefined) return chunk
      const part = this.#parts.pop()
      if (part !== undefined) this.#put(part)
      else if (!(await this.#feed())) return undefined
    }
  }

  close(): void {
    this.#pump?.close()
    this.#pump = undefined
    this.#input.close()
  }

  async #take(): Promise<Buffer | undefined> {
    try {
      while (this.#pump !== undefined) {
        const chunk = await this.#pump.take()
        if (chunk !== undefined) return this.#count(chunk)
        if (!this.#isFrameFed) return undefined
        this.#finishFrame(this.#pump)
      }
      return undefined
    } catch (thrown) {
      if (!(thrown instanceof Error) || !isZstdError(thrown)) throw thrown
      throw corrupt(this.#path, this.takenBytes, thrown.message, thrown)
    }
  }

  #put(part: FramePart): void {
    this.#pump ??= new Pump(zlib.createZstdDecompress(ZLIB_OPTIONS))
    this.#pump.put(part.bytes)
    this.takenBytes += part.bytes.length
    this.#isFrameFed = part.isLast
  }

  #count(chunk: Buffer): Buffer {
    this.#outBytes += chunk.length
    checkLimits(this.#path, this.#limits, { encoding: 'zstd', inBytes: this.takenBytes, outBytes: this.#outBytes })
    return chunk
  }

  /** A frame ends only once its stream has: an error at its checksum comes after its last bytes. */
  #finishFrame(pump: Pump): void {
    if (!pump.hasEnded) return pump.finish()
    pump.close()
    this.#pump = undefined
    this.#isFrameFed = false
  }

  /** Reads the next block; false at the end of the data. */
  async #feed(): Promise<boolean> {
    this.takenBytes = this.#frames.seenBytes
    const block = await this.#input.read()
    if (block === undefined && this.#frames.isBetweenFrames) return false
    if (block === undefined) throw corrupt(this.#path, this.takenBytes, 'unexpected end of file')
    this.#parts = this.#cut(block).reverse()
    return true
  }

  #cut(block: Buffer): FramePart[] {
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
