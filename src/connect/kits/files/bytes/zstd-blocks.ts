// The content of zstd data: one frame after the other, each checked for completeness.

import * as zlib from 'node:zlib'
import { corrupt } from '../errors.ts'
import type { Blocks } from './blocks.ts'
import { isSkippable } from './encoding.ts'
import { checkLimits, type Limits } from './limits.ts'
import { Pump, ZLIB_OPTIONS } from './pump.ts'
import { type FramePart, ZstdFrames } from './zstd-frames.ts'

/** Uncompressed content, gathered before it is returned. */
const MOST_PLAIN_BYTES = 64 * 1024

/** Decompresses zstd. Offsets in its errors refer to the compressed data, up to the block in which they were found. */
export class ZstdBlocks implements Blocks {
  readonly #input: Blocks
  readonly #path: string
  readonly #limits: Limits
  readonly #frames = new ZstdFrames()
  /** One for all frames: starting another takes longer than a small frame. */
  readonly #pump = new Pump(zlib.createZstdDecompress(ZLIB_OPTIONS))
  /** Parts of the current block, and how many of them were put in or returned. */
  #parts: readonly FramePart[] = []
  #next = 0
  /** Bytes of frames that bypassed the decompressor. */
  #plainBytes = 0
  /** How much was decompressed so far, for the limits. */
  #outBytes = 0

  constructor(input: Blocks, path: string, limits: Limits) {
    this.#input = input
    this.#path = path
    this.#limits = limits
  }

  get takenBytes(): number {
    return this.#plainBytes + this.#pump.consumedBytes
  }

  async read(): Promise<Buffer | undefined> {
    for (;;) {
      const chunk = await this.#take()
      if (chunk !== undefined) return this.#count(chunk)
      const plain = this.#nextPlain()
      if (plain.length > 0) return this.#count(plain)
      if (!this.#putIn() && !(await this.#feed())) return undefined
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

  /** The content of frames that need no decompressor, up to the next one that does. */
  #nextPlain(): Buffer {
    const contents: Buffer[] = []
    let size = 0
    while (size < MOST_PLAIN_BYTES) {
      const content = this.#plainAt(this.#next)
      if (content === undefined) break
      this.#plainBytes += this.#parts[this.#next]?.bytes.length ?? 0
      this.#next += 1
      size += content.length
      contents.push(content)
    }
    return Buffer.concat(contents)
  }

  /** Feeds the decompressor up to the next plain frame; false if there is nothing to do. */
  #putIn(): boolean {
    const first = this.#next
    for (let part = this.#parts[first]; part !== undefined; part = this.#parts[this.#next]) {
      if (this.#next > first && this.#plainAt(this.#next) !== undefined) break
      this.#pump.put(part.bytes)
      this.#next += 1
    }
    return this.#next > first
  }

  #plainAt(at: number): Buffer | undefined {
    const part = this.#parts[at]
    return part?.isWhole === true ? plainContent(part.bytes) : undefined
  }

  /** Reads the next block; false at the end of the data. */
  async #feed(): Promise<boolean> {
    const block = await this.#input.read()
    if (block === undefined && this.#frames.isBetweenFrames) return false
    if (block === undefined) throw corrupt(this.#path, this.takenBytes, 'unexpected end of file')
    this.#parts = this.#cut(block)
    this.#next = 0
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

/** Longer ones are worth a decompressor. */
const MOST_BYTES = 1024
const MOST_CONTENT_BYTES = 64 * 1024
/** A decompressor may reject larger windows. */
const MOST_WINDOW = 0x87
/** The smallest window: no block of a frame that has one is larger. */
const WINDOW_BYTES = 1024

const RAW_BLOCK = 0
const RLE_BLOCK = 1
/** In the descriptor: a checksum, a reserved bit, a dictionary. */
const NOT_PLAIN = 0b1111

/**
 * The content of a whole frame of raw or run-length blocks; empty for a skippable one. Undefined for any other, and for
 * a malformed one: a decompressor says what is wrong.
 *
 * @example
 * plainContent(Buffer.from('28b52ffd20010900006a', 'hex'))?.toString() // => 'j'
 */
export function plainContent(frame: Buffer): Buffer | undefined {
  if (frame.length > MOST_BYTES) return undefined
  if (isSkippable(frame.readUInt32LE(0))) return frame.subarray(0, 0)
  const descriptor = frame[4] ?? NOT_PLAIN
  if ((descriptor & NOT_PLAIN) !== 0) return undefined
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4][descriptor >> 6]
  if (sizeBytes === undefined || (!isSingleSegment && (frame[5] ?? 0) > MOST_WINDOW)) return undefined
  const sizeAt = isSingleSegment ? 5 : 6
  const blocks: Buffer[] = []
  let size = 0
  let isLast = false
  for (let at = sizeAt + sizeBytes; !isLast; ) {
    const header = frame.readUIntLE(at, 3)
    const kind = (header >> 1) & 0b11
    const bytes = header >> 3
    isLast = (header & 1) === 1
    size += bytes
    at += 3
    if (size > MOST_CONTENT_BYTES || (bytes > WINDOW_BYTES && !isSingleSegment)) return undefined
    if (kind !== RAW_BLOCK && kind !== RLE_BLOCK) return undefined
    blocks.push(kind === RAW_BLOCK ? frame.subarray(at, at + bytes) : Buffer.alloc(bytes, frame[at]))
    at += kind === RAW_BLOCK ? bytes : 1
  }
  // For 2 bytes, excluding the values that fit in one byte.
  const told = sizeBytes === 0 ? size : frame.readUIntLE(sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  return told === size ? Buffer.concat(blocks) : undefined
}
