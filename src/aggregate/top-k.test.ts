import { deepEqual, ok, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Frequencies } from './frequencies.ts'
import { topK } from './top-k.ts'
import type { Value } from './value.ts'

const values = (count: number): ReturnType<typeof topK<Value, Value>> => topK(count, (value: Value) => value)
const small = topK(4, (value: number) => value, { capacity: 8 })
const stateOf = (all: readonly number[]): Frequencies => all.reduce(small.add, small.create())

describe('topK', () => {
  it('tells equally frequent values in the order of values: null, booleans, numbers, bigints, strings', () => {
    const { create, add, result } = values(9)
    const top = result(['b', 2n, 10, 'a', null, 2, true, false, '1'].reduce(add, create()))
    deepEqual(
      top.map(({ value }) => value),
      [null, false, true, 2, 10, 2n, '1', 'a', 'b'],
    )
  })

  it('skips undefined, and takes -0 for 0', () => {
    const { create, add, result } = topK(2, (value: number | undefined) => value)
    deepEqual(result([0, undefined, -0].reduce(add, create())), [{ value: 0, count: 2, error: 0 }])
  })

  it('refuses what is equal to nothing, or to itself only', () => {
    const needs = 'strings, numbers, bigints, booleans and null'
    const message = (found: string): object => ({
      message: `Cannot add an event to topK: it takes ${needs}, found ${found}`,
    })
    const { create, add } = values(1)
    throws(() => add(create(), Number.NaN), message('NaN'))
    throws(() => add(create(), {} as never), message('Object'))
    throws(() => topK(3, (value: string) => value, { capacity: 5 }), RangeError)
  })

  it('counts for a value that comes late as often as it may have been let go, in all that was merged', () => {
    const merged = small.merge?.(stateOf([1, 2, 3, 4, 5, 6, 7, 8, 9]), stateOf([11, 12, 13, 14, 15, 16, 17, 18, 19]))
    deepEqual(small.result(small.add(merged as Frequencies, 20)), [
      { value: 20, count: 3, error: 2 },
      { value: 1, count: 2, error: 1 },
      { value: 2, count: 2, error: 1 },
      { value: 3, count: 2, error: 1 },
    ])
  })

  // Few values that are frequent, and many that come once or twice.
  const events = fc.array(fc.oneof(fc.nat(5), fc.nat(5), fc.nat(300)), { maxLength: 400 })
  const cuts = fc.array(fc.nat(400), { maxLength: 4 })

  it('beyond its capacity gives counts within their errors, and errors within events / (capacity / 2)', () => {
    fc.assert(
      fc.property(events, cuts, (all, ends) => {
        const sorted = [0, ...ends, all.length].sort((a, b) => a - b)
        const states = sorted.slice(1).map((end, i) => stateOf(all.slice(sorted[i], end)))
        const merged = states.reduce((into, other) => small.merge?.(into, other) ?? into)
        for (const state of [stateOf(all), merged]) isWithinBounds(state, all)
      }),
    )
  })

  it('holds no more than its capacity', () => {
    fc.assert(
      fc.property(events, events, (one, two) => {
        const merged = small.merge?.(stateOf(one), stateOf(two))
        ok(stateOf(one).tallies.size <= 8)
        ok((merged?.tallies.size ?? 0) <= 8)
      }),
    )
  })
})

function isWithinBounds(state: Frequencies, all: readonly number[]): void {
  const top = small.result(state)
  for (const { value, count, error } of top) {
    const truth = all.filter((one) => one === value).length
    ok(count - error <= truth && truth <= count, `${value}: ${truth} is not within ${error} below ${count}`)
    ok(error <= all.length / 4)
  }
  for (const value of new Set(all)) {
    const truth = all.filter((one) => one === value).length
    if (truth > all.length / 4)
      ok(
        top.some((one) => one.value === value),
        `${value} was lost: ${truth}`,
      )
  }
}
