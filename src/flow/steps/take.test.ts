import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { probeStep } from '../../testing/step-probe.ts'
import type { Compare, TakingSorted } from '../plan.ts'
import { take, takeSort } from './take.ts'

function sorting(count: number, compare: Compare): TakingSorted {
  return { kind: 'takeSort', name: 'first', count, compare, maxHeld: 10_000, isSpread: false, isOfRun: false }
}

describe('take', () => {
  it('L22: gives so many, then wants no more', () => {
    const probe = probeStep(take(3))
    probe.step.events([1, 2])
    equal(probe.context.isStopped, false)
    probe.step.events([3, 4])
    equal(probe.context.isStopped, true)
    probe.step.events([5])
    deepEqual(probe.take(), [[1, 2], [3]])
  })

  it('L22: of none asks for none', () => {
    equal(probeStep(take(0)).context.isStopped, true)
  })
})

describe('takeSort', () => {
  const byTens = (a: number, b: number): number => Math.floor(a / 10) - Math.floor(b / 10)

  it('L24: gives one array, also of nothing', () => {
    const { step, take: given } = probeStep(takeSort(sorting(2, byTens)))
    step.end?.()
    deepEqual(given(), [[[]]])
  })

  it('L24: gives the first ones in order, equals as they came', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(60), { maxLength: 3000 }), fc.nat(20), (events, count) => {
        const { step, take: given } = probeStep(takeSort(sorting(count, byTens)))
        for (let at = 0; at < events.length; at += 100) step.events(events.slice(at, at + 100))
        step.end?.()
        deepEqual(given(), [[events.toSorted(byTens).slice(0, count)]])
      }),
    )
  })

  it('L24: merges the arrays of several stages', () => {
    const { step, take: given } = probeStep(
      takeSort(
        sorting(2, (a: number, b: number) => a - b),
        'merging',
      ),
    )
    step.events([[3, 7], [], [1, 9]])
    step.end?.()
    deepEqual(given(), [[[1, 3]]])
  })
})
