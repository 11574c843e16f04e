import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import fc from 'fast-check'
import { z } from 'zod'
import { batchOfTracked } from '../../connect/batch.ts'
import { type Origin, tracked } from '../../connect/origin.ts'
import { probeStep } from '../../testing/step-probe.ts'
import { Flow } from '../flow.ts'
import { nodesOf } from '../plan.ts'
import type { StepContext } from '../step.ts'
import { Check } from '../validation.ts'
import { each } from './each.ts'
import { type Each, type Loop, loopByCalls, loopGenerated } from './each-loop.ts'

const OPS: readonly ((flow: Flow<number>) => Flow<number>)[] = [
  (flow) => flow.map((n) => n + 1),
  (flow) => flow.map((n) => (n % 7 === 3 ? fail() : n * 2)),
  (flow) => flow.filter((n) => n % 3 !== 0),
  (flow) => flow.reject((n) => n % 5 === 1),
  (flow) => flow.validate(z.number().max(50)),
]
const operatorsOf = ({ node }: Flow<number, unknown>): Each[] =>
  nodesOf(node).flatMap(({ operator }) => (operator.kind === 'input' ? [] : [operator as Each]))
const originOf = (offset: number): Origin => ({ source: 'a.log', line: 0, offset, raw: `raw ${offset}` })
const recordsOf = (values: readonly unknown[]) => batchOfTracked(values.map((value, i) => tracked(value, originOf(i))))
const GUARDED: Partial<StepContext> = { onError: 'dead-letter' }

/** What a loop gives, and what it tells. */
function made(
  loopOf: typeof loopByCalls | typeof loopGenerated,
  operators: Each[],
  values: readonly unknown[],
  isGuarded: boolean,
) {
  const checks = operators.map((operator) => (operator.kind === 'validate' ? new Check(operator.schema) : undefined))
  const told: unknown[] = []
  const out = { out: [] as unknown[], of: [] as number[] }
  const stop = (loopOf(operators, checks, isGuarded) as Loop)(values, out, {
    refused: (at, index) => told.push(['refused', at, index, checks[at]?.reason]),
    failed: (at, index, error) => told.push(['failed', at, index, String(error)]),
  })
  return { ...out, told, stop }
}

describe('each', () => {
  it('does the same with code made for it as without', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...OPS), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(60)),
        fc.boolean(),
        (ops, events, isGuarded) => {
          const operators = operatorsOf(ops.reduce((flow, op) => op(flow), new Flow<number>()))
          deepEqual(made(loopGenerated, operators, events, isGuarded), made(loopByCalls, operators, events, isGuarded))
        },
      ),
    )
  })

  it('L34: lets nothing go on that a schema refuses, and tells why', () => {
    const { step, take, told } = probeStep(each(operatorsOf(new Flow<number>().validate(z.number().max(5)))))
    step.events([4, 6, 5])
    deepEqual(take(), [[4, 5]])
    deepEqual(told, [['dead', 6, 'Too big: expected number to be <=5']])
  })

  it('names the place in a value that a schema refuses', () => {
    const schema = z.object({ status: z.number().max(599) })
    const { step, told } = probeStep(each(operatorsOf(new Flow().validate(schema) as Flow<never>)))
    step.events([{ status: 200 }, { status: 999 }])
    deepEqual(told, [['dead', { status: 999 }, 'status: Too big: expected number to be <=599']])
  })

  it('L43: names the operator and the event at which a function threw, where that fails the run', () => {
    const failures: unknown[] = []
    const flow = new Flow<number>().map((n) => n).map((n) => (n === 2 ? fail() : n), { name: 'picky' })
    const { step } = probeStep(each(operatorsOf(flow)), {
      recordFailure: (operator, event) => failures.push(operator, event),
    })
    throws(() => step.events([1, 2, 3]), /too much/)
    deepEqual(failures, ['picky', [2]])
  })

  it('makes a dead letter of an event whose function throws in a pipeline, and lets the others go on', () => {
    const letters: unknown[] = []
    const flow = new Flow<number>().map((n) => (n === 2 ? fail() : n * 10), { name: 'tenfold' })
    const { step, take } = probeStep(each(operatorsOf(flow)), {
      ...GUARDED,
      dead: (operator, batch, index, reason) => letters.push([operator, batch.origin(index)?.raw, reason]),
    })
    step.events(recordsOf([1, 2, 3]))
    deepEqual(take(), [[10, 30]])
    deepEqual(letters, [['tenfold', 'raw 1', 'too much']])
  })

  it('accounts for every event: in = out + filtered + dead', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...OPS), { maxLength: 6 }), fc.array(fc.nat(60)), (ops, events) => {
        const operators = operatorsOf(ops.reduce((flow, op) => op(flow), new Flow<number>()))
        const { step, take, told, context } = probeStep(each(operators), GUARDED)
        step.events(events)
        equal(events.length, take().flat().length + context.counts.filtered + told.length)
      }),
    )
  })
})

describe('a schema that waits', () => {
  /** Answers when it is told to, and counts how many events are with it. */
  function slow() {
    const open: { readonly value: number; readonly say: (isFine: boolean) => void; readonly fail: () => void }[] = []
    const schema: StandardSchemaV1<number, number> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: (value) =>
          new Promise((resolve, reject) => {
            open.push({
              value: value as number,
              say: (isFine) => resolve(isFine ? { value: value as number } : { issues: [{ message: 'not fine' }] }),
              fail: () => reject(new Error('broke')),
            })
          }),
      },
    }
    return { schema, open }
  }
  const turn = () => new Promise(setImmediate)

  it('L80: is asked of 64 events at most at a time, and its answers go on in the order of the events', async () => {
    const { schema, open } = slow()
    const flow = new Flow<number>()
      .map((n) => n + 1)
      .validate(schema)
      .map((n) => -n)
    const { step, take } = probeStep(each(operatorsOf(flow as Flow<number>)))
    step.events(Array.from({ length: 100 }, (_, n) => n))
    deepEqual([open.length, step.isSuspended, take()], [64, true, []])
    open[1]?.say(true)
    await turn()
    step.resume?.()
    deepEqual([open.length, take()], [64, []])
    open[0]?.say(true)
    await step.waitsFor
    step.resume?.()
    deepEqual([open.length, take().flat()], [66, [-1, -2]])
    while (step.isSuspended) {
      for (const { say } of open) say(true)
      await step.waitsFor
      step.resume?.()
    }
    deepEqual(
      take().flat(),
      Array.from({ length: 98 }, (_, n) => -n - 3),
    )
    equal(open.length, 100)
  })

  it('L80: keeps what comes meanwhile behind it, watermarks in their places', async () => {
    const { schema, open } = slow()
    const { step, take } = probeStep(each(operatorsOf(new Flow<number>().validate(schema))))
    step.events([1])
    step.watermark(10)
    step.events([2])
    step.watermark(20)
    while (step.isSuspended) {
      for (const { say } of open) say(true)
      await step.waitsFor
      step.resume?.()
    }
    deepEqual(take(), [[1], { watermark: 10 }, [2], { watermark: 20 }])
  })

  it('L80: refuses, and fails, like one that does not wait', async () => {
    const { schema, open } = slow()
    const { step, take, told } = probeStep(each(operatorsOf(new Flow<number>().validate(schema))), GUARDED)
    step.events([1, 2, 3])
    for (const one of open) {
      if (one.value === 2) one.fail()
      else one.say(one.value === 3)
    }
    await turn()
    step.resume?.()
    deepEqual(take(), [[3]])
    deepEqual(told, [
      ['dead', 1, 'not fine'],
      ['dead', 2, 'broke'],
    ])
    equal(step.isSuspended, false)
  })

  it('L80: fails the run of a flow with what it rejects with', async () => {
    const { schema, open } = slow()
    const { step } = probeStep(each(operatorsOf(new Flow<number>().validate(schema))))
    step.events([1])
    open[0]?.fail()
    await turn()
    throws(() => step.resume?.(), /broke/)
  })

  it('L80: is asked once of each event, wherever in a chain it begins to wait', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(30), { minLength: 1 }), { minLength: 1, maxLength: 5 }),
        fc.nat(3),
        fc.nat(3),
        async (batches, before, after) => {
          const asked: number[] = []
          const maybe: StandardSchemaV1<number, number> = {
            '~standard': {
              version: 1,
              vendor: 'test',
              validate: (value) => {
                const n = value as number
                asked.push(n)
                const result = n % 5 === 1 ? { issues: [{ message: 'one' }] } : { value: n }
                return n % 3 === 0 ? Promise.resolve(result) : result
              },
            },
          }
          let flow = new Flow<number>()
          for (let i = 0; i < before; i += 1) flow = flow.map((n) => n + 1)
          flow = flow.validate(maybe)
          for (let i = 0; i < after; i += 1) flow = flow.filter((n) => n % 4 !== 0)
          const { step, take, told } = probeStep(each(operatorsOf(flow)), GUARDED)
          for (const batch of batches) {
            step.events(batch)
            while (step.isSuspended) {
              await step.waitsFor
              step.resume?.()
            }
          }
          const all = batches.flat().map((n) => n + before)
          deepEqual(asked, all)
          const fine = all.filter((n) => n % 5 !== 1)
          deepEqual(take().flat(), after === 0 ? fine : fine.filter((n) => n % 4 !== 0))
          equal(told.length, all.length - fine.length)
        },
      ),
    )
  })
})

function fail(): never {
  throw new Error('too much')
}
