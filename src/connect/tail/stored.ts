// A compressed file that was found sound: its content from a place on, to its end.

import type { Blocks } from '../files/blocks.ts'
import { HEAD_LINES_BYTES } from '../files/head-lines.ts'
import { lastBytes } from '../files/open-line.ts'
import type { Content } from './content.ts'
import { type Fill, type Opened, TailLines, type TailLinesOptions } from './opened.ts'

const NOTHING: Buffer = Buffer.alloc(0)

export interface StoredOptions<T> extends Omit<TailLinesOptions<T>, 'before' | 'head'> {
  readonly content: Content
}

/** Reads a compressed file on. It is complete: its end is the end of its last line. */
export class StoredFile<T> implements Opened<T> {
  readonly lines: TailLines<T>
  readonly #content: Content
  readonly #blocks: Blocks
  /** What lies behind the place in the block that it was found in. */
  #rest: Buffer
  /** Where the next bytes are. */
  #at: number

  private constructor(options: StoredOptions<T>, blocks: Blocks, before: Buffer, rest: Buffer) {
    this.#content = options.content
    this.#blocks = blocks
    this.#rest = rest
    this.#at = options.place.offset
    this.lines = new TailLines({ ...options, before, head: options.content.head })
  }

  /** Opens a file whose content was found to go on from the place. */
  static async open<T>(options: StoredOptions<T>): Promise<StoredFile<T>> {
    const { content, place } = options
    const head = await firstOf(content, HEAD_LINES_BYTES)
    const blocks = content.blocks()
    try {
      const { before, rest } = await skip(blocks, place.offset)
      const file = new StoredFile(options, blocks, before, rest)
      file.lines.prepare(
        () => head,
        ({ length }) => length < HEAD_LINES_BYTES,
      )
      return file
    } catch (thrown) {
      blocks.close()
      throw thrown
    }
  }

  async fill(): Promise<Fill> {
    const rest = this.#rest
    this.#rest = NOTHING
    const block = rest.length > 0 ? rest : await this.#blocks.read()
    if (block === undefined) return 'end'
    this.lines.push(block, this.#at)
    this.#at += block.length
    return 'more'
  }

  async isLinked(): Promise<boolean> {
    return true
  }

  async close(): Promise<void> {
    this.#blocks.close()
    await this.#content.close()
  }
}

async function firstOf(content: Content, bytes: number): Promise<Buffer> {
  const blocks = content.blocks()
  let first: Buffer = NOTHING
  try {
    for (let block = await blocks.read(); block !== undefined; block = await blocks.read()) {
      first = Buffer.concat([first, block.subarray(0, bytes - first.length)])
      if (first.length === bytes) break
    }
    return first
  } finally {
    blocks.close()
  }
}

/** Reads over the first bytes: the last of them, and what the block holds behind them. */
async function skip(blocks: Blocks, bytes: number): Promise<{ readonly before: Buffer; readonly rest: Buffer }> {
  let before: Buffer = NOTHING
  let left = bytes
  while (left > 0) {
    const block = await blocks.read()
    if (block === undefined) break
    before = lastBytes(before, block.subarray(0, left))
    if (block.length > left) return { before, rest: block.subarray(left) }
    left -= block.length
  }
  return { before, rest: NOTHING }
}
