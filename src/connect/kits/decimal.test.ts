import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { decimalText, isDecimal, parseDecimal } from './decimal.ts'

describe('a decimal', () => {
  it('Q1: is a string of digits, with a sign and a fraction where it has them, and without an exponent', () => {
    for (const text of ['0', '-12.50', '-0.00', '9'.repeat(200), `0.${'1'.repeat(200)}`])
      equal(isDecimal(text), true, text)
    for (const text of [
      '',
      '.5',
      '5.',
      '1e3',
      '1,5',
      ' 1',
      '1 ',
      '--1',
      'NaN',
      'Infinity',
      '٣',
      '1_000',
      1,
      1n,
      null,
    ]) {
      equal(isDecimal(text), false, String(text))
    }
  })

  it('Q1: is kept as it is given; bigints and finite numbers have the digits that give them back', () => {
    equal(decimalText('-12.500'), '-12.500')
    equal(decimalText(-(2n ** 64n)), '-18446744073709551616')
    equal(decimalText(0.1), '0.1')
    equal(decimalText(-1.5e-7), '-0.00000015')
    equal(decimalText(1.25e21), '1250000000000000000000')
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, '1e3', '', true, null, undefined, {}]) {
      equal(decimalText(value), undefined, String(value))
    }
  })

  it('Q1: gives back every number from its digits', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = decimalText(value)
        equal(isDecimal(text), true)
        equal(Number(text), value + 0)
      }),
    )
  })

  it('Q1: is taken apart at its point', () => {
    deepEqual(parseDecimal('12.50'), { isNegative: false, whole: '12', fraction: '50' })
    deepEqual(parseDecimal(1.5e-7), { isNegative: false, whole: '', fraction: '00000015' })
    deepEqual(parseDecimal(-1.25e21), { isNegative: true, whole: '1250000000000000000000', fraction: '' })
    deepEqual(parseDecimal(5e-324).fraction.length, 324)
  })
})
