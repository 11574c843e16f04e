import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { max, min } from './min-max.ts'

const least = min((value: unknown) => value as number)
const most = max((value: unknown) => value as number)
const leastOf = (...values: unknown[]): unknown => least.result(values.reduce(least.add, least.create()))
const mostOf = (...values: unknown[]): unknown => most.result(values.reduce(most.add, most.create()))

describe('min and max', () => {
  it('are null of nothing', () => {
    equal(leastOf(), null)
    equal(mostOf(null, undefined), null)
  })

  it('compare numbers, bigints, strings and Dates', () => {
    deepEqual([leastOf(3, -Infinity, 2), mostOf(3, null, 7)], [-Infinity, 7])
    deepEqual([leastOf(3n, 2n), mostOf(3n, 2n)], [2n, 3n])
    deepEqual([leastOf('b', 'B', 'a'), mostOf('b', 'B', 'a')], ['B', 'b'])
    deepEqual([leastOf(new Date(2), new Date(1)), mostOf(new Date(2), new Date(1))], [new Date(1), new Date(2)])
  })

  it('do not tell -0 from 0', () => {
    equal(leastOf(0, -0), 0)
    equal(leastOf(-0, 0), 0)
    equal(mostOf(-1, -0), 0)
  })

  it('keep the time of a Date, not the Date that may be changed', () => {
    const day = new Date(5)
    const state = most.add(most.create(), day)
    day.setTime(9)
    ;(most.result(state) as unknown as Date).setTime(9)
    deepEqual(most.result(state), new Date(5))
  })

  it('refuse NaN, invalid Dates, other things, and values of two kinds', () => {
    const needs = 'numbers, bigints, strings or Dates, of one kind'
    throws(() => leastOf(Number.NaN), { message: `Cannot add an event to min: it takes ${needs}, found NaN` })
    throws(() => leastOf(1, Number.NaN), { message: `Cannot add an event to min: it takes ${needs}, found NaN` })
    throws(() => mostOf(new Date('no')), { message: `Cannot add an event to max: it takes ${needs}, found Date` })
    throws(() => mostOf({}), { message: `Cannot add an event to max: it takes ${needs}, found Object` })
    throws(() => mostOf(1, 2n), { message: `Cannot add an event to max: it takes ${needs} (so far: number), found 2n` })
    throws(() => mostOf('1', 2), { message: `Cannot add an event to max: it takes ${needs} (so far: string), found 2` })
    throws(() => mostOf(new Date(1), 2), TypeError)
  })
})
