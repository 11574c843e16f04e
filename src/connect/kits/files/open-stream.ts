// Opens what cannot be sought: standard input, a pipe, a device.

import type { Readable } from 'node:stream'
import type { SplitReader } from '../../source.ts'
import type { Blocks } from './bytes/blocks.ts'
import { gather } from './bytes/blocks.ts'
import { decode } from './bytes/decode.ts'
import { MAGIC_BYTES, tellEncoding } from './bytes/encoding.ts'
import type { Limits } from './bytes/limits.ts'
import { StreamBlocks } from './bytes/stream-blocks.ts'
import { type FilePosition, NOWHERE } from './identity.ts'
import { HEAD_LINES_BYTES } from './records/head-lines.ts'
import { LineReader } from './records/line-reader.ts'
import type { Records } from './records/records.ts'

/** What opening content requires, wherever it comes from. */
export interface OpenContentOptions<T> {
  readonly records: Records<T>
  readonly limits: Limits
  /**
   * Where an earlier run stopped: for a stream, lines and offsets continue from there, so that no two records share
   * them.
   */
  readonly from: FilePosition | undefined
  readonly signal?: AbortSignal | undefined
  /** Called once if nearly all of the first records are rejected. */
  readonly onRefused?: ((note: string) => void) | undefined
}

export interface OpenStreamOptions<T> extends OpenContentOptions<T> {
  readonly stream: Readable
  /** The source of origins, and the name in errors. */
  readonly name: string
  /** Releases the stream. */
  readonly release: () => Promise<void>
}

/**
 * Opens a stream for reading, once its first line is there.
 *
 * A stream cannot be read again: an error in compressed data shows only after the lines before it were returned, and
 * what was returned and not committed is lost to a later run.
 */
export async function openStream<T>(options: OpenStreamOptions<T>): Promise<SplitReader<T>> {
  const { stream, name, records, from } = options
  const raw = new StreamBlocks(stream, name, options.signal)
  try {
    const magic = await gather(raw, (bytes) => bytes.length >= MAGIC_BYTES)
    const stored = new Prefixed(magic.bytes, raw)
    const content = decode(tellEncoding(magic.bytes), stored, name, options.limits)
    const head = await gather(content, (bytes) => bytes.length >= HEAD_LINES_BYTES || records.isEnough(bytes))
    const { start, cut, parse, scan } = records.open({
      path: name,
      start: head.bytes,
      bytes: () => head.bytes.subarray(0, HEAD_LINES_BYTES),
      isWhole: head.isWhole,
    })
    // A resumed stream is another text, with a header of its own.
    const offset = (from?.offset ?? 0) + start.offset
    const cutter = cut({ offset, line: (from?.line ?? 1) + start.line - 1, isFileStart: start.offset === 0 })
    const blocks = new Prefixed(head.bytes.subarray(start.offset), content)
    return new LineReader({
      source: name,
      step: records.name,
      onRefused: options.onRefused,
      blocks,
      cutter,
      parse,
      scan: scan?.(),
      // Standard input cannot be read again: a later run only continues counting.
      positionAt: (isDone) => ({ ...NOWHERE, encoding: 'stream', offset: cutter.offset, line: cutter.line, isDone }),
      doneBytesAt: () => (blocks.isBegun ? raw.takenBytes : 0),
      release: options.release,
    })
  } catch (thrown) {
    raw.close()
    await options.release()
    throw thrown
  }
}

/** Blocks with bytes put back in front of them. */
class Prefixed implements Blocks {
  readonly #blocks: Blocks
  /** What was put back, until it is read. */
  #prefix: Buffer | undefined

  constructor(prefix: Buffer, blocks: Blocks) {
    this.#prefix = prefix.length > 0 ? prefix : undefined
    this.#blocks = blocks
  }

  get takenBytes(): number {
    return this.#blocks.takenBytes
  }

  /** Whether what was put back has been read. */
  get isBegun(): boolean {
    return this.#prefix === undefined
  }

  async read(): Promise<Buffer | undefined> {
    const prefix = this.#prefix
    this.#prefix = undefined
    return prefix ?? (await this.#blocks.read())
  }

  close(): void {
    this.#blocks.close()
  }
}
