import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { count } from '../../aggregate/count.ts'
import { max } from '../../aggregate/min-max.ts'
import { record } from '../../aggregate/record.ts'
import { sum } from '../../aggregate/sum.ts'
import type { Aggregating } from '../plan.ts'
import { MemberStates } from './member-states.ts'

const operator = { aggregate: record({ n: count(), all: sum('x'), most: max('x') } as never) } as unknown as Aggregating

describe('MemberStates', () => {
  it('adds the same by generated code and by plain code', () => {
    const found = [(one: MemberStates) => one.adderGenerated()!, (one: MemberStates) => one.adderByCalls()].map(
      (way) => {
        const states = new MemberStates(operator)
        const x = [1, null, 2.5, -1, 4]
        const add = way(states)
        add(Int32Array.of(0, 1, 0, 2, 1), [undefined, x, x])
        add(Int32Array.of(2), [undefined, Float64Array.of(7), Float64Array.of(7)])
        return [0, 1, 2].map((at) => states.members.map((member, m) => member.result(states.columns[m]?.[at])))
      },
    )
    deepEqual(found[0], [
      [2, 3.5, 2.5],
      [2, 4, 4],
      [2, 6, 7],
    ])
    deepEqual(found[1], found[0])
  })

  it('reads fields only if all members do', () => {
    equal(new MemberStates(operator).areByField, true)
    const own = { aggregate: record({ all: sum((event: { x: number }) => event.x) }) } as unknown as Aggregating
    equal(new MemberStates(own).areByField, false)
  })
})
