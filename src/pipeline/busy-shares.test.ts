import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { BusyShares, bottleneckOf } from './busy-shares.ts'

describe('BusyShares', () => {
  it('counts from the beginning on at first', () => {
    deepEqual(new BusyShares(1000).update([[500], [100, 0]], 2000), [[0.5], [0.1, 0]])
  })

  it('looks back five seconds, and no further', () => {
    const shares = new BusyShares(0)
    for (let nowMs = 1000; nowMs <= 10_000; nowMs += 1000) shares.update([[nowMs]], nowMs)
    deepEqual(shares.update([[10_000]], 13_000), [[0.4]])
  })

  it('is not led astray by those who ask all the time', () => {
    const shares = new BusyShares(0)
    for (let nowMs = 0; nowMs < 4000; nowMs += 1) shares.update([[nowMs / 2]], nowMs)
    deepEqual(shares.update([[2000]], 4000), [[0.5]])
  })

  it('is from 0 to 1, whatever it is told', () => {
    const told = fc.array(fc.record({ busyMs: fc.double({ min: 0, max: 1e6, noNaN: true }), passMs: fc.nat(10_000) }))
    fc.assert(
      fc.property(told, (steps) => {
        const shares = new BusyShares(0)
        let nowMs = 0
        return steps.every(({ busyMs, passMs }) => {
          nowMs += passMs
          const share = shares.update([[busyMs]], nowMs)[0]?.[0] ?? -1
          return share >= 0 && share <= 1
        })
      }),
    )
  })
})

describe('the layer that holds the others up', () => {
  const alone = (layer: number, stage: number): number => layer * 10 + stage

  it('is the busiest one, where it is busy nearly all the time', () => {
    equal(bottleneckOf([[0.2], [0.95], [0.85]], alone), 1)
  })

  it('does not exist where all have time', () => {
    equal(bottleneckOf([[0.7], [0.3]], alone), undefined)
  })

  it('counts all stages of a layer, not its busiest one', () => {
    equal(bottleneckOf([[1, 0.1, 0.1]], alone), undefined)
    equal(bottleneckOf([[0.9, 0.8, 1]], alone), 0)
  })

  it('is the busiest of those that share a thread which is never free', () => {
    equal(
      bottleneckOf([[0.25], [0.5], [0.2]], () => 0),
      1,
    )
  })
})
