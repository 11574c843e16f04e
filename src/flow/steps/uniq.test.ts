import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { probeStep, type StepProbe } from '../../testing/step-probe.ts'
import { Flow, type UniqOptions } from '../flow.ts'
import type { Deduplicating } from '../plan.ts'
import { uniq } from './uniq.ts'

const probeOf = (options?: UniqOptions): StepProbe =>
  probeStep(uniq(new Flow<number>().uniq((n) => n % 10, options).node.operator as Deduplicating))

describe('uniq', () => {
  it('L23: gives the first event of each key, as it comes', () => {
    const { step, take } = probeOf()
    step.events([1, 11, 2])
    deepEqual(take(), [[1, 2]])
    step.events([12, 21])
    step.watermark(5)
    step.events([3])
    deepEqual(take(), [{ watermark: 5 }, [3]])
  })

  it('L23: fails at one key more than it may remember', () => {
    const { step } = probeOf({ maxKeys: 2, name: 'once' })
    step.events([1, 2, 11])
    throws(() => step.events([3]), {
      code: 'STATE_OVER_LIMIT',
      message: /hold another key in once: a stage holds 2, the limit set by maxKeys/,
    })
  })

  it('L23: forgets the key that came first, where it is told to', () => {
    const { step, take } = probeOf({ maxKeys: 2, whenFull: 'forget' })
    step.events([1, 2, 3, 12, 13, 11])
    deepEqual(take(), [[1, 2, 3, 11]])
  })
})
