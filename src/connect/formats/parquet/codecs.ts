// Decompresses the pages of Parquet files, whole or in pieces, to the size that they declare.

import { pipeline, Readable, type Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { messageOf } from '../../../base/errors.ts'
import { blockPieces, type DecoderOf, wholeBlock } from './block-pieces.ts'
import { Damage } from './errors.ts'
import { hadoopBlocks, lz4Decoder } from './lz4.ts'
import { snappyDecoder } from './snappy.ts'

/** Pieces of a page's content, on demand. */
export type Pieces = Iterator<Buffer> | AsyncIterator<Buffer>

export interface Codec {
  readonly name: string
  /** Returns exactly `sizeBytes`, or throws {@link Damage}. */
  whole(bytes: Buffer, sizeBytes: number): Buffer
  /**
   * Pieces of the decompressed slices, which may have another size: the caller counts. Undefined if a page can only be
   * decompressed as a whole.
   */
  readonly pieces: ((slices: () => AsyncIterable<Buffer>, sizeBytes: number) => Pieces) | undefined
  /** The most bytes that one compressed byte can become, if known. */
  readonly maxRatio: number
}

const uncompressed: Codec = {
  name: 'UNCOMPRESSED',
  maxRatio: 1,
  whole: (bytes) => bytes,
  pieces: (slices) => slices()[Symbol.asyncIterator](),
}

function blocks(name: string, maxRatio: number, decoderOf: DecoderOf): Codec {
  return {
    name,
    maxRatio,
    whole: (bytes, sizeBytes) => wholeBlock(decoderOf, bytes, sizeBytes),
    pieces: (slices, sizeBytes) => blockPieces(decoderOf, slices, sizeBytes),
  }
}

type Options = { maxOutputLength: number }

function ofNode(name: string, whole: (bytes: Buffer, options: Options) => Buffer, stream: () => Transform): Codec {
  return {
    name,
    maxRatio: Number.POSITIVE_INFINITY,
    whole(bytes, sizeBytes) {
      let out: Buffer
      try {
        out = whole(bytes, { maxOutputLength: Math.max(1, sizeBytes) })
      } catch (thrown) {
        throw damaged(name, thrown)
      }
      if (out.length === sizeBytes) return out
      throw new Damage(`a page holds ${out.length} bytes, and should hold ${sizeBytes}`)
    },
    async *pieces(slices) {
      const pieces = stream()
      // The pieces report errors, too.
      pipeline(Readable.from(slices()), pieces, () => {})
      try {
        yield* pieces as AsyncIterable<Buffer>
      } catch (thrown) {
        throw thrown instanceof Damage ? thrown : damaged(name, thrown)
      }
    },
  }
}

function damaged(name: string, thrown: unknown): Damage {
  return new Damage(`a page does not hold valid ${name} data: ${messageOf(thrown)}`)
}

/** Hadoop's LZ4: framed blocks, or, as some writers do, a bare block. */
const hadoopLz4: Codec = {
  name: 'LZ4',
  maxRatio: 255,
  whole(bytes, sizeBytes) {
    const framed = hadoopBlocks(bytes, sizeBytes)
    if (framed === undefined) return wholeBlock(lz4Decoder, bytes, sizeBytes)
    return Buffer.concat(framed.map((one) => wholeBlock(lz4Decoder, one.block, one.sizeBytes)))
  },
  pieces: undefined,
}

/** By their numbers in the footer. LZO, number 3, is not supported. */
const CODECS: readonly (Codec | undefined)[] = [
  uncompressed,
  blocks('SNAPPY', 22, snappyDecoder),
  ofNode('GZIP', zlib.unzipSync, zlib.createUnzip),
  undefined,
  ofNode('BROTLI', zlib.brotliDecompressSync, zlib.createBrotliDecompress),
  hadoopLz4,
  ofNode('ZSTD', zlib.zstdDecompressSync, zlib.createZstdDecompress),
  blocks('LZ4_RAW', 255, lz4Decoder),
]

export function codecOf(number: number): Codec {
  const codec = CODECS[number]
  if (codec !== undefined) return codec
  throw new Damage(number === 3 ? 'it is compressed with LZO, which is not supported' : `codec ${number} is unknown`)
}
