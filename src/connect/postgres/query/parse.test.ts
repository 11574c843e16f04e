import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ColumnType } from '../../column.ts'
import { Unfit } from '../../kits/rows/unfit.ts'
import { parserOf, parseTime, parseWhole } from './parse.ts'

const choices = { bigints: 'reject', times: undefined } as const

describe('parseTime', () => {
  it('R7: gives epoch milliseconds of what the server writes', () => {
    const ms = (text: string) => parseTime(text, 'ms')
    equal(ms('2026-03-02 10:00:00+00'), Date.UTC(2026, 2, 2, 10))
    equal(ms('2026-03-02 10:00:00.5-05:30'), Date.UTC(2026, 2, 2, 15, 30, 0, 500))
    equal(ms('0001-01-01 00:00:00+00'), -62135596800000)
    equal(ms('0001-12-31 00:00:00+00 BC'), -62135596800000 - 86400000)
    equal(ms('12026-03-02 10:00:00+00'), Date.UTC(12026, 2, 2, 10))
    equal(ms('1969-12-31 23:59:59.999+00'), -1)
    // Without a zone, and a day: UTC.
    equal(ms('2026-03-02 10:00:00'), Date.UTC(2026, 2, 2, 10))
    equal(ms('2026-03-02'), Date.UTC(2026, 2, 2))
  })

  it('R7: gives finer units exactly, and bigints where numbers would not be', () => {
    equal(parseTime('1969-12-31 23:59:59.999999+00', 'us'), -1)
    equal(parseTime('1970-01-01 00:00:01.000001+00', 'us'), 1_000_001)
    equal(parseTime('2026-03-02 10:00:00.123456+00', 'ns'), 1772445600123456000n)
  })

  it('R7: refuses what the unit cannot say', () => {
    for (const text of ['infinity', '-infinity', 'soon', '2026-03-02 10:00:00.1234+00', '290000-01-01 00:00:00+00']) {
      throws(() => parseTime(text, 'ms'), Unfit)
    }
  })

  it('R7: writes ISO 8601 with all digits, or what the server writes', () => {
    const texts = ['2026-03-02 10:00:00.123456+00', '0001-01-01 00:00:00+00', 'infinity', '0044-03-15 00:00:00+00 BC']
    deepEqual(
      texts.map((text) => parseTime(text, 'text')),
      ['2026-03-02T10:00:00.123456Z', '0001-01-01T00:00:00Z', 'infinity', '0044-03-15 00:00:00+00 BC'],
    )
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
  const parser = (oid: number, wanted: ColumnType | undefined, modifier = -1) => {
    return parserOf({ oid, modifier }, wanted, choices)
  }

  it('makes of a column what it was named with', () => {
    equal(parser(1700, undefined)('1.50'), '1.50')
    equal(parser(1700, 'real')('1.50'), 1.5)
    equal(parser(1700, 'integer')('12345678901234567890'), 12345678901234567890n)
    equal(parser(23, 'text')('5'), '5')
    equal(parser(1114, undefined)('2026-03-02 10:00:00'), '2026-03-02 10:00:00')
    equal(parser(1114, 'time')('2026-03-02 10:00:00'), Date.UTC(2026, 2, 2, 10))
    equal(parser(25, 'integer')('5'), '5')
  })

  it('R5: gives whole, decimal and JSON numbers exactly, or refuses them', () => {
    equal(parser(1700, 'decimal')('1.50'), '1.50')
    throws(() => parser(1700, 'real')('1e400'), Unfit)
    throws(
      () => parser(3802, undefined)('{"a": [9007199254740993]}'),
      /^Unfit: the number 9007199254740993 is over 2\^53$/,
    )
    deepEqual(
      parserOf({ oid: 114, modifier: -1 }, undefined, { ...choices, bigints: 'bigint' })('[9007199254740993]'),
      [9007199254740993n],
    )
    throws(() => parser(114, undefined)('[1e400]'), Unfit)
  })

  it('R7: makes text of moments of a column that may hold microseconds, and numbers of others', () => {
    equal(parser(1184, undefined)('2026-03-02 10:00:00+00'), '2026-03-02T10:00:00Z')
    equal(parser(1184, undefined, 3)('2026-03-02 10:00:00+00'), Date.UTC(2026, 2, 2, 10))
  })
})
