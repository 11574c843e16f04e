// Opens the files of a tail, a bounded number of them at a time.

import type { Clock } from '../../../base/clock.ts'
import { orClose } from '../../../base/closing.ts'
import type { LineFormat } from '../../format.ts'
import { Content, type ContentOptions } from './content.ts'
import type { Followed } from './followed.ts'
import { GROWING_BLOCK_BYTES, GrowingFile } from './growing.ts'
import type { OpenRetry } from './open-retry.ts'
import type { TailText } from './opened.ts'
import { StoredFile } from './stored.ts'

export interface OpenFilesOptions<T> {
  readonly format: LineFormat<T>
  readonly maxLineBytes: number
  readonly text: TailText
  readonly maxOpenFiles: number
  readonly content: ContentOptions
  readonly retry: OpenRetry
  readonly clock: Clock
}

/**
 * The result of opening: `busy` must be retried after the next scan, `replaced` means that the file does not hold what
 * was read of it, and `unknown` that nothing was read, and that it is of another kind than expected.
 */
export type Opening = 'open' | 'busy' | 'replaced' | 'unknown'

/** The open files, the most recently used last. */
export class OpenFiles<T> {
  readonly #options: OpenFilesOptions<T>
  #open: Followed<T>[] = []
  /** The read buffer for plain files; their lines are taken before it is another's turn. */
  readonly #block: Buffer = Buffer.allocUnsafeSlow(GROWING_BLOCK_BYTES)

  constructor(options: OpenFilesOptions<T>) {
    this.#options = options
  }

  get count(): number {
    return this.#open.length
  }

  /** Opens a file at its position, if it is not open; another one may be closed for it. */
  async open(file: Followed<T>): Promise<Opening> {
    const { retry, clock, maxOpenFiles } = this.#options
    this.#open = this.#open.filter((one) => one !== file && one.opened !== undefined)
    if (file.opened === undefined) {
      try {
        await this.#leave(maxOpenFiles - 1)
        const opening = await this.#openNow(file)
        if (opening !== 'open') return opening
        retry.succeeded(file.path)
      } catch (thrown) {
        this.#options.content.signal.throwIfAborted()
        // Fewer of ours, so that others get theirs.
        await this.#leave(Math.floor(this.#open.length / 2))
        retry.bear(file.path, thrown, clock.nowMs())
        return 'busy'
      }
    }
    this.#open.push(file)
    return 'open'
  }

  async close(): Promise<void> {
    await this.#leave(0)
  }

  /** Closes files until `most` are left: first those that can be found again and have nothing to read. */
  async #leave(most: number): Promise<void> {
    const rank = (file: Followed<T>): number => (file.isSighted ? 0 : 2) + (file.isDue ? 1 : 0)
    const inOrder = [...this.#open].sort((a, b) => rank(a) - rank(b))
    const closed = new Set(inOrder.slice(0, Math.max(0, inOrder.length - most)))
    this.#open = this.#open.filter((file) => !closed.has(file))
    for (const file of closed) await file.close()
  }

  async #openNow(file: Followed<T>): Promise<Opening> {
    const { format, maxLineBytes, text } = this.#options
    const content = await Content.open(file.path, this.#options.content)
    return await orClose(content, async () => {
      const opening = await this.#check(file, content)
      if (opening !== 'open') {
        await content.close()
        return opening
      }
      const { place } = file
      const source = place.number > 1 ? `${place.name}#${place.number}` : place.name
      const options = { format, maxLineBytes, text, source, place, content }
      const isPlain = content.encoding === 'plain'
      file.opened = await (isPlain ? GrowingFile.open({ ...options, block: this.#block }) : StoredFile.open(options))
      return 'open'
    })
  }

  async #check(file: Followed<T>, content: Content): Promise<Opening> {
    const { place } = file
    // It was renamed since it was seen: the next scan finds it.
    if (content.inode !== place.inode) return 'busy'
    if (content.encoding !== file.encoding) return place.offset > 0 ? 'replaced' : 'unknown'
    if (place.offset === 0 && content.foreignAs(this.#options.text.charset) !== undefined) return 'unknown'
    if (place.offset === 0 || content.encoding !== 'plain') return 'open'
    return (await content.relate(place)).kind === 'goes on' ? 'open' : 'replaced'
  }
}
