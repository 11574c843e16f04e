import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { collect, run } from '../src/engine/collect.ts'
import type { Flow } from '../src/flow/flow.ts'
import { flow } from '../src/flow/start-flow.ts'
import { tumbling } from '../src/window/window.ts'
import { builtOf, type Item, itemsOf, opsOf, plansOf } from './support/naive-flow.ts'

const RUNS = 400
const sorted = (events: readonly unknown[]): string[] => events.map((event) => JSON.stringify(event)).sort()

describe('flows of any operators', () => {
  it('L40: give what arrays give, however many stages there are, and however little may be under way', async () => {
    const inFlight = fc.record({ events: fc.integer({ min: 1, max: 60 }), bytes: fc.constantFrom(1, 500, 1e6) })
    await fc.assert(
      fc.asyncProperty(plansOf, inFlight, async (plan, limits) => {
        const { flow: built, expected, names } = builtOf(plan)
        const found = await collect(built, { stages: plan.stages, inFlight: limits })
        deepEqual(sorted(found), sorted(expected), names)
      }),
      { numRuns: RUNS },
    )
  })

  it('L40: give on threads what arrays give', async () => {
    await fc.assert(
      fc.asyncProperty(plansOf, fc.integer({ min: 1, max: 3 }), async (plan, threads) => {
        const job = new URL('./jobs/random-plan.ts', import.meta.url)
        job.search = new URLSearchParams({ plan: JSON.stringify(plan) }).toString()
        const { expected, names } = builtOf(plan)
        deepEqual(sorted(await collect(job, { threads, stages: plan.stages })), sorted(expected), names)
      }),
      { numRuns: RUNS / 20 },
    )
  })

  it('keep the order of one source in one stage', async () => {
    const ordered = [
      'map',
      'filter',
      'flatMap',
      'flatMap of a generator',
      'uniq',
      'mapBatch',
      'mapAsync',
      'emitAndReduce',
    ]
    const known = opsOf(1).filter(({ name }) => ordered.includes(name))
    await fc.assert(
      fc.asyncProperty(itemsOf, fc.array(fc.nat(), { maxLength: 5 }), async (items, ops) => {
        let built = flow(items) as Flow<Item, never>
        let expected = items
        for (const chance of ops) {
          const op = known[chance % known.length]
          if (op === undefined) continue
          built = op.build(built)
          expected = op.naive(expected)
        }
        deepEqual(await collect(built), expected)
      }),
      { numRuns: RUNS / 4 },
    )
  })

  it('decide which events are late by the order of their source alone', async () => {
    const options = fc.record({
      outOfOrderness: fc.nat(15),
      allowedLateness: fc.nat(15),
      stages: fc.integer({ min: 1, max: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(itemsOf, options, async (items, { stages, ...window }) => {
        const late: number[] = []
        const built = flow(items)
          .map((item) => item)
          .keyBy(({ key }) => key)
          .window(tumbling(10, ({ at }) => at, window))
          .fold(
            () => 0,
            (n) => n + 1,
          )
        await run(built, { stages, onLate: (_, event) => late.push((event as Item).id) })
        let latest = Number.NEGATIVE_INFINITY
        const expected = items.filter(({ at }) => {
          const end = Math.floor(at / 10) * 10 + 10
          // The watermark is told where windows end, and where they close.
          const isLate = end + window.allowedLateness <= latest - window.outOfOrderness
          latest = Math.max(latest, at)
          return isLate
        })
        deepEqual(
          late,
          expected.map(({ id }) => id),
        )
      }),
      { numRuns: RUNS / 4 },
    )
  })
})
