// How a file is encoded, detected by its first bytes: names lie, magic numbers seldom do.

export type Encoding = 'plain' | 'gzip' | 'zstd'

/** How many bytes that takes. */
export const MAGIC_BYTES = 4

const GZIP = 0x8b1f
const ZSTD = 0xfd2fb528
/** The first of sixteen numbers of skippable frames; parallel compressors begin with one. */
const ZSTD_SKIPPABLE = 0x184d2a50

/**
 * Detects how a file is encoded, whatever its name.
 *
 * @param head - its first bytes, {@link MAGIC_BYTES} or as many as there are
 * @example
 * tellEncoding(Buffer.from([0x1f, 0x8b, 0x08, 0x00])) // => 'gzip'
 * tellEncoding(Buffer.from('1.2.3.4 - -')) // => 'plain'
 */
export function tellEncoding(head: Buffer): Encoding {
  if (head.length >= 2 && head.readUInt16LE(0) === GZIP) return 'gzip'
  if (head.length < 4) return 'plain'
  const magic = head.readUInt32LE(0)
  return magic === ZSTD || isSkippable(magic) ? 'zstd' : 'plain'
}

/** Whether a zstd frame begins with this number. */
export function isZstdFrame(magic: number): boolean {
  return magic === ZSTD
}

/** Whether a skippable zstd frame begins with this number. */
export function isSkippable(magic: number): boolean {
  return (magic & 0xfffffff0) >>> 0 === ZSTD_SKIPPABLE
}
