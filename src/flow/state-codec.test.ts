import { equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { keepable } from './state-codec.ts'

describe('keepable', () => {
  it('C14: refuses a state that would not come back as it is, and says what it is', () => {
    class Basket {}
    for (const [state, found] of [
      [new Basket(), /it is an instance of Basket/],
      [() => 1, /it is a function/],
      [Symbol('a'), /it is a symbol/],
    ] as const) {
      throws(() => keepable('reduce', state), { code: 'STATE_NOT_KEPT', message: found })
    }
    for (const state of [1, 'a', null, undefined, [], {}, new Map(), new Set(), new Date(0), new Uint8Array(2)]) {
      equal(keepable('reduce', state), state)
    }
  })
})
