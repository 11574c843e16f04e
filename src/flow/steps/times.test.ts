import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { probeStep, type StepProbe } from '../../testing/step-probe.ts'
import { type EventTimeWindow, session, tumbling } from '../../window/window.ts'
import { times } from './times.ts'

const at = (time: number): number => time
const probeOf = (window: EventTimeWindow<number>, inputs = 1): StepProbe =>
  probeStep(
    times('seconds', window as EventTimeWindow<never>, () => inputs === 1),
    { inputs },
  )

describe('times', () => {
  it('T38: tells the watermark behind the event that moved it, in steps of the windows', () => {
    const { step, take } = probeOf(tumbling(1000, at, { outOfOrderness: 100 }))
    step.events([110, 200, 1100, 1500])
    deepEqual(take(), [[110], { watermark: 0 }, [200, 1100], { watermark: 1000 }, [1500]])
    step.events([1600])
    deepEqual(take(), [[1600]])
  })

  it('T1: refuses an event whose time cannot be told, and nothing else', () => {
    const { step, take, told } = probeOf(tumbling(1000, at))
    step.events([10, Number.NaN, 20])
    deepEqual([take(), told.length], [[[10], { watermark: 0 }, [20]], 1])
  })

  it('T20: tells late events apart at the very event, not at the end of a batch', () => {
    const { step, take, told } = probeOf(tumbling(1000, at))
    step.events([0, 1500, 100, 1200, 2500, 1600])
    deepEqual(take(), [[0], { watermark: 0 }, [1500], { watermark: 1000 }, [1200, 2500], { watermark: 2000 }])
    deepEqual(told, [
      ['late', 100],
      ['late', 1600],
    ])
  })

  it('T3: an event far ahead of the clock is reported, and hides none behind it in the same batch', () => {
    const { step, take, told } = probeOf(tumbling(1000, at, { futureLimit: 5000 }))
    step.events([0, 9000, 2000, 9100, 3000])
    deepEqual(take(), [[0], { watermark: 0 }, [9000, 2000], { watermark: 2000 }, [9100, 3000], { watermark: 3000 }])
    deepEqual(told, [
      ['ahead', 9000],
      ['ahead', 9100],
    ])
  })

  it('T39: an event is late by its own input alone', () => {
    const probe = probeOf(tumbling(1000, at), 2)
    probe.context.input = 0
    probe.step.events([5000])
    probe.context.input = 1
    probe.step.events([100])
    deepEqual(probe.take(), [[5000], [100], { watermark: 0 }])
    probe.step.events([6000, 200])
    deepEqual([probe.take(), probe.told], [[[6000], { watermark: 5000 }], [['late', 200]]])
  })

  it('T6: an input that has ended holds nobody back', () => {
    const probe = probeOf(tumbling(1000, at), 2)
    probe.step.events([5000])
    deepEqual(probe.take(), [[5000]])
    probe.step.inputEnded?.(1)
    deepEqual(probe.take(), [{ watermark: 5000 }])
  })

  it('T5: an input that is silent for so long holds nobody back', () => {
    const probe = probeOf(tumbling(1000, at, { idleAfter: 100 }), 2)
    probe.step.events([5000])
    probe.clock.nowMs = 60
    probe.step.events([5100])
    equal(probe.step.nextTickMs, 25)
    probe.step.tick?.(60)
    deepEqual(probe.take(), [[5000], [5100]])
    probe.clock.nowMs = 100
    probe.step.tick?.(100)
    deepEqual(probe.take(), [{ watermark: 5000 }])
  })

  it('T80: leaves it to the sessions of one input which of their events are late', () => {
    const { step, take, told } = probeOf(session(1000, at))
    step.events([5000, 100])
    deepEqual([take().filter(Array.isArray).flat(), told], [[5000, 100], []])
  })

  it('T81: of several inputs, an event is late that makes a session by itself which has passed', () => {
    const { step, take, told } = probeOf(session(1000, at, { allowedLateness: 500 }), 2)
    step.events([5000, 3501, 3500])
    deepEqual([take().filter(Array.isArray).flat(), told], [[5000, 3501], [['late', 3500]]])
  })

  it('gives the same however events are cut into batches', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -50, max: 500 })),
        fc.array(fc.integer({ min: 1, max: 5 })),
        (all, cuts) => {
          const window = tumbling(50, at, { outOfOrderness: 20, allowedLateness: 30, offset: 7 })
          const [whole, cut] = [probeOf(window), probeOf(window)]
          if (all.length > 0) whole.step.events(all)
          for (let from = 0, n = 0; from < all.length; n += 1) {
            const size = cuts[n % Math.max(1, cuts.length)] ?? 1
            cut.step.events(all.slice(from, from + size))
            from += size
          }
          // Marks stand where they stood; events between two of them may lie in several batches.
          const flat = ({ take }: StepProbe): unknown[] => take().flat()
          deepEqual([flat(cut), cut.told], [flat(whole), whole.told])
        },
      ),
    )
  })
})
