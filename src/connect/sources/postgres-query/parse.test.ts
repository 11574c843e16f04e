import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parserOf, parseTime, parseWhole } from './parse.ts'

describe('parseTime', () => {
  it('gives epoch milliseconds of what the server writes', () => {
    equal(parseTime('2026-03-02 10:00:00+00'), Date.UTC(2026, 2, 2, 10))
    equal(parseTime('2026-03-02 10:00:00.123999+00'), Date.UTC(2026, 2, 2, 10, 0, 0, 123))
    equal(parseTime('2026-03-02 10:00:00.5-05:30'), Date.UTC(2026, 2, 2, 15, 30, 0, 500))
    equal(parseTime('0001-01-01 00:00:00+00'), -62135596800000)
    equal(parseTime('0001-12-31 00:00:00+00 BC'), -62135596800000 - 86400000)
    equal(parseTime('12026-03-02 10:00:00+00'), Date.UTC(12026, 2, 2, 10))
    equal(parseTime('1969-12-31 23:59:59.999+00'), -1)
  })

  it('takes a time without a zone, and a day, for UTC', () => {
    equal(parseTime('2026-03-02 10:00:00'), Date.UTC(2026, 2, 2, 10))
    equal(parseTime('2026-03-02'), Date.UTC(2026, 2, 2))
  })

  it('leaves what is no time', () => {
    equal(parseTime('infinity'), Number.POSITIVE_INFINITY)
    equal(parseTime('-infinity'), Number.NEGATIVE_INFINITY)
    equal(parseTime('soon'), 'soon')
  })
})

describe('parseWhole', () => {
  it('gives a number as long as it is exact', () => {
    deepEqual(['0', '-5', '9007199254740991', '9007199254740992', '-9223372036854775808', '1.5'].map(parseWhole), [
      0,
      -5,
      9007199254740991,
      9007199254740992n,
      -9223372036854775808n,
      '1.5',
    ])
  })
})

describe('parserOf', () => {
  it('makes of a column what it was named with', () => {
    equal(parserOf(1700, undefined)('1.50'), '1.50')
    equal(parserOf(1700, 'real')('1.50'), 1.5)
    equal(parserOf(1700, 'integer')('12345678901234567890'), 12345678901234567890n)
    equal(parserOf(23, 'text')('5'), '5')
    equal(parserOf(1114, undefined)('2026-03-02 10:00:00'), '2026-03-02 10:00:00')
    equal(parserOf(1114, 'time')('2026-03-02 10:00:00'), Date.UTC(2026, 2, 2, 10))
    equal(parserOf(25, 'integer')('5'), '5')
  })
})
