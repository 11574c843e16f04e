import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { bytesText, countText, durationText } from './text.ts'

describe('texts of numbers', () => {
  it('are what people read', () => {
    deepEqual([0, 999, 1000, 1234567.4].map(countText), ['0', '999', '1,000', '1,234,567'])
    deepEqual([0, 999, 1000, 999_960, 1.5e9].map(bytesText), ['0 B', '999 B', '1.0 kB', '1.0 MB', '1.5 GB'])
    deepEqual([0, 59_940, 59_960, 3_599_400, 3_600_000].map(durationText), [
      '0.0 s',
      '59.9 s',
      '1 m 00 s',
      '59 m 59 s',
      '1 h 00 m',
    ])
  })
})
