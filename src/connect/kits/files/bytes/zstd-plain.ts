// Small zstd frames that need no decompressor, which takes thirty microseconds per frame, however small.

import { isSkippable } from './encoding.ts'

/** Longer ones are worth a decompressor. */
const MOST_BYTES = 1024
const MOST_CONTENT_BYTES = 64 * 1024
/** A decompressor may reject larger windows. */
const MOST_WINDOW = 0x87
/** The smallest window: no block of a frame that has one is larger. */
const WINDOW_BYTES = 1024

const RAW_BLOCK = 0
const RLE_BLOCK = 1
/** In the descriptor: a checksum, a reserved bit, a dictionary. */
const NOT_PLAIN = 0b1111

/**
 * The content of a whole frame of raw or run-length blocks; empty for a skippable one. Undefined for any other, and for
 * a malformed one: a decompressor says what is wrong.
 *
 * @example
 * plainContent(Buffer.from('28b52ffd20010900006a', 'hex'))?.toString() // => 'j'
 */
export function plainContent(frame: Buffer): Buffer | undefined {
  if (frame.length > MOST_BYTES) return undefined
  if (isSkippable(frame.readUInt32LE(0))) return frame.subarray(0, 0)
  const descriptor = frame[4] ?? NOT_PLAIN
  if ((descriptor & NOT_PLAIN) !== 0) return undefined
  const isSingleSegment = (descriptor & 0x20) !== 0
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4][descriptor >> 6]
  if (sizeBytes === undefined || (!isSingleSegment && (frame[5] ?? 0) > MOST_WINDOW)) return undefined
  const sizeAt = isSingleSegment ? 5 : 6
  const blocks: Buffer[] = []
  let size = 0
  let isLast = false
  for (let at = sizeAt + sizeBytes; !isLast; ) {
    const header = frame.readUIntLE(at, 3)
    const kind = (header >> 1) & 0b11
    const bytes = header >> 3
    isLast = (header & 1) === 1
    size += bytes
    at += 3
    if (size > MOST_CONTENT_BYTES || (bytes > WINDOW_BYTES && !isSingleSegment)) return undefined
    if (kind !== RAW_BLOCK && kind !== RLE_BLOCK) return undefined
    blocks.push(kind === RAW_BLOCK ? frame.subarray(at, at + bytes) : Buffer.alloc(bytes, frame[at]))
    at += kind === RAW_BLOCK ? bytes : 1
  }
  // For 2 bytes, excluding the values that fit in one byte.
  const told = sizeBytes === 0 ? size : frame.readUIntLE(sizeAt, sizeBytes) + (sizeBytes === 2 ? 256 : 0)
  return told === size ? Buffer.concat(blocks) : undefined
}
