import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Aggregate } from './aggregate.ts'
import { first, last } from './first-last.ts'

interface Event {
  readonly id: string | undefined
  readonly ms: number
}

const at = (event: Event): number => event.ms
const id = (event: Event): string | undefined => event.id
const stateOf = <S>({ create, add }: Aggregate<Event, unknown, S>, events: readonly Event[]): S =>
  events.reduce(add, create())

describe('first and last', () => {
  it('keep undefined as a value: only no event at all is nothing', () => {
    const events = [
      { id: undefined, ms: 1 },
      { id: 'b', ms: 2 },
    ]
    equal(first(id).result(stateOf(first(id), events)), undefined)
    deepEqual(first<Event>().result(stateOf(first<Event>(), events)), events[0])
  })

  it('of equal times take the first and the last to arrive', () => {
    const events = ['a', 'b'].map((one) => ({ id: one, ms: 7 }))
    equal(first(id, { at }).result(stateOf(first(id, { at }), events)), 'a')
    equal(last(id, { at }).result(stateOf(last(id, { at }), events)), 'b')
  })

  it('by time, are the same in any order of merging where no two times are equal', () => {
    const times = fc.uniqueArray(fc.integer(), { minLength: 1 })
    fc.assert(
      fc.property(times, (all) => {
        for (const aggregate of [first(at, { at }), last(at, { at })]) {
          const states = all.map((ms) => stateOf(aggregate, [{ id: 'x', ms }]))
          const best = aggregate.kind === 'first(by time)' ? Math.min(...all) : Math.max(...all)
          equal(aggregate.result(states.reduceRight((into, other) => aggregate.merge?.(into, other) ?? into)), best)
        }
      }),
    )
  })

  it('refuse a time that cannot be compared', () => {
    throws(() => stateOf(first(id, { at: () => Number.NaN }), [{ id: 'a', ms: 1 }]), {
      message: 'first: at must be a time, as a number: found NaN',
    })
  })
})
