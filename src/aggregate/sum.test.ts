import { equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { mean } from './mean.ts'
import { sum } from './sum.ts'

const total = sum((value: unknown) => value as number)
const average = mean((value: unknown) => value as number)

function sumOf(...values: unknown[]): unknown {
  return total.result(values.reduce(total.add, total.create()))
}

function meanOf(...values: unknown[]): unknown {
  return average.result(values.reduce(average.add, average.create()))
}

describe('sum', () => {
  it('is 0 of nothing', () => {
    equal(sumOf(), 0)
    equal(sumOf(null, undefined), 0)
  })

  it('skips null and undefined', () => equal(sumOf(1, null, 2, undefined), 3))

  it('keeps what rounding would take away', () => {
    equal(sumOf(1, 1e100, 1, -1e100), 2)
    equal(sumOf(...Array.from({ length: 10 }, () => 0.1)), 1)
  })

  it('comes back from beyond the largest double', () => {
    equal(sumOf(1e308, 1e308, -1e308), 1e308)
    equal(sumOf(-1e308, -1e308, -1e308, 1e308, 1e308), -1e308)
    equal(sumOf(1e308, 1e308), Infinity)
    equal(sumOf(Number.MAX_VALUE, Number.MAX_VALUE, -Number.MAX_VALUE, -Number.MAX_VALUE), 0)
  })

  it('merges what was kept and what was taken off, too', () => {
    const merged = (one: readonly number[], two: readonly number[]): unknown => {
      const [into, other] = [one, two].map((values) => values.reduce(total.add, total.create()))
      return total.result(total.merge?.(into as never, other as never) as never)
    }
    equal(merged([1e100], [-1e100, 1]), 1)
    equal(merged([-1e100, 1], [1e100]), 1)
    equal(merged([-1e308], [1e308, 1e308]), 1e308)
    equal(merged([1e308, 1e308], [-1e308]), 1e308)
    equal(merged([1], [-Infinity]), -Infinity)
  })

  it('takes infinities as they are, and makes NaN only of both', () => {
    equal(sumOf(1, Infinity, 2), Infinity)
    equal(sumOf(-Infinity, 1e308, 1e308), -Infinity)
    ok(Number.isNaN(sumOf(Infinity, -Infinity)))
  })

  it('adds up bigints, beyond what doubles hold', () => equal(sumOf(2n ** 64n, null, 1n), 2n ** 64n + 1n))

  it('refuses NaN, what is no number, and bigints among numbers', () => {
    const says = (found: string) => ({
      name: 'TypeError',
      message: `Cannot add an event to sum: it takes numbers or bigints, not both, found ${found}`,
    })
    throws(() => sumOf(Number.NaN), says('NaN'))
    throws(() => sumOf(1, Number.NaN), says('NaN'))
    throws(() => sumOf('12'), says('"12"'))
    throws(() => sumOf(1, true), says('true'))
    throws(() => sumOf(1, 2n), says('2n'))
    throws(() => sumOf(2n, 1), says('1'))
    throws(() => total.merge?.(total.add(total.create(), 1), total.add(total.create(), 2n)), says('2n'))
    throws(() => sum(undefined as never), {
      message: 'sum needs the name of a field, or a function of the event: found undefined',
    })
  })

  it('is the exact sum but for the last digits, however the numbers are split and merged', () => {
    const doubles = fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), { maxLength: 60 })
    fc.assert(
      fc.property(doubles, fc.nat(60), fc.nat(60), (values, one, two) => {
        const parts = [values.slice(0, one), values.slice(one, one + two), values.slice(one + two)]
        const states = parts.map((part) => part.reduce(total.add, total.create()))
        isNear(total.result(states.reduce((into, other) => total.merge?.(into, other) ?? into)) as number, values)
        isNear(sumOf(...values) as number, values)
      }),
    )
  })

  it('is exact for integers while sums stay within 2^53', () => {
    const integers = fc.array(fc.integer({ min: -(2 ** 46), max: 2 ** 46 }), { maxLength: 100 })
    fc.assert(
      fc.property(integers, (values) => equal(sumOf(...values), Number(values.reduce((a, b) => a + BigInt(b), 0n)))),
    )
  })
})

describe('mean', () => {
  it('is null of nothing', () => equal(meanOf(null), null))
  it('counts only what is a number', () => equal(meanOf(1, null, 2, undefined), 1.5))
  it('is finite also where the sum is not', () => equal(meanOf(1e308, 1e308, 1e308), 1e308))
  it('is infinite with an infinity', () => equal(meanOf(1, -Infinity), -Infinity))

  it('refuses NaN, strings and bigints', () => {
    const says = (found: string) => ({
      name: 'TypeError',
      message: `Cannot add an event to mean: it takes numbers, found ${found}`,
    })
    throws(() => meanOf(Number.NaN), says('NaN'))
    throws(() => meanOf('1'), says('"1"'))
    throws(() => meanOf(1n), says('1n'))
  })
})

/** Compares with a sum in whole multiples of 2^-1074, of which every double is one. */
function isNear(found: number, values: readonly number[]): void {
  const exact = values.reduce((sum, value) => sum + inUnits(value), 0n)
  const size = values.reduce((sum, value) => sum + abs(inUnits(value)), 0n)
  if (!Number.isFinite(found)) {
    ok(abs(exact) > inUnits(Number.MAX_VALUE), `${found} of ${values}`)
    return
  }
  const off = abs(inUnits(found) - exact)
  ok(off <= abs(exact) / 10n ** 12n + size / 10n ** 25n + 1n, `${found} of ${values}`)
}

function inUnits(value: number): bigint {
  const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))) - 54, -1074)
  if (value === 0) return 0n
  // In two steps, for 2^1074 is no double.
  const digits = BigInt(value * 2 ** (-exponent >> 1) * 2 ** (-exponent - (-exponent >> 1)))
  return digits << BigInt(exponent + 1074)
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value
}
