import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { batchOf } from '../connect/batch.ts'
import { TopCounters } from './top-counters.ts'

describe('TopCounters', () => {
  it('go on where a function of the summary throws, and show that it did', () => {
    const parity = (row: number): string => {
      if (row === 3) throw new RangeError('three is too many')
      return row % 2 === 0 ? 'even' : 'odd'
    }
    const tops = new TopCounters({ parity })
    tops.count(batchOf([2, 3, 4]), [])
    deepEqual(tops.top().parity?.values, [
      ['even', 2],
      ['error: three is too many', 1],
    ])
  })
})
