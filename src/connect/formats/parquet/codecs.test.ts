import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { blockPieces, wholeBlock } from './block-pieces.ts'
import { codecOf } from './codecs.ts'
import { snappyDecoder } from './snappy.ts'

/** An LZ4 block of `length` times `x`: one literal, then a copy of itself. */
function lz4Of(length: number): Buffer {
  const bytes = [0x1f, 0x78, 1, 0]
  let left = length - 1 - 5 - 4 - 15
  for (; left >= 255; left -= 255) bytes.push(255)
  return Buffer.from([...bytes, left, 0x50, ...Buffer.from('xxxxx')])
}

/** A Snappy block: some bytes as they stand, and a copy from the first of them on. */
function snappyOf(literal: Buffer, copy: number): Buffer {
  const size = literal.length + copy
  const head = [(size & 127) | 128, ((size >> 7) & 127) | 128, size >> 14]
  const length = Buffer.alloc(5)
  length[0] = 63 << 2
  length.writeUInt32LE(literal.length - 1, 1)
  const back = Buffer.alloc(5)
  back[0] = ((copy - 1) << 2) | 3
  back.writeUInt32LE(literal.length, 1)
  return Buffer.concat([Buffer.from(head), length, literal, back])
}

async function* slicesOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

describe('codecs of Parquet', () => {
  it('P1: LZ4 as Hadoop framed it, in one block and several, and by itself', () => {
    const framed = [100, 3000].flatMap((size) => {
      const block = lz4Of(size)
      const head = Buffer.alloc(8)
      head.writeUInt32BE(size, 0)
      head.writeUInt32BE(block.length, 4)
      return [head, block]
    })
    deepEqual(codecOf(5).whole(Buffer.concat(framed), 3100), Buffer.alloc(3100, 'x'))
    deepEqual(codecOf(5).whole(lz4Of(700), 700), Buffer.alloc(700, 'x'))
    deepEqual(codecOf(7).whole(lz4Of(700), 700), Buffer.alloc(700, 'x'))
  })

  it('P1: LZO is said to be what is not read', () => {
    throws(() => codecOf(3), /LZO, which is not supported/)
  })

  it('P11: a block is decompressed in pieces, whatever slices it comes in, also where it copies from far back', async () => {
    const literal = Buffer.from(Array.from({ length: 200_000 }, (_, at) => (at * 7919) >> 5))
    const block = snappyOf(literal, 60)
    const size = literal.length + 60
    const whole = wholeBlock(snappyDecoder, block, size)
    deepEqual(whole, Buffer.concat([literal, literal.subarray(0, 60)]))
    for (const slice of [5, 1000, 65_536]) {
      const pieces: Buffer[] = []
      for await (const piece of blockPieces(snappyDecoder, () => slicesOf(block, slice), size)) {
        pieces.push(Buffer.from(piece))
      }
      equal(Buffer.concat(pieces).equals(whole), true, `in slices of ${slice}`)
    }
  })

  it('P10: a block that is cut, or holds more or less than it should, is refused', () => {
    const block = snappyOf(Buffer.from('some bytes that stand for themselves'), 20)
    for (let end = 0; end < block.length; end += 1) {
      throws(() => wholeBlock(snappyDecoder, block.subarray(0, end), 56), Error)
    }
    throws(() => wholeBlock(snappyDecoder, block, 57), /has 56 bytes, and should have 57/)
    throws(() => codecOf(7).whole(lz4Of(700), 699), /does not hold the 699 bytes/)
  })
})
