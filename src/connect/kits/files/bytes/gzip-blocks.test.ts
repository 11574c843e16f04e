import { rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Blocks } from './blocks.ts'
import { GzipBlocks } from './gzip-blocks.ts'
import { DEFAULT_LIMITS } from './limits.ts'

function blocksOf(...blocks: Buffer[]): Blocks {
  return { read: async () => blocks.shift(), close() {}, takenBytes: 0 }
}

describe('GzipBlocks', () => {
  it('says of a read that it is closed in that it was, and calls no data broken', async () => {
    const blocks = new GzipBlocks(blocksOf(gzipSync('some text')), 'a.gz', DEFAULT_LIMITS)
    const reading = blocks.read()
    await Promise.resolve()
    blocks.close()
    await rejects(reading, { code: 'SOURCE_UNREADABLE', message: /a\.gz.*: it was closed while it was read/ })
  })
})
