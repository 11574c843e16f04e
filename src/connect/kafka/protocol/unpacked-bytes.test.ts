import { equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compressionsAlgorithms } from '@platformatic/kafka'
import fc from 'fast-check'
import { decompressor } from './decompress.ts'
import { lz4Bytes, snappyBytes } from './unpacked-bytes.ts'

const { lz4, snappy } = compressionsAlgorithms

/** Texts that repeat themselves in part, as records do. None is empty: the package that packs them may fail at that. */
const contents = fc
  .array(fc.tuple(fc.uint8Array({ maxLength: 50 }), fc.integer({ min: 1, max: 400 })), { maxLength: 20 })
  .map((parts) => Buffer.concat(parts.flatMap(([bytes, times]) => Array<Uint8Array>(times).fill(bytes))))
  .filter(({ length }) => length > 0)

/** As clients of Java write Snappy: in blocks with their lengths. */
function xerial(content: Buffer): Buffer {
  const blocks: Buffer[] = [Buffer.from('82534e41505059000000000100000001', 'hex')]
  for (let at = 0; at < content.length; at += 1000) {
    const block = Buffer.from(snappy.compressSync(content.subarray(at, at + 1000)))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(block.length)
    blocks.push(length, block)
  }
  return Buffer.concat(blocks)
}

describe('what packed records become', () => {
  it('S6: is told before they are unpacked', () => {
    fc.assert(
      fc.property(contents, (content) => {
        equal(lz4Bytes(Buffer.from(lz4.compressSync(content))), content.length)
        equal(snappyBytes(Buffer.from(snappy.compressSync(content))), content.length)
        equal(snappyBytes(xerial(content)), content.length)
      }),
    )
  })

  it('S6: is worked out for any bytes, and ends', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (bytes, at) => {
        const frame = Buffer.from(lz4.compressSync(Buffer.alloc(2000, 'ab')))
        frame.set(bytes.subarray(0, frame.length - 1), 0)
        equal(lz4Bytes(frame) >= 0 && lz4Bytes(Buffer.from(bytes)) >= 0, true)
        const packed = xerial(Buffer.alloc(3000, 'ab'))
        packed[at % packed.length] = at & 0xff
        equal(snappyBytes(packed) >= 0, true)
      }),
    )
  })

  it('S6: keeps bombs from being unpacked at all', () => {
    const never = (): never => {
      throw new Error('it was unpacked')
    }
    const decompress = decompressor({ title: 'topic a', maxBytes: 1_000_000, snappy: never, lz4: never })
    const zeros = Buffer.alloc(100_000_000)
    for (const [kind, packed] of [
      [2, snappy.compressSync(zeros)],
      [2, xerial(zeros.subarray(0, 2_000_000))],
      [3, lz4.compressSync(zeros)],
    ] as const) {
      throws(() => decompress(kind, Buffer.from(packed), 7), { code: 'SOURCE_LIMIT' })
    }
  })
})
