// Decompresses Snappy and LZ4 blocks: at once, or in pieces from bytes read meanwhile.

import { type BlockDecoder, type BlockInput, TooFar } from './blocks.ts'
import { Damage } from './errors.ts'

export type DecoderOf = (input: BlockInput, sizeBytes: number) => BlockDecoder

/** How far back a copy reaches: always for LZ4, and in all known writers for Snappy. */
const WINDOW_BYTES = 65_536
const PIECE_BYTES = 65_536

/** A whole block. */
export function wholeBlock(decoderOf: DecoderOf, bytes: Buffer, sizeBytes: number): Buffer {
  const out = Buffer.allocUnsafeSlow(sizeBytes)
  try {
    const input = { bytes, at: 0, isWhole: true }
    if (decoderOf(input, sizeBytes).fill(out, 0) === sizeBytes && input.at === bytes.length) return out
  } catch (thrown) {
    throw thrown instanceof TooFar ? new Damage(thrown.message) : thrown
  }
  throw new Damage(`a compressed block does not hold the ${sizeBytes} bytes that it should`)
}

/**
 * Pieces of a block. Each is a view of a buffer that the next one overwrites. As much history is kept as copies reach
 * back; if one reaches further, the block is decompressed as a whole.
 */
export async function* blockPieces(
  decoderOf: DecoderOf,
  slices: () => AsyncIterable<Buffer>,
  sizeBytes: number,
): AsyncGenerator<Buffer> {
  const out = Buffer.allocUnsafeSlow(WINDOW_BYTES + PIECE_BYTES)
  let given = 0
  let from = 0
  try {
    const input: BlockInput = { bytes: Buffer.alloc(0), at: 0, isWhole: false }
    const more = slices()[Symbol.asyncIterator]()
    let decoder: BlockDecoder | undefined
    while (given < sizeBytes) {
      const end = Math.min(out.length, from + sizeBytes - given)
      const to: number = decoder === undefined ? from : decoder.fill(out.subarray(0, end), from)
      if (to === from) {
        if (input.isWhole) return
        const { done, value } = await more.next()
        if (done === true) {
          input.isWhole = true
        } else {
          input.bytes = Buffer.concat([input.bytes.subarray(input.at), value])
          input.at = 0
        }
        decoder ??= decoderOf(input, sizeBytes)
        continue
      }
      yield out.subarray(from, to)
      given += to - from
      const kept = Math.min(to, WINDOW_BYTES)
      out.copyWithin(0, to - kept, to)
      from = kept
    }
  } catch (thrown) {
    if (!(thrown instanceof TooFar)) throw thrown
    const parts: Buffer[] = []
    for await (const slice of slices()) parts.push(Buffer.from(slice))
    yield wholeBlock(decoderOf, Buffer.concat(parts), sizeBytes).subarray(given)
  }
}
