import { deepEqual, equal, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type QuantileOptions, quantile } from './quantile.ts'

const SHARES = [0, 0.01, 0.25, 0.5, 0.75, 0.9, 0.99, 1]

function quantilesOf(values: readonly number[], shares: readonly number[], options: QuantileOptions = {}): unknown[] {
  const { create, add, result } = quantile((value: number) => value, shares, options)
  return result(values.reduce(add, create()))
}

/** Nearest rank in whole hundredths, where no rounding is. */
function exact(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(1, Math.ceil((Math.round(share * 100) * values.length) / 100)) - 1] as number
}

describe('quantile', () => {
  it('is null of nothing, one or several', () => {
    const one = quantile((value: number | null) => value, 0.5)
    equal(one.result(one.add(one.create(), null)), null)
    deepEqual(quantilesOf([], [0.5, 0.9]), [null, null])
  })

  it('is the nearest rank exactly, up to 64 numbers', () => {
    const few = fc.array(fc.double({ noNaN: true }), { minLength: 1, maxLength: 64 })
    fc.assert(
      fc.property(few, (values) => {
        const found = quantilesOf(values, SHARES)
        for (const [i, share] of SHARES.entries()) ok(found[i] === exact(values, share), `${share} of ${values}`)
      }),
    )
  })

  it('does not take a rank for the next one because of rounding: 0.07 of 100 is the 7th', () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 1.05 ** i)
    const [found] = quantilesOf(hundred, [0.07])
    ok(Math.abs((found as number) / 1.05 ** 6 - 1) <= 0.01)
  })

  const size = fc.double({ min: 1e-6, max: 1e9, noNaN: true })
  const number = fc.oneof(
    size,
    size.map((value) => -value),
    fc.constant(0),
    fc.integer({ min: -1000, max: 1000 }),
  )

  it('is off by no more than 1 % of itself, however many numbers', () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 65, maxLength: 400 }), (values) => {
        const found = quantilesOf(values, SHARES) as number[]
        for (const [i, share] of SHARES.entries()) isWithin(0.01, found[i] as number, exact(values, share))
        equal(found[0], Math.min(...values))
        equal(found.at(-1), Math.max(...values))
      }),
    )
  })

  it('keeps another error, if told', () => {
    fc.assert(
      fc.property(fc.array(number, { minLength: 65 }), (values) => {
        const found = quantilesOf(values, SHARES, { error: 0.05 }) as number[]
        for (const [i, share] of SHARES.entries()) isWithin(0.05, found[i] as number, exact(values, share))
      }),
    )
  })

  it('covers all doubles and infinities without failing', () => {
    const any = fc.array(fc.double({ noNaN: true }), { minLength: 65 })
    fc.assert(
      fc.property(any, (values) => {
        const found = quantilesOf(values, SHARES) as number[]
        deepEqual(
          found,
          found.toSorted((a, b) => a - b),
        )
        ok(found.every((one) => one >= Math.min(...values) && one <= Math.max(...values)))
      }),
    )
  })

  it('of too wide a range keeps the error for the greatest', () => {
    const wide = Array.from({ length: 1000 }, (_, i) => 1.5 ** (i - 500))
    const [half, most] = quantilesOf(wide, [0.5, 0.99]) as number[]
    isWithin(0.01, most as number, exact(wide, 0.99))
    ok((half as number) >= exact(wide, 0.5))
  })

  it('refuses NaN, what is no number, and an invalid share', () => {
    const { create, add } = quantile((value: unknown) => value as number, 0.5)
    throws(() => add(create(), Number.NaN), { message: 'Cannot add an event to quantile: it takes numbers, found NaN' })
    throws(() => add(create(), 1n), { message: 'Cannot add an event to quantile: it takes numbers, found 1n' })
    throws(() => quantilesOf([], [99]), { message: 'quantile: q must be from 0 to 1: found 99' })
    throws(() => quantilesOf([], [0.5], { error: 0 }), RangeError)
  })

  it('names in its kind what makes its states what they are', () => {
    equal(quantile(Number, [0.5, 0.99]).kind, 'quantile(0.5, 0.99)')
    equal(quantile(Number, 0.5, { buckets: 64, error: 0.02 }).kind, 'quantile(0.5; error 0.02; buckets 64)')
  })
})

function isWithin(error: number, found: number, truth: number): void {
  ok(Math.abs(found - truth) <= Math.abs(truth) * error * (1 + 1e-9), `${found} is not within ${error} of ${truth}`)
}
