// The bytes of a stream that cannot be sought: standard input, a pipe, a device.

import type { Readable } from 'node:stream'
import { untilAborted } from '../../../../base/promise.ts'
import { cannotRead } from '../errors.ts'
import type { Blocks } from './blocks.ts'

/** Reads a stream in blocks of any size. The stream itself is left open at `close`. */
export class StreamBlocks implements Blocks {
  readonly #stream: Readable
  readonly #path: string
  readonly #signal: AbortSignal | undefined
  /** Ends the wait of the pending call. */
  #wake: () => void = () => {}
  /** The error of the stream, kept for the next call. */
  #failure: { readonly thrown: unknown } | undefined
  /** Set when the stream has no more. */
  #ended: boolean
  takenBytes = 0

  constructor(stream: Readable, path: string, signal?: AbortSignal) {
    this.#stream = stream
    this.#path = path
    this.#signal = signal
    this.#ended = stream.readableEnded || stream.destroyed
    stream.on('readable', this.#onMore)
    stream.on('end', this.#onEnd)
    stream.on('close', this.#onEnd)
    stream.on('error', this.#onError)
  }

  async read(): Promise<Buffer | undefined> {
    for (;;) {
      this.#signal?.throwIfAborted()
      if (this.#failure !== undefined) throw cannotRead(this.#path, this.takenBytes, this.#failure.thrown)
      const chunk: Buffer | string | null = this.#stream.read()
      if (chunk !== null && chunk.length > 0) return this.#take(chunk)
      if (this.#ended) return undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#wake = resolve
      await untilAborted(promise, this.#signal)
    }
  }

  /** Stops listening; what the stream holds is left for its next reader. */
  close(): void {
    this.#ended = true
    this.#stream.off('readable', this.#onMore)
    this.#stream.off('end', this.#onEnd)
    this.#stream.off('close', this.#onEnd)
    this.#stream.off('error', this.#onError)
    this.#wake()
  }

  #take(chunk: Buffer | string): Buffer {
    const block = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    this.takenBytes += block.length
    return block
  }

  /** Kept as a value, like the others, so that `close` can remove it. */
  readonly #onMore = (): void => this.#wake()

  readonly #onEnd = (): void => {
    this.#ended = true
    this.#wake()
  }

  readonly #onError = (thrown: unknown): void => {
    this.#failure = { thrown }
    this.#wake()
  }
}
