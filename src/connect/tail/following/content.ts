// A file that may be a known one: what its content says about it.

import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { orClose } from '../../../base/closing.ts'
import { isSluiceError } from '../../../base/errors.ts'
import type { Blocks } from '../../kits/files/bytes/blocks.ts'
import { decode } from '../../kits/files/bytes/decode.ts'
import { type Encoding, tellEncoding } from '../../kits/files/bytes/encoding.ts'
import { FileBlocks } from '../../kits/files/bytes/file-blocks.ts'
import type { Limits } from '../../kits/files/bytes/limits.ts'
import type { Charset } from '../../kits/files/characters/charset.ts'
import { foreignOf } from '../../kits/files/characters/encoded-records.ts'
import { HEAD_BYTES, matches, readAt } from '../../kits/files/identity.ts'
import { LAST_BYTES, lastBytes } from '../../kits/files/records/open-line.ts'
import type { Place } from './place.ts'
import { beginAlike, prefixHashOf } from './prefix-hash.ts'

/** The block size for reading compressed data. */
const STORED_BLOCK_BYTES = 64 * 1024

const NOTHING: Buffer = Buffer.alloc(0)

/**
 * How a content relates to a position:
 *
 * - `goes on`: it holds all that was read there, and may hold more.
 * - `cut`: it is a beginning of what was read there, as far as can be told.
 * - `other`: it is another file, or nothing can be told.
 */
export type Relation = { readonly kind: 'goes on'; readonly hasMore: boolean } | { readonly kind: 'cut' | 'other' }

/** The result of reading a compressed content through. */
export type Soundness =
  | { readonly kind: 'sound'; readonly sizeBytes: number; readonly before: Buffer }
  | { readonly kind: 'broken'; readonly reason: string }

export interface ContentOptions {
  readonly limits: Limits
  readonly signal: AbortSignal
}

/** An open file being examined. Holds one descriptor until it is closed. */
export class Content {
  readonly path: string
  readonly handle: FileHandle
  readonly inode: string
  readonly sizeBytes: number
  readonly encoding: Encoding
  /** The first bytes of the content; empty for a compressed file that cannot be read. */
  readonly head: Buffer
  readonly prefixHash: string
  readonly #options: ContentOptions

  constructor(
    parts: Pick<Content, 'path' | 'handle' | 'inode' | 'sizeBytes' | 'encoding' | 'head'>,
    options: ContentOptions,
  ) {
    this.path = parts.path
    this.handle = parts.handle
    this.inode = parts.inode
    this.sizeBytes = parts.sizeBytes
    this.encoding = parts.encoding
    this.head = parts.head
    this.prefixHash = prefixHashOf(parts.head)
    this.#options = options
  }

  /**
   * @throws the system's error
   */
  static async open(path: string, options: ContentOptions): Promise<Content> {
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    return await orClose(handle, async () => {
      const stats = await handle.stat({ bigint: true })
      const start = await readAt(handle, 0, HEAD_BYTES)
      const parts = {
        path,
        handle,
        inode: `${stats.dev}:${stats.ino}`,
        sizeBytes: Number(stats.size),
        encoding: tellEncoding(start),
      }
      if (parts.encoding === 'plain') return new Content({ ...parts, head: start }, options)
      return new Content(
        { ...parts, head: await headOfStored(new Content({ ...parts, head: NOTHING }, options)) },
        options,
      )
    })
  }

  /** The content from its first byte on. */
  blocks(): Blocks {
    const { path, handle, sizeBytes } = this
    const { limits, signal } = this.#options
    const stored = new FileBlocks(handle, { path, sizeBytes, blockBytes: STORED_BLOCK_BYTES, signal })
    return decode(this.encoding, stored, path, limits)
  }

  /** What the content is if it does not hold text in an encoding. */
  foreignAs(charset: Charset | undefined): string | undefined {
    return foreignOf(this.head, charset)
  }

  /** Whether the content's first bytes match those of a position, or are too few to tell. */
  beginsLike(place: Place): boolean {
    const { offset, tail, prefixHash } = place
    if (offset === 0 || this.head.length === 0 || !beginAlike(this.prefixHash, prefixHash)) return false
    if (offset > this.head.length) return this.prefixHash !== ''
    return matches(this.head.subarray(offset - tail.bytes, offset), tail)
  }

  /** How this file relates to a position in plain content, or in content compressed since. */
  async relate(place: Place): Promise<Relation> {
    if (!beginAlike(this.prefixHash, place.prefixHash)) return { kind: 'other' }
    if (this.encoding === 'plain') return await this.#relatePlain(place)
    if (this.head.length === 0) return { kind: 'other' }
    const found = await this.readThrough(place.offset)
    if (found.kind === 'broken') return { kind: 'other' }
    return relationOf(found.sizeBytes, found.before, place)
  }

  /**
   * Whether this file is a copy of another in its current state, or the beginning of one still being written. A
   * compressed copy is then incomplete: its first bytes must suffice.
   */
  async isCopyOf(original: Content): Promise<boolean> {
    const { head, sizeBytes } = this
    if (head.length === 0 || !head.equals(original.head.subarray(0, head.length))) return false
    if (this.encoding !== 'plain' || original.encoding !== 'plain') return true
    if (original.sizeBytes < sizeBytes) return false
    const bytes = Math.min(sizeBytes, LAST_BYTES)
    const last = await readAt(this.handle, sizeBytes - bytes, bytes)
    return last.equals(await readAt(original.handle, sizeBytes - bytes, bytes))
  }

  /** Reads a compressed content to its end, which shows whether it is intact, and finds the bytes before an offset. */
  async readThrough(offset: number): Promise<Soundness> {
    const blocks = this.blocks()
    let sizeBytes = 0
    let before: Buffer = NOTHING
    try {
      for (let block = await blocks.read(); block !== undefined; block = await blocks.read()) {
        if (sizeBytes < offset) before = lastBytes(before, block.subarray(0, offset - sizeBytes))
        sizeBytes += block.length
      }
      return { kind: 'sound', sizeBytes, before }
    } catch (thrown) {
      if (!isSluiceError(thrown) || thrown.code === 'SOURCE_UNREADABLE') throw thrown
      return { kind: 'broken', reason: thrown.message }
    } finally {
      blocks.close()
    }
  }

  /** The length of the content by the last bytes of gzip data, modulo 2³²; undefined if they do not say. */
  async statedBytes(): Promise<number | undefined> {
    if (this.encoding !== 'gzip' || this.sizeBytes < 18) return undefined
    return (await readAt(this.handle, this.sizeBytes - 4, 4)).readUInt32LE(0)
  }

  async #relatePlain(place: Place): Promise<Relation> {
    const { bytes } = place.tail
    const before = await readAt(this.handle, place.offset - bytes, bytes)
    return relationOf(this.sizeBytes, before, place)
  }

  async close(): Promise<void> {
    await this.handle.close()
  }
}

function relationOf(sizeBytes: number, before: Buffer, place: Place): Relation {
  // A sketch that has no sample yet says nothing.
  if (sizeBytes < place.offset) return { kind: sizeBytes >= 16 && place.prefixHash !== '' ? 'cut' : 'other' }
  if (place.offset === 0 || !matches(before.subarray(-place.tail.bytes), place.tail)) return { kind: 'other' }
  return { kind: 'goes on', hasMore: sizeBytes > place.offset }
}

async function headOfStored(content: Content): Promise<Buffer> {
  const blocks = content.blocks()
  let head: Buffer = NOTHING
  try {
    while (head.length < HEAD_BYTES) {
      const block = await blocks.read()
      if (block === undefined) break
      head = Buffer.concat([head, block.subarray(0, HEAD_BYTES - head.length)])
    }
  } catch (thrown) {
    if (!isSluiceError(thrown)) throw thrown
    // A file that is still being compressed: as much as there is of it.
  } finally {
    blocks.close()
  }
  return head
}
