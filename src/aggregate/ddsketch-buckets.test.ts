import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { addToBucket, emptyBuckets } from './ddsketch-buckets.ts'

describe('Buckets', () => {
  it('count as a map does, with all that is too low in the lowest', () => {
    const indexes = fc.array(fc.integer({ min: -60, max: 60 }), { minLength: 1 })
    fc.assert(
      fc.property(indexes, fc.integer({ min: 1, max: 50 }), (all, limit) => {
        const buckets = emptyBuckets()
        for (const index of all) addToBucket(buckets, index, 1, limit)
        const lowest = Math.max(...all) - limit + 1
        const model = new Map<number, number>()
        for (const index of all.map((one) => Math.max(one, lowest))) model.set(index, (model.get(index) ?? 0) + 1)
        const found = buckets.counts.flatMap((count, i) => (count === 0 ? [] : [[buckets.low + i, count] as const]))
        deepEqual(new Map(found), model)
        ok(buckets.counts.length <= limit)
        equal(buckets.counts.at(-1), model.get(Math.max(...all)))
      }),
    )
  })
})
