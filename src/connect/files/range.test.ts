import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseRangeId, rangeId, rangesOf } from './range.ts'

describe('rangesOf', () => {
  it('gives the same ranges to a file that has grown, and more', () => {
    deepEqual(rangesOf(150, 100), [
      { from: 0, to: 100 },
      { from: 100, to: 200 },
    ])
    deepEqual(rangesOf(201, 100).slice(0, 2), rangesOf(150, 100))
  })

  it('gives an empty file one range', () => {
    deepEqual(rangesOf(0, 100), [{ from: 0, to: 100 }])
  })
})

describe('parseRangeId', () => {
  it('takes apart what rangeId made, of a path with any characters', () => {
    const range = { from: 300, to: 400 }
    deepEqual(parseRangeId(rangeId('/a#0-100\nb', range), 100), { path: '/a#0-100\nb', range })
  })

  it('takes what is no range of that size for a path', () => {
    equal(parseRangeId('/a#0-50', 100), undefined)
    equal(parseRangeId('/a#50-150', 100), undefined)
    equal(parseRangeId('/a', 100), undefined)
  })
})
