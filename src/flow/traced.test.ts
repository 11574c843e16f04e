import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { count } from '../aggregate/count.ts'
import { tumbling } from '../window/window.ts'
import { Flow } from './flow.ts'
import { flow } from './start-flow.ts'
import { pipelinePlan } from './traced.ts'

interface Reading {
  readonly key: string
  readonly at: number
}

const readings = new Flow<Reading>()
const minutes = tumbling('1m', ({ at }: Reading) => at)
const plan = (of: { readonly node: Parameters<typeof pipelinePlan>[0] }) => {
  const traced: boolean[] = []
  const { isTracedIn, isTracedOut, hasResults } = pipelinePlan(of.node, (source, _, as) => {
    traced.push(as.isTraced)
    return source
  })
  return { isTracedIn, isTracedOut, hasResults, ...(traced.length === 0 ? {} : { further: traced }) }
}

describe('origins in a pipeline', () => {
  it('L61: do not go where nothing can be refused', () => {
    const none = { isTracedIn: false, isTracedOut: false, hasResults: true }
    deepEqual(
      plan(
        readings
          .map((one) => one)
          .keyBy(({ key }) => key)
          .aggregate({ n: count() }),
      ),
      none,
    )
    deepEqual(plan(readings.batch({ size: 2 })), none)
    const other = flow<Reading>([])
    const on = { left: ({ key }: Reading) => key, right: ({ key }: Reading) => key }
    deepEqual(plan(readings.join(other, on)), { ...none, further: [false] })
  })

  it('L60: go on as far as there is one record to each event, to where one may be refused', () => {
    const into = { isTracedIn: true, isTracedOut: false, hasResults: true }
    const keyed = readings.keyBy(({ key }) => key)
    deepEqual(plan(keyed.window(minutes).aggregate({ n: count() })), into)
    deepEqual(
      plan(
        readings
          .partition({ key: ({ key }) => key })
          .map((one) => one)
          .batch({ size: 2 }),
      ),
      into,
    )
    deepEqual(
      plan(
        readings
          .mapAsync(async (one) => one)
          .keyBy(({ key }) => key)
          .aggregate({ n: count() }),
      ),
      into,
    )
    const through = { isTracedIn: true, isTracedOut: true, hasResults: false }
    deepEqual(plan(readings.map((one) => one)), through)
    deepEqual(plan(readings.window(minutes).uniq(({ key }) => key)), through)
  })

  it('L60: go on with events of further sources, and past those that were made of many', () => {
    const other = flow<Reading>([])
    const all = { isTracedIn: true, isTracedOut: true }
    deepEqual(plan(readings.merge(other)), { ...all, hasResults: false, further: [true] })
    deepEqual(plan(readings.merge(readings.keyBy(({ key }) => key).aggregate({ n: count() }))), {
      ...all,
      hasResults: true,
    })
    equal(pipelinePlan(readings.merge(other).node, (source) => source).sources, 2)
  })
})
