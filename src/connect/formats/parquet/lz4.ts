// LZ4 blocks, bare and framed by Hadoop.

import { type BlockDecoder, type BlockInput, blockDecoder } from './blocks.ts'
import { Damage } from './errors.ts'

export function lz4Decoder(input: BlockInput): BlockDecoder {
  /** The token whose copy follows its literals. */
  let token: number | undefined
  return blockDecoder(input, (bytes, from, step) => {
    if (token === undefined) {
      const next = bytes.readUInt8(from)
      const read = lengthOf(bytes, from + 1, next >> 4)
      token = next
      step.literal = read.length
      return read.at
    }
    const read = lengthOf(bytes, from + 2, token & 0x0f)
    step.distance = bytes.readUInt16LE(from)
    step.copy = read.length + 4
    token = undefined
    return read.at
  })
}

/** A length of four bits, which continues in further bytes if it is 15. */
function lengthOf(bytes: Buffer, from: number, bits: number): { length: number; at: number } {
  let [length, at] = [bits, from]
  if (bits < 15) return { length, at }
  for (;;) {
    const byte = bytes[at]
    if (byte === undefined) throw new Damage('a compressed block ends early')
    at += 1
    length += byte
    if (byte < 255) return { length, at }
  }
}

/** Blocks each preceded by their size and decompressed size; undefined if the bytes are something else. */
export function hadoopBlocks(bytes: Buffer, sizeBytes: number): { block: Buffer; sizeBytes: number }[] | undefined {
  const blocks: { block: Buffer; sizeBytes: number }[] = []
  let left = sizeBytes
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 8) return undefined
    const [size, length] = [bytes.readUInt32BE(at), bytes.readUInt32BE(at + 4)]
    if (size > left || length > bytes.length - at - 8) return undefined
    blocks.push({ block: bytes.subarray(at + 8, at + 8 + length), sizeBytes: size })
    left -= size
    at += 8 + length
  }
  return left === 0 ? blocks : undefined
}
