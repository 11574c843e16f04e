import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { count } from './count.ts'
import { max } from './min-max.ts'
import { quantile } from './quantile.ts'
import { addAll, addAllGenerated, record } from './record.ts'
import { sum } from './sum.ts'

describe('record', () => {
  it('names all it does in its kind', () => {
    equal(record({ n: count(), p99: quantile(Number, 0.99) }).kind, 'record(n: count, p99: quantile(0.99))')
  })

  it('gives a result also of no events', () => {
    const { create, result } = record({ n: count(), most: max((value: number) => value) })
    deepEqual(result(create()), { n: 0, most: null })
  })

  it('can be one of the aggregates of a record', () => {
    const { create, add, merge, result } = record({ all: record({ n: count() }), n: count() })
    deepEqual(result(merge?.(add(create(), 1), add(create(), 2)) ?? []), { all: { n: 2 }, n: 2 })
  })

  it('adds the same with code made for it as without', () => {
    const members = [count(), max((value: number) => value), sum((value: number) => value)]
    const adds = members.map(({ add }) => add as (state: unknown, event: unknown) => unknown)
    const empty = (): unknown[] => members.map(({ create }) => create())
    const [plain, made] = [addAll(adds), addAllGenerated(adds)]
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true })), (events) => {
        const expected = events.reduce<unknown[]>(plain, empty())
        deepEqual(made === undefined ? undefined : events.reduce<unknown[]>(made, empty()), expected)
      }),
    )
  })

  it('refuses nothing at all, and what is no aggregate', () => {
    throws(() => record({}), { message: 'record needs at least one aggregate: found an empty object' })
    throws(() => record({ n: count } as never), { message: 'record: n must be an aggregate: found function count' })
    throws(() => record({ n: count(), m: null } as never), { message: 'record: m must be an aggregate: found null' })
    throws(() => record(undefined as never), { message: 'record takes an object of aggregates: found undefined' })
    throws(() => record({ ['__proto__']: count() }), TypeError)
  })

  it('refuses a saved state of other aggregates', () => {
    throws(() => record({ n: count() }).load([1, 2]), {
      message: 'Cannot load a record of n: it takes 1 saved states, found 2 of them',
    })
  })
})
