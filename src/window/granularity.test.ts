import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { floorTo, granularityOf } from './granularity.ts'
import { early } from './trigger.ts'
import { session, sliding, tumbling } from './window.ts'

const at = (time: number): number => time

describe('granularityOf', () => {
  it('T38: is the greatest step on which all ends lie', () => {
    deepEqual(granularityOf(tumbling('1m', at)), { ms: 60_000, offsetMs: 0 })
    deepEqual(granularityOf(tumbling('1m', at, { offset: '7s' })), { ms: 60_000, offsetMs: 7000 })
    equal(granularityOf(tumbling('1m', at, { allowedLateness: '90s' })).ms, 30_000)
    equal(granularityOf(tumbling('1m', at, { triggers: [early('25s')] })).ms, 5000)
    equal(granularityOf(sliding('1h', '25m', at)).ms, 300_000)
    equal(granularityOf(session('1s', at)).ms, 125)
    equal(granularityOf(session(4, at)).ms, 1)
  })

  it('T38: passes the end of every window at the same event as the exact time does', () => {
    const specs = fc.record({
      size: fc.integer({ min: 1, max: 40 }),
      offset: fc.integer({ min: 0, max: 39 }),
      late: fc.integer({ min: 0, max: 40 }),
    })
    fc.assert(
      fc.property(specs, fc.integer({ min: -200, max: 200 }), ({ size, offset, late }, time) => {
        const spec = tumbling(size, at, { offset: offset % size, allowedLateness: late })
        const told = floorTo(granularityOf(spec), time)
        for (let end = (offset % size) - 400 * size; end < 400; end += size) {
          equal(told >= end, time >= end)
          equal(told >= end + late, time >= end + late)
        }
      }),
    )
  })
})
