import { doesNotMatch, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { printable, refuse } from './refuse.ts'

describe('refuse', () => {
  it('shows the word at the place, and its column from 1', () => {
    equal(refuse('GET x 20O y', 6, 'no status').reason, 'no status: found "20O" at column 7')
  })

  it('shows a space with what follows it', () => {
    equal(refuse('a  b c', 1, 'no b').reason, 'no b: found " " at column 2')
    equal(refuse('a bc d', 1, 'no c').reason, 'no c: found " bc" at column 2')
  })

  it('says where the line ends when there is nothing more', () => {
    equal(refuse('', 0, 'no host').reason, 'no host: the line ends at column 1')
    equal(refuse('abc', 7, 'no host').reason, 'no host: the line ends at column 4')
  })

  it('shows 60 characters and a mark that there are more', () => {
    equal(refuse('x'.repeat(60), 0, 'w').reason, `w: found "${'x'.repeat(60)}" at column 1`)
    equal(refuse('x'.repeat(61), 0, 'w').reason, `w: found "${'x'.repeat(60)}…" at column 1`)
    equal(refuse('\0'.repeat(512), 0, 'w').reason, `w: found "${'\\x00'.repeat(15)}…" at column 1`)
  })

  it('lets nothing through that a terminal obeys', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(20), (text, at) => {
        doesNotMatch(refuse(text, at, 'w').reason, /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/u)
      }),
    )
  })
})

describe('printable', () => {
  it('escapes what moves the cursor, ends the line or turns the direction of writing', () => {
    equal(printable('a\u001b[2J\r\n\u0007b'), 'a\\x1b[2J\\x0d\\x0a\\x07b')
    equal(printable('\u202e\u2028\ud800'), '\\u202e\\u2028\\ud800')
  })

  it('leaves letters of all scripts as they are', () => {
    equal(printable('Zürich 東京 😀'), 'Zürich 東京 😀')
  })
})
