// Incoming request bodies, bounded in total: most senders are not authenticated yet.

import type { IncomingMessage } from 'node:http'

/** A complete body, or why it was not accepted: it is too long, or was dropped for others. */
export type Arrived = Uint8Array | 'too long' | 'crowded out'

interface Arriving {
  /** Emptied once it is settled. */
  readonly chunks: Buffer[]
  /** What its chunks take. */
  heldBytes: number
  readonly settle: (arrived: Arrived) => void
}

/** The overhead of a chunk: a body may come one byte at a time. */
const CHUNK_BYTES = 256

/**
 * Collects bodies. If all together would take more than allowed, the oldest one is dropped: those that come at once get
 * through, whatever number of slow or endless ones is under way.
 */
export class Bodies {
  readonly #maxBytes: number
  readonly #maxHeldBytes: number
  /** Those under way, oldest first. */
  readonly #arriving = new Set<Arriving>()
  #heldBytes = 0

  /**
   * @param maxBytes - the longest body
   * @param maxHeldBytes - what bodies under way take all together
   */
  constructor(maxBytes: number, maxHeldBytes: number) {
    this.#maxBytes = maxBytes
    this.#maxHeldBytes = maxHeldBytes
  }

  /** Rejects if the connection breaks before the body is whole. */
  async read(request: IncomingMessage): Promise<Arrived> {
    const { promise, resolve, reject } = Promise.withResolvers<Arrived>()
    const settle = (arrived: Arrived): void => {
      this.#forget(body)
      resolve(arrived)
    }
    const body: Arriving = { chunks: [], heldBytes: 0, settle }
    let size = 0
    this.#arriving.add(body)
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > this.#maxBytes) settle('too long')
      else this.#take(body, chunk)
    })
    request.on('end', () => settle(Buffer.concat(body.chunks)))
    request.on('error', (error) => {
      this.#forget(body)
      reject(error)
    })
    return await promise
  }

  #take(body: Arriving, chunk: Buffer): void {
    if (!this.#arriving.has(body)) return
    const bytes = chunk.length + CHUNK_BYTES
    // A slice would keep all of its block in memory while it waits.
    body.chunks.push(chunk.length * 2 < chunk.buffer.byteLength ? Buffer.from(chunk) : chunk)
    body.heldBytes += bytes
    this.#heldBytes += bytes
    for (const oldest of this.#arriving) {
      if (this.#heldBytes <= this.#maxHeldBytes) return
      oldest.settle('crowded out')
    }
  }

  #forget(body: Arriving): void {
    if (!this.#arriving.delete(body)) return
    this.#heldBytes -= body.heldBytes
    body.chunks.length = 0
  }
}
