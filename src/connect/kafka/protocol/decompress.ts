// Decompresses the records of a batch, up to a limit: a few kilobytes can expand to gigabytes.

import * as zlib from 'node:zlib'
import { messageOf, SluiceError } from '../../../base/errors.ts'
import { BadBatch, type Decompress } from './records.ts'
import { lz4Bytes, snappyBytes } from './unpacked-bytes.ts'

export interface DecompressOptions {
  /** Whose records these are, for errors. */
  readonly title: string
  /** The most that one batch may expand to. */
  readonly maxBytes: number
  /** Codecs that Node does not have. */
  readonly snappy: (bytes: Buffer) => Buffer
  readonly lz4: (bytes: Buffer) => Buffer
}

/**
 * @returns throws BadBatch for invalid data, SluiceError SOURCE_LIMIT for too much: before it expands
 */
export function decompressor({ title, maxBytes, snappy, lz4 }: DecompressOptions): Decompress {
  const limit = { maxOutputLength: maxBytes }
  const checkBytes = (told: number): void => {
    if (told > maxBytes) throw new RangeError(`it becomes ${told} bytes`)
  }
  const plain = (kind: number, bytes: Buffer): Buffer => {
    switch (kind) {
      case 0:
        return bytes
      case 1:
        return zlib.gunzipSync(bytes, { ...limit, finishFlush: zlib.constants.Z_SYNC_FLUSH })
      case 2:
        checkBytes(snappyBytes(bytes))
        return snappy(bytes)
      case 3:
        checkBytes(lz4Bytes(bytes))
        return lz4(bytes)
      case 4:
        return zlib.zstdDecompressSync(bytes, limit)
      default:
        throw new Error(`compression ${kind} is unknown`)
    }
  }
  const tooLarge = (offset: number): SluiceError<'SOURCE_LIMIT'> => {
    const message = `Cannot read ${title}: the batch at offset ${offset} is over ${maxBytes} bytes (maxBatchBytes)`
    return new SluiceError('SOURCE_LIMIT', message, { source: title, limit: maxBytes, found: maxBytes + 1 })
  }
  return (kind, bytes, offset) => {
    let done: Buffer
    try {
      done = plain(kind, bytes)
    } catch (error) {
      if (error instanceof RangeError) throw tooLarge(offset)
      throw new BadBatch(offset, `it cannot be decompressed (${messageOf(error)})`)
    }
    if (done.length > maxBytes) throw tooLarge(offset)
    return done
  }
}
