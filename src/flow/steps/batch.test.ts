import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { probeStep, type StepProbe } from '../../testing/step-probe.ts'
import { type BatchOptions, Flow } from '../flow.ts'
import type { Operator } from '../plan.ts'
import { batch } from './batch.ts'

const probeOf = (options: BatchOptions<number>): StepProbe => {
  const { operator } = new Flow<number>().batch(options).node
  return probeStep(batch(operator as Extract<Operator, { kind: 'batch' }>))
}

describe('batch', () => {
  it('L31: goes out when it is full; at the end what is left', () => {
    const { step, take } = probeOf({ size: 2 })
    step.events([1])
    deepEqual(take(), [])
    step.events([2, 3, 4, 5])
    deepEqual(take(), [
      [
        [1, 2],
        [3, 4],
      ],
    ])
    step.end?.()
    deepEqual(take(), [[[5]]])
    step.end?.()
    deepEqual(take(), [])
  })

  it('L31: goes out before it would go over its bytes; one event that is over them by itself goes alone', () => {
    const { step, take } = probeOf({ size: 10, bytes: { limit: 5, of: (n) => n } })
    step.events([3, 3, 2, 9, 1])
    deepEqual(take(), [[[3], [3, 2], [9]]])
  })

  it('L31: waits from its first event on, not from its last', () => {
    const probe = probeOf({ size: 10, waitMs: 50 })
    const { step, take } = probe
    equal(step.nextTickMs, undefined)
    step.events([1])
    probe.clock.nowMs = 49
    step.events([2])
    equal(step.nextTickMs, 50)
    step.tick?.(49)
    deepEqual(take(), [])
    step.tick?.(50)
    deepEqual(take(), [[[1, 2]]])
    equal(step.nextTickMs, undefined)
  })

  it('L31: with a key holds events of one key each', () => {
    const { step, take } = probeOf({ size: 2, key: (n) => n % 2 })
    step.events([1, 2, 3, 4, 5])
    deepEqual(take(), [
      [
        [1, 3],
        [2, 4],
      ],
    ])
    step.end?.()
    deepEqual(take(), [[[5]]])
  })

  it('gives every event once, in order, in no batch larger than its size', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat())), fc.integer({ min: 1, max: 7 }), (batches, size) => {
        const { step, take } = probeOf({ size })
        for (const events of batches) if (events.length > 0) step.events(events)
        step.end?.()
        const given = take().flat() as number[][]
        deepEqual(given.flat(), batches.flat())
        equal(
          given.slice(0, -1).every(({ length }) => length === size),
          true,
        )
      }),
    )
  })
})
