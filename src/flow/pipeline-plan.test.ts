import { deepEqual, equal, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { count } from '../aggregate/count.ts'
import { valuesSource } from '../connect/memory/values.ts'
import { tumbling } from '../window/window.ts'
import { Flow } from './flow.ts'
import { layOut } from './layout.ts'
import { pipelinePlan } from './pipeline-plan.ts'
import { flow } from './start-flow.ts'
import { worksOf } from './topology.ts'

interface Reading {
  readonly key: string
  readonly at: number
}

const source = valuesSource<Reading>([])
const readings = new Flow<Reading>()
const minutes = tumbling('1m', ({ at }: Reading) => at)

/** Between which layers events go with their origins, and whether those that come to the end have theirs. */
const plan = (of: { readonly node: Parameters<typeof pipelinePlan>[0] }) => {
  const { node, hasResults } = pipelinePlan(of.node, (one) => one)
  const { layers, isTracked } = layOut(node, { stages: 2, input: source })
  const traced = layers.flatMap((layer) =>
    layer.inputs.filter((edge) => edge.isTracked === true).map(({ from }) => `${from.number}-${layer.number}`),
  )
  return { traced, isTracked, hasResults }
}

describe('origins in a pipeline', () => {
  it('L61: do not go where nothing can be refused', () => {
    const none = { traced: [], isTracked: false, hasResults: true }
    const keyed = readings.map((one) => one).keyBy(({ key }) => key)
    deepEqual(plan(keyed.aggregate({ n: count() })), none)
    deepEqual(plan(readings.batch({ size: 2 })), none)
    const on = { left: ({ key }: Reading) => key, right: ({ key }: Reading) => key }
    deepEqual(plan(readings.join(flow(source), on)), none)
  })

  it('L60: go on as far as there is one record to each event, to where one may be refused', () => {
    const into = { isTracked: false, hasResults: true }
    deepEqual(plan(readings.window(minutes).uniq(({ key }) => key)), {
      traced: ['1-2', '2-3'],
      isTracked: true,
      hasResults: false,
    })
    deepEqual(
      plan(
        readings
          .partition({ key: ({ key }) => key })
          .map((one) => one)
          .batch({ size: 2 }),
      ),
      {
        ...into,
        traced: ['1-2'],
      },
    )
    deepEqual(plan(readings.mapAsync(async (one) => one).batch({ size: 2 })), { ...into, traced: ['1-2'] })
    deepEqual(plan(readings.map((one) => one)), { traced: [], isTracked: true, hasResults: false })
  })

  it('L60: go on with events of further sources, and past those that were made of many', () => {
    const merged = plan(readings.merge(flow(source)))
    deepEqual([merged.isTracked, merged.hasResults], [true, false])
    const mixed = plan(readings.merge(readings.keyBy(({ key }) => key).aggregate({ n: count() })))
    deepEqual([mixed.isTracked, mixed.hasResults], [true, true])
    equal(pipelinePlan(readings.merge(flow(source)).node, (one) => one).sources, 2)
  })
})

describe('the plan of a pipeline', () => {
  it('does where records are read what looks at one event at a time, until several take from it', () => {
    const works = (of: Flow<never, unknown> | Flow<Reading, unknown>) =>
      layOut(pipelinePlan(of.node, (one) => one).node, { stages: 2, input: source }).layers.map(worksOf)
    const mapped = readings.map((one) => one, { name: 'a' }).filter(() => true, { name: 'b' })
    deepEqual(works(mapped), [['input', 'map a', 'filter b']])
    deepEqual(works(mapped.shuffle().map((one) => one, { name: 'c' })), [['input', 'map a', 'filter b'], ['map c']])
    const parted = mapped.merge(mapped.map((one) => one, { name: 'c' }))
    deepEqual(works(parted), [['input', 'map a', 'filter b'], ['branch'], ['branch', 'map c']])
  })

  it('refuses what a pipeline cannot run', () => {
    throws(() => pipelinePlan(readings.take(1).node, (one) => one), /A pipeline ends when its source does: found take/)
    throws(() => pipelinePlan(flow([1]).node, (one) => one), /continues the flow that it was given/)
  })
})
