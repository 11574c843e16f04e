// A file that was read before: its first bytes, and whether a record is still where it was.

import { closeSync, openSync, statSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import * as zlib from 'node:zlib'
import { errnoOf } from '../../../base/errors.ts'
import { type Encoding, tellEncoding } from './bytes/encoding.ts'
import { readSyncAt } from './bytes/read-bytes.ts'
import type { Charset } from './characters/charset.ts'
import { HEAD_LINES_BYTES } from './records/head-lines.ts'
import { replaceEscapes } from './records/raw.ts'
import type { ContentHead } from './records/records.ts'

/** The input for the first bytes of decompressed content: incompressible data becomes a little larger. */
const STORED_BYTES = HEAD_LINES_BYTES + 8192
/** The most bytes of a character unit here. */
const MOST_BYTES_OF_UNIT = 4
/** What they may become. */
const MOST_BYTES = 64 * 1024 * 1024
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])

export class ReopenedFile {
  readonly head: ContentHead
  readonly #first: Buffer
  readonly #encoding: Encoding
  readonly #charset: Charset | undefined

  private constructor(path: string, first: Buffer, isWhole: boolean, encoding: Encoding, charset?: Charset) {
    this.head = { path, start: first, bytes: () => first, isWhole }
    this.#first = first
    this.#encoding = encoding
    this.#charset = charset
  }

  /** Synchronously examines a file; returns any objection. */
  static open(path: string, charset: Charset | undefined): ReopenedFile | string {
    if (!isAbsolute(path)) return 'which was standard input'
    try {
      // Opening a pipe would block until there is a writer.
      if (!statSync(path).isFile()) return 'which is not a regular file'
      const stored = readFrom(path, 0, STORED_BYTES)
      const encoding = tellEncoding(stored)
      const isAll = stored.length < STORED_BYTES
      const content = contentOf(stored, encoding, isAll)
      if (content === undefined) return 'whose first lines cannot be determined'
      const isWhole = isAll && content.length <= HEAD_LINES_BYTES
      return new ReopenedFile(path, content.subarray(0, HEAD_LINES_BYTES), isWhole, encoding, charset)
    } catch (thrown) {
      return `which cannot be read any more: ${errnoOf(thrown)}`
    }
  }

  /** Whether a record is where it was; true if that cannot be verified without reading everything before it. */
  holds(text: string, offset: number): boolean {
    // Invalid bytes may have been written otherwise.
    if (text.includes('\ufffd') || text.includes('\\x')) return true
    return this.#textAt(offset, text)?.startsWith(text) ?? true
  }

  /**
   * Whether what looks like escaped bytes in a raw form is text in the file, or was bytes; undefined if that is
   * unknown.
   */
  tell(raw: string, offset: number): 'text' | 'bytes' | undefined {
    const text = this.#textAt(offset, raw)
    if (text === undefined) return undefined
    if (text.startsWith(raw)) return 'text'
    const [before = ''] = replaceEscapes(raw).split('\ufffd', 1)
    return text.startsWith(`${before}\ufffd`) ? 'bytes' : undefined
  }

  /** The text from a position, at least as long as another, and without a byte order mark. */
  #textAt(offset: number, { length }: string): string | undefined {
    const most = MOST_BYTES_OF_UNIT * length + 4
    const { path, isWhole } = this.head
    const bytes = this.#first
    if (this.#encoding !== 'plain' && offset + most > bytes.length && !isWhole) return undefined
    const found = this.#encoding === 'plain' ? readFrom(path, offset, most) : bytes.subarray(offset, offset + most)
    return new TextDecoder(this.#charset?.name).decode(found)
  }
}

/** The decompressed first bytes of a file; undefined if they might be fewer than a format is shown. */
function contentOf(stored: Buffer, encoding: Encoding, isAll: boolean): Buffer | undefined {
  if (encoding === 'plain') return stored
  const { Z_SYNC_FLUSH } = zlib.constants
  if (encoding === 'gzip') return zlib.gunzipSync(stored, { finishFlush: Z_SYNC_FLUSH, maxOutputLength: MOST_BYTES })
  const content = zlib.zstdDecompressSync(stored, {
    finishFlush: zlib.constants.ZSTD_e_flush,
    maxOutputLength: MOST_BYTES,
  })
  // Only the first of several frames is decompressed.
  const isOne = stored.indexOf(ZSTD) === 0 && stored.indexOf(ZSTD, 1) === -1
  return content.length >= HEAD_LINES_BYTES || (isAll && isOne) ? content : undefined
}

function readFrom(path: string, offset: number, length: number): Buffer {
  const file = openSync(path, 'r')
  try {
    return readSyncAt(file, offset, length)
  } finally {
    closeSync(file)
  }
}
