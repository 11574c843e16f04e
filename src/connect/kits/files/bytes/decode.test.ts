import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { times } from '../../../../testing/times.ts'
import type { Blocks } from './blocks.ts'
import { decode } from './decode.ts'
import type { Encoding } from './encoding.ts'
import { DEFAULT_LIMITS, type Limits } from './limits.ts'

/** Blocks that are in memory already; each is put where the one before was, as files do it. */
function blocksOf(bytes: Buffer, blockBytes: number): Blocks {
  let at = 0
  const memory = Buffer.alloc(blockBytes)
  return {
    read: async () => {
      const length = bytes.copy(memory, 0, at, at + blockBytes)
      at += length
      return length === 0 ? undefined : memory.subarray(0, length)
    },
    get takenBytes() {
      return at
    },
    close: () => {},
  }
}

async function contentOf(encoding: Encoding, bytes: Buffer, blockBytes = 1000, limits: Limits = DEFAULT_LIMITS) {
  const blocks = decode(encoding, blocksOf(bytes, blockBytes), 'x.log', limits)
  const content: Buffer[] = []
  try {
    for (let block = await blocks.read(); block !== undefined; block = await blocks.read()) {
      content.push(Buffer.from(block))
    }
    equal(await blocks.read(), undefined)
  } finally {
    blocks.close()
  }
  return Buffer.concat(content)
}

const checksummed = (text: string | Buffer) =>
  zstdCompressSync(text, { params: { [constants.ZSTD_c_checksumFlag]: 1 } })

const skipped = Buffer.concat([Buffer.from('502a4d1803000000', 'hex'), Buffer.from('abc')])

const flip = (bytes: Buffer, at: number) => {
  const copy = Buffer.from(bytes)
  const index = at < 0 ? copy.length + at : at
  copy[index] = (copy[index] ?? 0) ^ 0x10
  return copy
}

/** Text that does not compress to nothing, so that there are bytes to break. */
const prose = Buffer.from(Array.from({ length: 3000 }, (_, i) => `${(i * 7919) % 10_007} is line ${i}\n`).join(''))

const parts = fc.array(
  fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.integer({ min: 1, max: 70_000 }).map((n) => new Uint8Array(n).fill(97)),
  ),
  { minLength: 1, maxLength: 5 },
)

describe('decode gzip', () => {
  it('reads all members, however they are cut into blocks', async () => {
    await fc.assert(
      fc.asyncProperty(parts, fc.integer({ min: 1, max: 5000 }), async (members, blockBytes) => {
        const stored = Buffer.concat(members.map((member) => gzipSync(member)))
        ok((await contentOf('gzip', stored, blockBytes)).equals(Buffer.concat(members)))
      }),
      { numRuns: times(50) },
    )
  })

  it('allows zeros behind the data', async () => {
    const stored = Buffer.concat([gzipSync('a\n'), Buffer.alloc(5000)])
    equal(String(await contentOf('gzip', stored)), 'a\n')
  })

  for (const blockBytes of [1, gzipSync('a\n').length, 100_000]) {
    it(`refuses what follows the data, in blocks of ${blockBytes}`, async () => {
      const garbage = Buffer.concat([gzipSync('a\n'), Buffer.from('garbage')])
      await rejects(contentOf('gzip', garbage, blockBytes), { code: 'SOURCE_CORRUPT' })
    })

    it(`refuses a member behind zeros, which would be left out, in blocks of ${blockBytes}`, async () => {
      const stored = Buffer.concat([gzipSync('a\n'), Buffer.alloc(7), gzipSync('b\n')])
      await rejects(contentOf('gzip', stored, blockBytes), {
        code: 'SOURCE_CORRUPT',
        message: 'Cannot read "x.log": something follows the end of its data at byte 29 of the compressed file',
        details: { source: 'x.log', offset: 29, found: 'something follows the end of its data' },
      })
    })
  }

  it('refuses a checksum that does not fit', async () => {
    await rejects(contentOf('gzip', flip(gzipSync(prose), -6)), {
      code: 'SOURCE_CORRUPT',
      message: /incorrect data check/,
    })
  })

  it('refuses a length that does not fit', async () => {
    await rejects(contentOf('gzip', flip(gzipSync(prose), -1)), { code: 'SOURCE_CORRUPT', message: /length check/ })
  })

  it('refuses data that is cut off anywhere', async () => {
    const stored = gzipSync('some text')
    for (let length = 2; length < stored.length; length += 1) {
      await rejects(contentOf('gzip', stored.subarray(0, length)), {
        code: 'SOURCE_CORRUPT',
        message: /unexpected end/,
      })
    }
  })

  it('never gives wrong content without an error, whatever bit is flipped', async () => {
    const stored = gzipSync(prose)
    await fc.assert(
      fc.asyncProperty(fc.nat(stored.length - 1), async (at) => {
        const content = await contentOf('gzip', flip(stored, at), 4096).catch((error) => error.code)
        // A flag, a time or a name in the header is no content.
        ok(content === 'SOURCE_CORRUPT' || (content instanceof Buffer && content.equals(prose)))
      }),
      { numRuns: times(60) },
    )
  })
})

describe('decode zstd', () => {
  it('reads all frames, however they are cut into blocks', async () => {
    await fc.assert(
      fc.asyncProperty(parts, fc.integer({ min: 1, max: 5000 }), async (frames, blockBytes) => {
        const stored = frames.flatMap((frame) => [zstdCompressSync(frame), skipped, checksummed(Buffer.from(frame))])
        const expected = Buffer.concat(frames.flatMap((frame) => [frame, frame]))
        ok((await contentOf('zstd', Buffer.concat([skipped, ...stored]), blockBytes)).equals(expected))
      }),
      { numRuns: times(50) },
    )
  })

  it('S6: takes a time in proportion to the bytes of many small frames, with content and without', async () => {
    const empty = Buffer.from('28b52ffd0038010000', 'hex')
    const packed = zstdCompressSync('a line that repeats itself '.repeat(20))
    for (const frame of [empty, zstdCompressSync('a\n'), skipped, checksummed('a\n'), packed]) {
      const stored = Buffer.concat(Array<Buffer>(3000).fill(frame))
      // Of the processor's time, the least of several, as others may be at work: a decompressor for each frame takes more
      // than twice as much.
      let leastUs = Number.POSITIVE_INFINITY
      for (let tries = 0; tries < 5 && leastUs >= 75; tries += 1) {
        const start = process.cpuUsage()
        await contentOf('zstd', stored, 65_536)
        const { user, system } = process.cpuUsage(start)
        leastUs = Math.min(leastUs, (user + system) / 3000)
      }
      ok(leastUs < 75, `${Math.round(leastUs)} µs a frame of ${frame.length} bytes`)
    }
  })

  it('refuses data that is cut off anywhere', async () => {
    const stored = checksummed('some text')
    for (let length = 4; length < stored.length; length += 1) {
      await rejects(contentOf('zstd', stored.subarray(0, length)), {
        code: 'SOURCE_CORRUPT',
        message: /unexpected end/,
      })
    }
  })

  it('refuses what follows the data', async () => {
    const stored = checksummed('some text')
    await rejects(contentOf('zstd', Buffer.concat([stored, Buffer.from('garbage')])), {
      code: 'SOURCE_CORRUPT',
      details: { source: 'x.log', offset: stored.length, found: 'not a zstd frame' },
    })
  })

  it('refuses a checksum that does not fit', async () => {
    await rejects(contentOf('zstd', flip(checksummed(prose), -1)), { code: 'SOURCE_CORRUPT', message: /checksum/ })
  })

  it('never gives wrong content without an error, whatever bit is flipped in data with a checksum', async () => {
    const stored = checksummed(prose)
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 5, max: stored.length - 1 }), async (at) => {
        const content = await contentOf('zstd', flip(stored, at), 4096).catch((error) => error.code)
        ok(content === 'SOURCE_CORRUPT' || (content instanceof Buffer && content.equals(prose)))
      }),
      { numRuns: times(60) },
    )
  })
})

describe('decode within limits', () => {
  const zeros = Buffer.alloc(64 * 1024 * 1024)

  for (const [encoding, bomb] of [
    ['gzip', gzipSync(zeros)],
    ['zstd', zstdCompressSync(zeros)],
  ] as const) {
    it(`S6: stops a ${encoding} bomb soon after 16 MiB`, async () => {
      const blocks = decode(encoding, blocksOf(bomb, 65_536), 'x.log', DEFAULT_LIMITS)
      let outBytes = 0
      const readAll = async () => {
        for (let block = await blocks.read(); block !== undefined; block = await blocks.read()) outBytes += block.length
      }
      await rejects(readAll(), { code: 'SOURCE_LIMIT' })
      blocks.close()
      ok(outBytes <= 17 * 1024 * 1024, `${outBytes} bytes came out`)
    })

    it(`stops ${encoding} content over its total limit`, async () => {
      const limits = { maxRatio: Number.POSITIVE_INFINITY, maxTotalBytes: 1_000_000 }
      await rejects(contentOf(encoding, bomb, 65_536, limits), {
        code: 'SOURCE_LIMIT',
        message: 'Cannot read "x.log": its content is over 1000000 bytes (maxTotalBytes)',
      })
    })
  }

  it('lets a small file of one line repeated pass', async () => {
    const content = Buffer.alloc(1024 * 1024, 'the same\n')
    deepEqual((await contentOf('gzip', gzipSync(content))).length, content.length)
  })
})
