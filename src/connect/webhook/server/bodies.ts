// Bodies of requests on their way in, bounded all together: most of them are of senders who are not known yet.

import type { IncomingMessage } from 'node:http'

/** A body that is whole, or why there is none: it is too long, or has made room for others. */
export type Arrived = Uint8Array | 'too long' | 'crowded out'

interface Arriving {
  /** Emptied once it is settled. */
  readonly chunks: Buffer[]
  /** What its chunks take. */
  heldBytes: number
  readonly settle: (arrived: Arrived) => void
}

/** What a chunk takes beside its bytes: a body may come one byte at a time. */
const CHUNK_BYTES = 256

/**
 * Gathers bodies. Where all together would take more than they may, the one that began first goes: those that come at
 * once get through, whatever number of slow or unending ones is under way.
 */
export class Bodies {
  readonly #maxBytes: number
  readonly #maxHeldBytes: number
  /** Those under way, in the order in which they began. */
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
    // Part of a block that was read: while it waits, all of that would be kept.
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
