import { equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deflateSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { tellUtf16 } from '../characters/charset.ts'
import { tellEncoding } from './encoding.ts'

describe('tellEncoding', () => {
  it('knows what gzip and zstd write', () => {
    equal(tellEncoding(gzipSync('a')), 'gzip')
    equal(tellEncoding(zstdCompressSync('a')), 'zstd')
  })

  it('knows zstd with a frame to skip in front', () => {
    equal(tellEncoding(Buffer.from('5f2a4d1800000000', 'hex')), 'zstd')
  })

  it('takes all else for plain: text, nothing, a magic number cut short', () => {
    equal(tellEncoding(Buffer.from('1.2.3.4 - -')), 'plain')
    equal(tellEncoding(Buffer.alloc(0)), 'plain')
    equal(tellEncoding(Buffer.from('28b52f', 'hex')), 'plain')
    equal(tellEncoding(deflateSync('a')), 'plain')
  })
})

describe('tellUtf16', () => {
  it('knows both byte order marks, and takes that of UTF-8 for none', () => {
    equal(tellUtf16(Buffer.from('\ufeffa', 'utf16le')), 'utf-16le')
    equal(tellUtf16(Buffer.from('feff0061', 'hex')), 'utf-16be')
    equal(tellUtf16(Buffer.from('\ufeffa')), undefined)
    equal(tellUtf16(Buffer.from('a')), undefined)
  })
})
