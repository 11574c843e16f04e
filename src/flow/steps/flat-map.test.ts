import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { probeStep } from '../../testing/step-probe.ts'
import { flatMap } from './flat-map.ts'

function* endless(): Generator<number> {
  try {
    for (let n = 0; ; n += 1) yield n
  } finally {
    closed += 1
  }
}
/** How many of the endless ones were closed. */
let closed = 0

describe('flatMap', () => {
  it('L21: gives the items of arrays, Sets and generators in their order', () => {
    const given: Record<string, Iterable<number>> = { a: [1, 2], none: [], s: new Set([3, 4]) }
    const { step, take } = probeStep(flatMap((name: string) => given[name] ?? [].values()))
    step.events(['a', 'none', 's', 'other'])
    deepEqual(take().flat(), [1, 2, 3, 4])
  })

  it('L21: draws from an endless iterator in bounded pieces, and what comes meanwhile waits behind it', () => {
    const { step, take } = probeStep(flatMap((n: number) => (n === 0 ? endless() : [n])))
    step.events([7, 0, 8])
    const first = take().flat()
    ok(first.length > 1 && first.length < 5000)
    deepEqual(first.slice(0, 3), [7, 0, 1])
    equal(step.isSuspended, true)
    step.events([9])
    step.resume?.()
    const more = take().flat()
    equal(more[0], first.length - 1)
    ok(!more.includes(9) || more.indexOf(9) === 9)
  })

  it('L21: closes what is open when nothing more is wanted', () => {
    closed = 0
    const { step } = probeStep(flatMap(() => endless()))
    step.events([1])
    step.drop?.()
    deepEqual([closed, step.isSuspended], [1, false])
  })
})
