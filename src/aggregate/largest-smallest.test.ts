import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { largest, smallest } from './largest-smallest.ts'

interface Event {
  readonly id: number
  readonly n: number | null
}

const n = (event: Event): number | null => event.n

describe('largest and smallest', () => {
  it('are what a stable sort would put first', () => {
    const numbers = fc.array(fc.option(fc.integer({ min: -4, max: 4 })), { maxLength: 40 })
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 9 }), (all, k) => {
        const events = all.map((one, id) => ({ id, n: one }))
        const counted = events.filter((event) => event.n !== null)
        const most = largest(k, n)
        const least = smallest(k, n)
        const descending = counted.toSorted((a, b) => Number(b.n) - Number(a.n)).slice(0, k)
        const ascending = counted.toSorted((a, b) => Number(a.n) - Number(b.n)).slice(0, k)
        deepEqual(most.result(events.reduce(most.add, most.create())), descending)
        deepEqual(least.result(events.reduce(least.add, least.create())), ascending)
      }),
    )
  })

  it('take infinities, and refuse NaN and what is no number', () => {
    const { create, add, result } = largest(1, (value: unknown) => value as number)
    deepEqual(result([1, Infinity].reduce(add, create())), [Infinity])
    throws(() => add(create(), Number.NaN), { message: 'Cannot add an event to largest: it takes numbers, found NaN' })
    throws(() => add(create(), '7'), { message: 'Cannot add an event to largest: it takes numbers, found "7"' })
    throws(() => largest(0, n), { message: 'largest: k must be an integer, 1 or more: found 0' })
  })
})
