// The unpacked size of compressed records, computed before unpacking, for codecs without a limit.

const LZ4_MAGIC = 0x184d2204
/** Flags of an LZ4 frame: what blocks and frame have beside their data. */
const HAS_BLOCK_CHECKSUMS = 0x10
const HAS_SIZE = 0x08
const HAS_DICTIONARY = 0x01
const IS_STORED = 0x80000000

/**
 * The unpacked size of an LZ4 frame, from the lengths of its blocks; a damaged rest does not count.
 *
 * @example
 * lz4Bytes(Buffer.from('04224d186040820c0000001f6101000e6061616161616100000000', 'hex')) // => 40
 */
export function lz4Bytes(frame: Buffer): number {
  if (frame.length < 7 || frame.readUInt32LE(0) !== LZ4_MAGIC) return 0
  const flags = frame[4] ?? 0
  let at = 7 + ((flags & HAS_SIZE) === 0 ? 0 : 8) + ((flags & HAS_DICTIONARY) === 0 ? 0 : 4)
  let size = 0
  while (at + 4 <= frame.length) {
    const header = frame.readUInt32LE(at)
    const bytes = header & ~IS_STORED
    if (header === 0) break
    at += 4
    size += header >>> 31 === 1 ? bytes : blockBytes(frame.subarray(at, at + bytes))
    at += bytes + ((flags & HAS_BLOCK_CHECKSUMS) === 0 ? 0 : 4)
  }
  return size
}

function blockBytes(block: Buffer): number {
  let at = 0
  /** A length of four bits, continued in further bytes if it is 15. */
  const length = (bits: number): number => {
    let sum = bits
    if (bits < 15) return sum
    for (;;) {
      const more = block[at] ?? 0
      at += 1
      sum += more
      if (more < 255) return sum
    }
  }
  let size = 0
  while (at < block.length) {
    const token = block[at] as number
    at += 1
    const literals = length(token >> 4)
    at += literals
    size += literals
    if (at >= block.length) break
    // Where to copy from.
    at += 2
    size += 4 + length(token & 0x0f)
  }
  return size
}

/** The header of Java clients before Snappy, with the length of each block. */
const XERIAL = Buffer.from('82534e4150505900', 'hex')
const XERIAL_HEAD_BYTES = 16

/** The unpacked size of Snappy, as its blocks declare: no block expands beyond that. */
export function snappyBytes(bytes: Buffer): number {
  if (!bytes.subarray(0, XERIAL.length).equals(XERIAL)) return statedBytes(bytes)
  let size = 0
  for (let at = XERIAL_HEAD_BYTES; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at)
    size += statedBytes(bytes.subarray(at + 4))
    at += 4 + length
  }
  return size
}

/** A varint, least significant bits first. */
function statedBytes(block: Buffer): number {
  let size = 0
  for (let at = 0; at < 5; at += 1) {
    const byte = block[at] ?? 0
    size += (byte & 0x7f) * 2 ** (7 * at)
    if (byte < 0x80) break
  }
  return size
}
