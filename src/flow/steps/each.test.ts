import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { z } from 'zod'
import { probeStep } from '../../testing/step-probe.ts'
import { Flow } from '../flow.ts'
import { type Each, each, eachByCalls, eachGenerated } from './each.ts'

const OPS: readonly ((flow: Flow<number>) => Flow<number>)[] = [
  (flow) => flow.map((n) => n + 1),
  (flow) => flow.map((n) => n * 2),
  (flow) => flow.filter((n) => n % 3 !== 0),
  (flow) => flow.reject((n) => n % 5 === 1),
  (flow) => flow.validate(z.number().max(50)),
]
const operatorsOf = (flow: Flow<number>): Each[] => flow.plan as Each[]

describe('each', () => {
  it('does the same with code made for it as without', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...OPS), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(60)),
        (ops, events) => {
          const operators = operatorsOf(ops.reduce((flow, op) => op(flow), new Flow<number>()))
          const [made, plain] = [probeStep(each([])), probeStep(each([]))]
          deepEqual(eachGenerated(operators, made.context)?.(events), eachByCalls(operators, plain.context)(events))
          deepEqual(made.told, plain.told)
        },
      ),
    )
  })

  it('L34: lets nothing go on that a schema refuses, and tells why', () => {
    const { step, take, told } = probeStep(each(operatorsOf(new Flow<number>().validate(z.number().max(5)))))
    step.events([4, 6, 5])
    deepEqual(take(), [[4, 5]])
    equal(told.length, 1)
    deepEqual((told[0] as unknown[]).slice(0, 2), ['dead', 6])
  })

  for (const [how, loopOf] of Object.entries({ 'made code': eachGenerated, calls: eachByCalls })) {
    it(`L43: names the operator and the event at which a function threw: ${how}`, () => {
      const accused: unknown[] = []
      const flow = new Flow<number>().map((n) => n).map((n) => (n === 2 ? fail() : n), { name: 'picky' })
      const { context } = probeStep(each([]), { accuse: (operator, event) => accused.push(operator, event) })
      throws(() => loopOf(operatorsOf(flow), context)?.([1, 2, 3]), /too much/)
      deepEqual(accused, ['picky', [2]])
    })
  }
})

function fail(): never {
  throw new Error('too much')
}
