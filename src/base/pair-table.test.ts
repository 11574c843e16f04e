import { equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { times } from '../testing/times.ts'
import { PairTable } from './pair-table.ts'

describe('PairTable', () => {
  it('numbers pairs as a Map would, however many there are, and again when it was cleared', () => {
    const integer = fc.oneof(fc.integer({ min: -3, max: 3 }), fc.integer())
    const pairs = fc.array(fc.tuple(integer, integer), { maxLength: 2000 })
    fc.assert(
      fc.property(pairs, (all) => {
        const table = new PairTable()
        for (let round = 0; round < 2; round += 1) {
          const known = new Map<string, number>()
          for (const [left, right] of all) {
            const name = `${left} ${right}`
            if (!known.has(name)) known.set(name, known.size)
            equal(table.find(left, right), known.get(name))
          }
          table.clear()
        }
      }),
      { numRuns: times(30) },
    )
  })
})
