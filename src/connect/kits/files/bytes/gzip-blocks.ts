// The content of gzip data: one member after the other, optionally followed by zeros.

import { createGunzip } from 'node:zlib'
import { SluiceError } from '../../../../base/errors.ts'
import { cannotRead, corrupt } from '../errors.ts'
import type { Blocks } from './blocks.ts'
import { checkLimits, type Limits } from './limits.ts'
import { Pump, ZLIB_OPTIONS } from './pump.ts'

/**
 * Decompresses gzip. Offsets in its errors refer to the compressed data: how much was consumed when the error was
 * found.
 */
export class GzipBlocks implements Blocks {
  readonly #input: Blocks
  readonly #path: string
  readonly #limits: Limits
  readonly #pump: Pump
  /** The block in the pump: it is searched for what follows the last member. */
  #block: Buffer = Buffer.alloc(0)
  /** Where that block begins. */
  #blockAt = 0
  /** Set once the data, and what follows it, has been read. */
  #isRead = false
  /** How much was decompressed so far, for the limits. */
  #outBytes = 0

  constructor(input: Blocks, path: string, limits: Limits) {
    this.#input = input
    this.#path = path
    this.#limits = limits
    this.#pump = new Pump(createGunzip(ZLIB_OPTIONS))
  }

  get takenBytes(): number {
    return this.#pump.consumedBytes
  }

  async read(): Promise<Buffer | undefined> {
    while (!this.#isRead) {
      const chunk = await this.#take()
      if (chunk !== undefined) {
        this.#outBytes += chunk.length
        checkLimits(this.#path, this.#limits, {
          encoding: 'gzip',
          inBytes: this.#pump.consumedBytes,
          outBytes: this.#outBytes,
        })
        return chunk
      }
      if (this.#isComplete()) return await this.#checkRest()
      await this.#feed()
    }
    return undefined
  }

  close(): void {
    this.#pump.close()
    this.#input.close()
  }

  async #take(): Promise<Buffer | undefined> {
    try {
      return await this.#pump.take()
    } catch (thrown) {
      if (!(thrown instanceof Error) || thrown instanceof SluiceError) throw thrown
      if (this.#pump.isClosed) throw cannotRead(this.#path, this.#pump.consumedBytes, thrown)
      throw corrupt(this.#path, this.#pump.consumedBytes, thrown.message, thrown)
    }
  }

  async #feed(): Promise<void> {
    const block = await this.#input.read()
    if (block === undefined) return this.#pump.finish()
    this.#blockAt += this.#block.length
    this.#block = block
    this.#pump.put(block)
  }

  /** Whether the data has ended: the stream says so late, but stops consuming at once. */
  #isComplete(): boolean {
    return this.#pump.hasEnded || this.#pump.consumedBytes < this.#blockAt + this.#block.length
  }

  /** Zeros after the data are padding of tapes and block devices; anything else was meant to be read. */
  async #checkRest(): Promise<undefined> {
    let at = this.#pump.consumedBytes
    let rest: Buffer | undefined = this.#block.subarray(at - this.#blockAt)
    for (; rest !== undefined; rest = await this.#input.read()) {
      const garbage = rest.findIndex((byte) => byte !== 0)
      if (garbage !== -1) throw corrupt(this.#path, at + garbage, 'something follows the end of its data')
      at += rest.length
    }
    this.#isRead = true
    return undefined
  }
}
