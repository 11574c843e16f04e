import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { nearest } from './nearest.ts'

describe('nearest', () => {
  it('finds what was meant, and nothing for a word of its own', () => {
    deepEqual(
      ['rnu', 'grpah', 'hlep', 'deploy', 'top', 'ran'].map((word) => nearest(word, ['run', 'graph', 'help', 'log'])),
      ['run', 'graph', 'help', undefined, undefined, 'run'],
    )
  })
})
