import { equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deadLetter } from '../connect/origin.ts'
import { DeadLetterLimit } from './dead-letter-limit.ts'

const letter = (line: number) => deadLetter({ source: 'a.log', line, offset: 0, raw: '' }, 'access-log', 'no host')

describe('DeadLetterLimit', () => {
  it('bears any number when there is no limit', () => {
    const limit = new DeadLetterLimit(undefined)
    limit.add([letter(1), letter(2)])
    equal(limit.isOver(2, true), false)
  })

  it('is over a count with the first letter beyond it', () => {
    const limit = new DeadLetterLimit({ count: 1 })
    limit.add([letter(1)])
    equal(limit.isOver(1, false), false)
    limit.add([letter(2)])
    equal(limit.isOver(2, false), true)
  })

  it('judges a share of few records only at the end', () => {
    const limit = new DeadLetterLimit({ share: 0.1 })
    limit.add([letter(1)])
    equal(limit.isOver(5, false), false)
    equal(limit.isOver(5, true), true)
    equal(limit.isOver(10, true), false)
  })

  it('judges a share while it goes on once enough was read', () => {
    const limit = new DeadLetterLimit({ share: 0.001 })
    limit.add([letter(1), letter(2)])
    equal(limit.isOver(1999, false), true)
    equal(limit.isOver(2000, false), false)
  })

  it('names the first three, how many in all, and where they are', () => {
    const limit = new DeadLetterLimit({ count: 0 })
    limit.add([letter(3), letter(5), letter(8), letter(13)])
    equal(
      limit.error(100, 'table dead_letters in out.db').message,
      'Too many rejected records: 4 of 100 read, the limit is 0; the first: a.log:3: no host; a.log:5: no host; ' +
        'a.log:8: no host; all are in table dead_letters in out.db',
    )
  })

  it('refuses an invalid share', () => {
    throws(() => new DeadLetterLimit({ share: 5 }), /maxDeadLetters.share must be from 0 to 1: found 5/)
  })
})
