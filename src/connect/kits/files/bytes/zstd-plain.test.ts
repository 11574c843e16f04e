import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import fc from 'fast-check'
import { plainContent } from './zstd-blocks.ts'
import { ZstdFrames } from './zstd-frames.ts'

const MAGIC = Buffer.from('28b52ffd', 'hex')

/** The content by the decompressor; undefined where it refuses. */
function unpacked(frame: Buffer): Buffer | undefined {
  try {
    return zstdDecompressSync(frame)
  } catch {
    return undefined
  }
}

/** Whether the bytes are one frame and nothing else, by where frames end. */
function isOneFrame(bytes: Buffer): boolean {
  try {
    const [part, ...more] = new ZstdFrames().push(bytes)
    return part?.isWhole === true && more.length === 0
  } catch {
    return false
  }
}

const block = fc.record({
  kind: fc.constantFrom(0, 1),
  content: fc.uint8Array({ maxLength: 40 }),
  times: fc.integer({ min: 0, max: 2000 }),
})

/** A frame of blocks that are not compressed, with any head: also with such as do not fit. */
const frames = fc
  .record({
    blocks: fc.array(block, { minLength: 1, maxLength: 4 }),
    head: fc.uint8Array({ minLength: 1, maxLength: 6 }),
  })
  .map(({ blocks, head }) => {
    const parts = blocks.map(({ kind, content, times }, at) => {
      const size = kind === 0 ? content.length : times
      const header = Buffer.alloc(3)
      header.writeUIntLE((size << 3) | (kind << 1) | (at === blocks.length - 1 ? 1 : 0), 0, 3)
      return Buffer.concat([header, kind === 0 ? content : Buffer.of(content[0] ?? 0)])
    })
    return Buffer.concat([MAGIC, head, ...parts])
  })

describe('plain zstd frames', () => {
  it('S6: hold what a decompressor makes of them, or are left to it', () => {
    let found = 0
    fc.assert(
      fc.property(
        fc.oneof(
          frames,
          fc.uint8Array({ maxLength: 60 }).map((bytes) => zstdCompressSync(bytes)),
        ),
        (frame) => {
          if (!isOneFrame(frame)) return
          const plain = plainContent(frame)
          if (plain === undefined) return
          found += 1
          deepEqual(plain, unpacked(frame))
        },
      ),
      { numRuns: 3000 },
    )
    ok(found > 300, `${found} were plain`)
  })

  it('are never told from damaged ones otherwise than by a decompressor', () => {
    const frame = zstdCompressSync('a line of text\n')
    fc.assert(
      fc.property(fc.integer({ min: 4, max: frame.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const damaged = Buffer.from(frame)
        damaged[at] = (damaged[at] ?? 0) ^ change
        if (!isOneFrame(damaged)) return
        const plain = plainContent(damaged)
        if (plain !== undefined) deepEqual(plain, unpacked(damaged))
      }),
      { numRuns: 1000 },
    )
  })

  it('are left to a decompressor with a checksum, a dictionary, compressed blocks, or much content', () => {
    equal(plainContent(zstdCompressSync('ab'.repeat(500))), undefined)
    equal(plainContent(zstdCompressSync(Buffer.alloc(100_000))), undefined)
    equal(plainContent(Buffer.from('28b52ffd24010900006a00000000', 'hex')), undefined)
    equal(plainContent(Buffer.from('28b52ffd2100010900006a', 'hex')), undefined)
  })
})
