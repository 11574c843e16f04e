import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { probeStep, type StepProbe } from '../../testing/step-probe.ts'
import { tumbling } from '../../window/window.ts'
import { Flow } from '../flow.ts'
import type { JoinOptions } from '../join.ts'
import type { JoinMode, Operator } from '../plan.ts'
import { join, type Sided } from './join.ts'

interface Event {
  readonly id: number
  readonly at: number
}
type Options = Partial<JoinOptions<Event, Event, JoinMode>>

const probeOf = (options: Options = {}): StepProbe => {
  const byId = { left: ({ id }: Event) => id, right: ({ id }: Event) => id }
  const { operator } = new Flow<Event>().join(new Flow<Event>(), { ...byId, ...options }).node
  return probeStep(join(operator as Extract<Operator, { kind: 'join' }>))
}
const left = (id: number, at = 0): Sided => ({ side: 'left', value: { id, at } })
const right = (id: number, at = 0): Sided => ({ side: 'right', value: { id, at } })
const pairs = (probe: StepProbe): string[] =>
  probe
    .take()
    .flat()
    .map((pair) => (Array.isArray(pair) ? pair.map((half) => (half === undefined ? '–' : half.at)).join() : ''))

describe('join', () => {
  it('L30: gives a pair as soon as its second half has come, each with each', () => {
    const probe = probeOf()
    probe.step.events([left(1, 1), left(1, 2), right(2, 9)])
    deepEqual(pairs(probe), [])
    probe.step.events([right(1, 3)])
    deepEqual(pairs(probe), ['1,3', '2,3'])
    probe.step.events([right(1, 4), left(2, 5)])
    deepEqual(pairs(probe), ['1,4', '2,4', '5,9'])
  })

  const unpaired: Readonly<Record<JoinMode, readonly string[]>> = {
    inner: [],
    left: ['1,–'],
    right: ['–,2'],
    full: ['1,–', '–,2'],
  }
  for (const [mode, expected] of Object.entries(unpaired)) {
    it(`L30: ${mode} gives at the end what found no partner, of the sides that it keeps`, () => {
      const probe = probeOf({ mode: mode as JoinMode })
      probe.step.events([left(1, 1), right(2, 2), left(3, 3), right(3, 4)])
      deepEqual(pairs(probe), ['3,4'])
      probe.step.end?.()
      deepEqual(pairs(probe), expected)
    })
  }

  it('L30: in windows only events of the same one meet, and those without a partner go out when it closes', () => {
    const probe = probeOf({ mode: 'full', window: tumbling('1s', ({ at }: Event) => at, { allowedLateness: '1s' }) })
    probe.step.events([left(1, 100), right(1, 1200), right(1, 900)])
    deepEqual(pairs(probe), ['100,900'])
    probe.step.watermark(2000)
    deepEqual(pairs(probe), [''])
    probe.step.watermark(3000)
    deepEqual(pairs(probe), ['–,1200', ''])
    probe.step.events([left(1, 1300)])
    deepEqual([pairs(probe), probe.told], [[], [['late', { id: 1, at: 1300 }]]])
  })

  it('L30: fails when it would hold more than it may; what closed no longer counts', () => {
    const probe = probeOf({ maxHeld: 2, name: 'match', window: tumbling('1s', ({ at }: Event) => at) })
    probe.step.events([left(1, 0), left(2, 0)])
    probe.step.watermark(1000)
    probe.step.events([left(1, 1000), left(2, 1000)])
    throws(() => probe.step.events([left(3, 1000)]), {
      code: 'STATE_OVER_LIMIT',
      message:
        'Cannot hold another event in match: a stage holds 2, the limit set by maxHeld; raise maxHeld, or use windows or more stages. It holds 3 of the left side and 0 of the right: a side that is read faster does not wait for the other',
    })
  })
})
