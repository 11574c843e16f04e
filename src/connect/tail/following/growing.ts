// A plain file that may grow, be truncated, or be overwritten, while it is open.

import { readBytes, readSyncAt } from '../../kits/files/bytes/read-bytes.ts'
import { HEAD_BYTES, readAt } from '../../kits/files/identity.ts'
import { HEAD_LINES_BYTES } from '../../kits/files/records/head-lines.ts'
import { LAST_BYTES, lastBytes } from '../../kits/files/records/open-line.ts'
import type { Content } from './content.ts'
import { type Fill, type Opened, TailLines, type TailLinesOptions } from './opened.ts'

/** How much of a file is read before it is another's turn. */
export const FILL_BYTES: number = 64 * 1024

const LF = 0x0a

export interface GrowingOptions<T> extends Omit<TailLinesOptions<T>, 'before' | 'head'> {
  readonly content: Content
  /** The read buffer: {@link FILL_BYTES} and the bytes that are read again, shared by files that take turns. */
  readonly block: Buffer
}

/** The minimum size of a block. */
export const GROWING_BLOCK_BYTES: number = LAST_BYTES + FILL_BYTES

/**
 * Continues reading a plain file.
 *
 * Each read begins with the bytes that the last one ended with: if they have changed, or are gone, the file was
 * truncated and rewritten, however long it has become since.
 */
export class GrowingFile<T> implements Opened<T> {
  readonly lines: TailLines<T>
  readonly #content: Content
  readonly #block: Buffer
  /** Where the next bytes are. */
  #at: number
  /** The bytes before them. */
  #last: Buffer
  /** Whether only NUL was read since the file's start. */
  #isInHole: boolean

  private constructor(options: GrowingOptions<T>, before: Buffer) {
    const { content, block, place } = options
    this.#content = content
    this.#block = block
    this.#at = place.offset
    this.#last = before
    this.#isInHole = place.offset === 0
    this.lines = new TailLines({ ...options, before, head: content.head.subarray(0, HEAD_BYTES) })
  }

  /** Opens a file whose content was found to continue from the position. */
  static async open<T>(options: GrowingOptions<T>): Promise<GrowingFile<T>> {
    const { content, place } = options
    const bytes = Math.min(place.offset, LAST_BYTES)
    return new GrowingFile(options, await readAt(content.handle, place.offset - bytes, bytes))
  }

  /** How far it was read. */
  get at(): number {
    return this.#at
  }

  async fill(): Promise<Fill> {
    const block = this.#block
    const kept = this.#last.length
    const length = await this.#readAt(this.#at - kept)
    if (length < kept || !block.subarray(0, kept).equals(this.#last)) return 'replaced'
    // One byte is not enough to tell whether it is text.
    const isTooFew = this.#at === 0 && length === 1
    if (length === kept || isTooFew) return 'end'
    this.#push(this.#leaveHole(block.subarray(kept, length)))
    return length === block.length ? 'more' : 'end'
  }

  /** Whether what was read is still there. */
  async isIntact(): Promise<boolean> {
    const kept = this.#last.length
    const now = await readAt(this.#content.handle, this.#at - kept, kept)
    return now.equals(this.#last)
  }

  /** Prepares for the rest to be the last line. */
  async complete(): Promise<void> {
    if (this.#at === 0) {
      const length = await this.#readAt(0)
      if (length > 0) this.#push(this.#block.subarray(0, length))
    }
    if (this.lines.needsFormat) this.#prepare(true)
  }

  async isLinked(): Promise<boolean> {
    return (await this.#content.handle.stat()).nlink > 0
  }

  async close(): Promise<void> {
    await this.#content.close()
  }

  async #readAt(from: number): Promise<number> {
    return await readBytes(this.#content.handle, this.#block, from)
  }

  /**
   * Bytes without the NULs that a file begins with: a program that does not append continues at its old offset when its
   * file is truncated, and leaves a hole before it.
   */
  #leaveHole(fresh: Buffer): Buffer {
    if (!this.#isInHole) return fresh
    const first = fresh.findIndex((byte) => byte !== 0)
    const hole = fresh.subarray(0, first === -1 ? fresh.length : first)
    this.#isInHole = first === -1
    if (hole.length > 0) {
      this.#pass(hole)
      this.lines.skipTo(this.#at, this.#last)
    }
    return fresh.subarray(hole.length)
  }

  #pass(bytes: Buffer): void {
    this.#last = lastBytes(this.#last, bytes)
    this.#at += bytes.length
  }

  #push(fresh: Buffer): void {
    if (fresh.length === 0) return
    if (this.lines.needsFormat && fresh.includes(LF)) this.#prepare(false)
    this.lines.push(fresh, this.#at)
    this.#pass(fresh)
  }

  #prepare(isWhole: boolean): void {
    const head = () => readSyncAt(this.#content.handle.fd, 0, HEAD_LINES_BYTES)
    this.lines.prepare(head, ({ length }) => isWhole && length < HEAD_LINES_BYTES)
  }
}
