import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { packState, unpackState } from './pack-state.ts'

describe('packState', () => {
  it('C10: brings back all that structured clone carries', () => {
    const state = new Map<unknown, unknown>([
      [1n, new Set(['a'])],
      ['at', new Date(5)],
      [Number.NaN, [undefined, -0]],
    ])
    deepEqual(unpackState('reduce', packState('reduce', state)), state)
  })

  it('C14: refuses what would not come back as it is', () => {
    for (const state of [() => 1, Promise.resolve(1), { deep: [Symbol('a')] }]) {
      throws(() => packState('reduce', state), {
        code: 'STATE_NOT_KEPT',
        message: /^Cannot store the state of reduce: /,
      })
    }
  })

  it('C13: refuses a state of another version, and one that is broken', () => {
    const packed = packState('reduce', { n: 1 })
    throws(() => unpackState('reduce', packed.with(0, 9)), { code: 'STATE_NOT_KEPT', message: /has version 9/ })
    throws(() => unpackState('reduce', packed.slice(0, 5)), { code: 'STATE_NOT_KEPT', message: /cannot be read/ })
  })
})
