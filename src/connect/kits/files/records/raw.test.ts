import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { escapeBytes } from './raw.ts'

/** The bytes that an escaped text stands for. */
function bytesOf(text: string): Buffer {
  const parts = text.match(/\\\\|\\x[0-9a-f]{2}|[^\\]+/g) ?? []
  return Buffer.concat(
    parts.map((part) => {
      if (part === '\\\\') return Buffer.from('\\')
      return part.startsWith('\\x') ? Buffer.from(part.slice(2), 'hex') : Buffer.from(part)
    }),
  )
}

describe('escapeBytes', () => {
  it('escapes what is no UTF-8, and backslashes', () => {
    equal(escapeBytes(Buffer.from('a\\x41 \xff\xe9', 'latin1')), 'a\\\\x41 \\xff\\xe9')
    equal(escapeBytes(Buffer.from('é€😀')), 'é€😀')
  })

  it('escapes a character that is cut off, too long, a surrogate or beyond the last', () => {
    const hexes = ['e282', 'c0af', 'eda080', 'f4908080']
    deepEqual(
      hexes.map((hex) => escapeBytes(Buffer.from(hex, 'hex'))),
      ['\\xe2\\x82', '\\xc0\\xaf', '\\xed\\xa0\\x80', '\\xf4\\x90\\x80\\x80'],
    )
  })

  it('loses no byte', () => {
    const pieces = fc.oneof(
      fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)),
      fc.constantFrom('é', '€', '😀', '\\', 'x41', '\0').map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(fc.array(pieces), (all) => {
        const bytes = Buffer.concat(all)
        deepEqual(bytesOf(escapeBytes(bytes)), bytes)
      }),
    )
  })
})
