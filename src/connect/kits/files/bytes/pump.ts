// One zlib stream, driven by hand: bytes in, bytes out, nothing held but what is under way.

import type { Transform } from 'node:stream'
import { BLOCK_BYTES } from './file-blocks.ts'

/** A zlib stream; `bytesWritten` is how much of its input it has consumed. */
export type ZlibStream = Transform & { readonly bytesWritten: number }

/** Options of the streams: one block of output at a time, so that no more is held than is asked for. */
export const ZLIB_OPTIONS: { readonly chunkSize: number; readonly highWaterMark: number } = {
  chunkSize: BLOCK_BYTES,
  highWaterMark: BLOCK_BYTES,
}

/**
 * Puts blocks into a zlib stream and takes out what they become.
 *
 * Node's own pipes will not do: what follows the compressed data is dropped in silence by them, and has to be looked at.
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
  /** How many blocks were put in and are not yet consumed: the stream reads from their memory until then. */
  #waiting = 0
  /** Set once the stream says that its data is complete. */
  #hasEnded = false
  /** What the stream failed with. */
  #failure: { readonly thrown: unknown } | undefined
  /** Set once nobody is to read any more. */
  #isClosed = false
  /** Ends the wait of the call under way. */
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

  /** Whether the compressed data is complete; what was put in beyond `consumedBytes` is no part of it. */
  get hasEnded(): boolean {
    return this.#hasEnded
  }

  get consumedBytes(): number {
    return this.#stream.bytesWritten
  }

  /** Puts a block in; only after `take` has given undefined, as a whole or in parts. It must stay as it is until `take` does so again. */
  put(block: Buffer): void {
    this.#waiting += 1
    this.#stream.write(block, () => {
      this.#waiting -= 1
      if (this.#waiting === 0) this.#wake()
    })
  }

  /** Says that no more will be put in: data that is not complete is an error then. */
  finish(): void {
    this.#waiting += 1
    this.#stream.end()
  }

  /**
   * The next bytes that came out; undefined when the stream wants more put in, or has ended.
   *
   * @throws what the stream failed with, or an error where the pump is closed: a stream that is destroyed says of what it
   *   left that it has consumed it.
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
