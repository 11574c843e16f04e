import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { collect } from './collect.ts'

describe('collect', () => {
  it('refuses one more than its limit, by an event and by a merge', () => {
    const { create, add, merge } = collect((value: number) => value, { limit: 2 })
    const full = [1, 2].reduce(add, create())
    const message =
      "Cannot collect another event: the limit of 2 is reached (raise limit, or keep the first ones with whenFull: 'first')"
    throws(() => add(full, 3), { name: 'RangeError', message })
    throws(() => merge?.(full, add(create(), 3)), { message })
  })

  it('holds 10,000 unless told', () => {
    const { create, add } = collect<number>()
    const full = Array.from({ length: 10_000 }, (_, i) => i).reduce(add, create())
    throws(() => add(full, 0), RangeError)
  })

  it('gives an array of its own each time', () => {
    const { create, add, result } = collect<number>()
    const state = add(create(), 1)
    result(state).push(9)
    deepEqual(result(state), [1])
  })

  it('refuses invalid options', () => {
    throws(() => collect(Number, { limit: 0 }), RangeError)
    throws(() => collect(Number, { whenFull: 'last' as never }), RangeError)
    throws(() => collect(Number, { size: 3 } as never), TypeError)
  })
})
