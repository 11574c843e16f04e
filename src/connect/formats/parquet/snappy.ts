// Snappy blocks, as Parquet has them.

import { type BlockDecoder, type BlockInput, blockDecoder, type ReadStep } from './blocks.ts'
import { Damage } from './errors.ts'

/** A decoder of a block, which begins with its size: it must be the expected one. */
export function snappyDecoder(input: BlockInput, sizeBytes: number): BlockDecoder {
  let size = 0
  for (let scale = 1; ; scale *= 128) {
    const byte = input.bytes[input.at]
    if (byte === undefined || scale > 2 ** 28) throw new Damage('a Snappy block does not state its size')
    input.at += 1
    size += (byte & 0x7f) * scale
    if (byte < 0x80) break
  }
  if (size !== sizeBytes) throw new Damage(`a Snappy block has ${size} bytes, and should have ${sizeBytes}`)
  return blockDecoder(input, readStep)
}

const readStep: ReadStep = (bytes, at, step) => {
  const tag = bytes[at] as number
  const length = (tag >> 2) + 1
  switch (tag & 3) {
    case 0: {
      const extra = Math.max(0, length - 60)
      step.literal = extra === 0 ? length : bytes.readUIntLE(at + 1, extra) + 1
      return at + 1 + extra
    }
    case 1:
      step.distance = ((tag >> 5) << 8) | bytes.readUInt8(at + 1)
      step.copy = ((tag >> 2) & 7) + 4
      return at + 2
    case 2:
      step.distance = bytes.readUInt16LE(at + 1)
      step.copy = length
      return at + 3
    default:
      step.distance = bytes.readUInt32LE(at + 1)
      step.copy = length
      return at + 5
  }
}
