// quantile: the number below which a share of all numbers lies.

import { checkInteger, checkKeys, describeValue } from '../base/check.ts'
import { type Aggregate, misfit } from './aggregate.ts'
import { addToDDSketch, countOf, type DDSketch, emptyDDSketch, mergeDDSketch, numbersAt, scaleOf } from './ddsketch.ts'
import { aboutField, type NumberField, type OfField, ofOrField } from './field.ts'
import { fromPlain, toPlain } from './plain.ts'

export interface QuantileOptions {
  /** The relative error of a result: 0.01 by default. */
  readonly error?: number
  /** The most buckets for positive numbers, and for negative ones: 2048 by default. */
  readonly buckets?: number
}

type Reading<In> = (event: In) => number | null | undefined

/**
 * Quantiles of a field, or of `of(event)`: for a number `q` the one at nearest rank, the `⌈q × n⌉`-th of `n` numbers in
 * ascending order; for an array of them an array. Null without numbers.
 *
 * - **Exact** for up to 64 numbers, and always for the least and the greatest.
 * - Otherwise within 1 % (`error`), for numbers whose magnitudes are within 1e17 of each other; in wider ranges those
 *   nearest to zero are taken for larger ones (2048 `buckets`: that is up to 16 KiB per side).
 * - The same, to the last digit, however events were split and merged.
 * - **Skips** null and undefined; takes infinities; **fails** with a TypeError on NaN and on anything that is not a
 *   number.
 *
 * @throws {RangeError} if a `q` is not from 0 to 1
 * @example
 * const { create, add, result } = quantile((ms: number) => ms, [0.5, 1])
 * result([30, 10, 20].reduce(add, create())) // => [20, 30]
 */
export function quantile<const N extends string>(
  field: N,
  q: number,
  options?: QuantileOptions,
): NumberField<N, number | null>
export function quantile<const N extends string>(
  field: N,
  q: readonly number[],
  options?: QuantileOptions,
): NumberField<N, (number | null)[]>
export function quantile<In>(
  of: Reading<In>,
  q: number,
  options?: QuantileOptions,
): Aggregate<In, number | null, DDSketch>
export function quantile<In>(
  of: Reading<In>,
  q: readonly number[],
  options?: QuantileOptions,
): Aggregate<In, (number | null)[], DDSketch>
export function quantile<In>(
  of: string | Reading<In>,
  q: number | readonly number[],
  options: QuantileOptions = {},
): Aggregate<In, unknown, DDSketch> | OfField<string, unknown> {
  const read = ofOrField('quantile', of)
  const shares = Array.isArray(q) ? [...(q as readonly number[])] : [q as number]
  for (const share of shares) checkShare(share)
  checkKeys('quantile', options, ['error', 'buckets'])
  const { error = 0.01, buckets = 2048 } = options
  if (!(error >= 0.0001 && error <= 0.5))
    throw new RangeError(`quantile: error must be from 0.0001 to 0.5: found ${error}`)
  checkInteger('quantile: buckets', buckets, 16, 65_536)
  const scale = scaleOf({ error, buckets })
  return {
    kind: `quantile(${typeof of === 'string' ? `${of}, ` : ''}${shares.join(', ')}${error === 0.01 ? '' : `; error ${error}`}${buckets === 2048 ? '' : `; buckets ${buckets}`})`,
    ...aboutField('numbers', of, (value) => quantile(value, q as number, options)),
    create: emptyDDSketch,
    add(state, event) {
      const value: unknown = read(event)
      // Adding 0 makes 0 of -0.
      if (typeof value === 'number' && !Number.isNaN(value)) addToDDSketch(state, value + 0, scale)
      else if (value !== null && value !== undefined) throw misfit('quantile', 'numbers', value)
      return state
    },
    merge(into, other) {
      mergeDDSketch(into, other, scale)
      return into
    },
    result(state) {
      const count = countOf(state)
      const results = count === 0 ? shares.map(() => null) : numbersAt(state, ranksOf(shares, count), scale)
      return Array.isArray(q) ? results : results[0]
    },
    save: (state) => toPlain('quantile', { ...state }),
    load: (saved) => fromPlain(saved) as DDSketch,
  }
}

/**
 * Nearest ranks, counted from 1. A product within rounding error of an integer counts as that integer: 0.07 × 100 is 7.
 */
function ranksOf(shares: readonly number[], count: number): number[] {
  return shares.map((share) => Math.max(1, Math.ceil(share * count * (1 - 2 ** -50))))
}

function checkShare(share: unknown): void {
  if (typeof share === 'number' && share >= 0 && share <= 1) return
  throw new RangeError(`quantile: q must be from 0 to 1: found ${describeValue(share)}`)
}
