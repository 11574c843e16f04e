// One zlib stream, driven by hand: bytes in, bytes out, holding only what is in progress.

import type { Transform } from 'node:stream'
import { BLOCK_BYTES } from './file-blocks.ts'

/** A zlib stream; `bytesWritten` is how much of its input it has consumed. */
export type ZlibStream = Transform & { readonly bytesWritten: number }

/** Stream options: one block of output at a time, so that no more is held than requested. */
export const ZLIB_OPTIONS: { readonly chunkSize: number; readonly highWaterMark: number } = {
  chunkSize: BLOCK_BYTES,
  highWaterMark: BLOCK_BYTES,
}

/**
 * Puts blocks into a zlib stream and takes the output.
 *
 * Node's own pipes silently drop what follows the compressed data, which must be checked.
 *
 * @example
 * import { createGunzip, gzipSync } from 'node:zlib'
 * const pump = new Pump(createGunzip())
 * pump.put(gzipSync('some text'))
 * pump.finish()
 * String(await pump.take()) // => 'some text'
 * await pump.take() // => undefined
 */
export class Pump {
  readonly #stream: ZlibStream
  /** How many blocks were put in and not consumed yet: the stream reads from their memory until then. */
  #waiting = 0
  /** Set once the stream says that its data is complete. */
  #hasEnded = false
  /** The error of the stream. */
  #failure: { readonly thrown: unknown } | undefined
  /** Set once nobody will read any more. */
  #isClosed = false
  /** Ends the wait of the pending call. */
  #wake: () => void = () => {}

  constructor(stream: ZlibStream) {
    this.#stream = stream
    stream.on('readable', () => this.#wake())
    stream.on('end', () => {
      this.#hasEnded = true
      this.#wake()
    })
    stream.on('error', (thrown) => {
      this.#failure = { thrown }
      this.#wake()
    })
  }

  /** Whether the compressed data is complete; input beyond `consumedBytes` is not part of it. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  get consumedBytes(): number {
    return this.#stream.bytesWritten
  }

  /**
   * Puts in a block; only after `take` has returned undefined, as a whole or in parts. It must not change until `take`
   * does so again.
   */
  put(block: Buffer): void {
    this.#waiting += 1
    this.#stream.write(block, () => {
      this.#waiting -= 1
      if (this.#waiting === 0) this.#wake()
    })
  }

  /** Says that no more will be put in: incomplete data is then an error. */
  finish(): void {
    this.#waiting += 1
    this.#stream.end()
  }

  /**
   * The next output; undefined when the stream wants more input, or has ended.
   *
   * @throws the stream's error, or an error if the pump is closed: a destroyed stream claims to have consumed the rest
   */
  async take(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.#isClosed) throw new Error('it was closed while it was read')
      if (this.#failure !== undefined) throw this.#failure.thrown
      const chunk: Buffer | null = this.#stream.read()
      if (chunk !== null) return chunk
      if (this.#hasEnded || this.#waiting === 0) return undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await promise
    }
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  close(): void {
    this.#isClosed = true
    this.#stream.destroy()
    this.#wake()
  }
}
