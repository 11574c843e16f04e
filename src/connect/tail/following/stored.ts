// A compressed file found intact: its content from a position to its end.

import { orClose } from '../../../base/closing.ts'
import type { Blocks } from '../../kits/files/bytes/blocks.ts'
import { gather, skip } from '../../kits/files/bytes/blocks.ts'
import { HEAD_LINES_BYTES } from '../../kits/files/records/head-lines.ts'
import type { Content } from './content.ts'
import { type Fill, type Opened, TailLines, type TailLinesOptions } from './opened.ts'

const NOTHING: Buffer = Buffer.alloc(0)

export interface StoredOptions<T> extends Omit<TailLinesOptions<T>, 'before' | 'head'> {
  readonly content: Content
}

/** Continues reading a compressed file. It is complete: its end is the end of its last line. */
export class StoredFile<T> implements Opened<T> {
  readonly lines: TailLines<T>
  readonly #content: Content
  readonly #blocks: Blocks
  /** What follows the position in the block that it was found in. */
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

  /** Opens a file whose content was found to continue from the position. */
  static async open<T>(options: StoredOptions<T>): Promise<StoredFile<T>> {
    const { content, place } = options
    const head = await firstOf(content, HEAD_LINES_BYTES)
    const blocks = content.blocks()
    return await orClose(blocks, async () => {
      const { before, rest } = await skip(blocks, place.offset)
      const file = new StoredFile(options, blocks, before, rest)
      file.lines.prepare(
        () => head,
        ({ length }) => length < HEAD_LINES_BYTES,
      )
      return file
    })
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
  try {
    const first = await gather(blocks, ({ length }) => length >= bytes)
    return first.bytes.subarray(0, bytes)
  } finally {
    blocks.close()
  }
}
