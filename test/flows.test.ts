import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { collect, run } from '../src/engine/collect.ts'
import type { Flow } from '../src/flow/flow.ts'
import { flow, flows } from '../src/flow/start-flow.ts'
import { tumbling } from '../src/window/window.ts'
import { type Item, itemsOf, opsOf, tailsOf } from './support/naive-flow.ts'

const RUNS = 400
const sorted = (events: readonly unknown[]): string[] => events.map((event) => JSON.stringify(event)).sort()

describe('flows of any operators', () => {
  it('give what arrays give, however many stages there are', async () => {
    const plan = fc.record({
      sources: fc.array(itemsOf, { minLength: 1, maxLength: 3 }),
      ops: fc.array(fc.nat(), { maxLength: 5 }),
      tail: fc.nat(),
      stages: fc.integer({ min: 1, max: 4 }),
    })
    await fc.assert(
      fc.asyncProperty(plan, async ({ sources, ops, tail, stages }) => {
        const all = sources.map((items, source) => items.map((item) => ({ ...item, id: item.id + source * 1000 })))
        const begun = all.length === 1 ? flow(all[0] ?? []) : flows(all)
        let built = begun as Flow<Item, never>
        let expected: Item[] = all.flat()
        const known = opsOf(stages)
        const names: string[] = []
        for (const chance of ops) {
          const op = known[chance % known.length]
          // A join of all with all, several times over, is no longer small.
          if (op === undefined || expected.length > 300) continue
          names.push(op.name)
          built = op.build(built)
          expected = op.naive(expected)
        }
        const end = tailsOf(stages)[tail % tailsOf(stages).length]
        if (end === undefined) return
        const found = await collect(end.build(built), { stages })
        deepEqual(sorted(found), sorted(end.naive(expected)), `${names.join(', ')}, ${end.name}`)
      }),
      { numRuns: RUNS },
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
