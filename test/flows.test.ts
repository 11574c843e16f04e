import { deepEqual, equal, rejects } from 'node:assert/strict'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { collect, run } from '../src/engine/collect.ts'
import { explain } from '../src/engine/explain.ts'
import type { Flow } from '../src/flow/flow.ts'
import { flow, flows } from '../src/flow/start-flow.ts'
import { from } from '../src/stage/from.ts'
import { times } from '../src/testing/times.ts'
import { tumbling } from '../src/window/window.ts'
import { type Item, itemsOf, opsOf } from './support/naive-flow.ts'

describe('flows of any operators', () => {
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
      { numRuns: times(100) },
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
      { numRuns: times(100) },
    )
  })

  it('L70: a flow that is merged several times gives each event as often', async () => {
    const ab = flow(['a', 'b'])
    const c = flow(['c'])
    const both = ab.merge(c)
    const cases: readonly (readonly [Flow<string, never>, string])[] = [
      [ab.merge(ab), 'aabb'],
      [ab.merge(c, c), 'abcc'],
      [ab.merge(c).merge(ab), 'aabbc'],
      [both.merge(both), 'aabbcc'],
      [ab.merge(ab.map((text) => text)), 'aabb'],
      [ab.merge(ab.take(1)), 'aab'],
      [ab.shuffle({ stages: 2 }).merge(ab.shuffle({ stages: 2 })), 'aabb'],
      [ab.merge(ab).uniq(), 'ab'],
    ]
    for (const stages of [1, 3]) {
      for (const [merged, expected] of cases) deepEqual((await collect(merged, { stages })).sort(), [...expected])
    }
  })

  it('L70: the picture and the words show each way that events take', async () => {
    const numbers = flow([1])
    const words = await explain(numbers.merge(numbers))
    deepEqual(words.split('\n').slice(0, 4), [
      'layer 1, 1 stage: array',
      'layer 2, 1 stage: merge',
      '  takes from layer 1: whichever stage is free',
      '  takes from layer 1: whichever stage is free',
    ])
    const picture = await explain(numbers.merge(numbers), { as: 'mermaid' })
    deepEqual(picture.match(/layer1 -->/g), ['layer1 -->', 'layer1 -->'])
  })

  it('L70: a flow merged with itself many times over is laid out in as many layers', async () => {
    let merged = flow([1]) as Flow<number, never>
    for (let times = 0; times < 10; times += 1) merged = merged.merge(merged)
    equal((await collect(merged)).length, 1024)
  })

  it('L71: a run in which two flows read one source that can be read once is refused', async () => {
    const once = [
      () => [1].values(),
      () => Readable.from([1]),
      () => ReadableStream.from([1]) as AsyncIterable<number>,
      () => from([1]),
    ]
    for (const make of once) {
      const source = make()
      const message = /it is the same source as .*, which can be read only once; merge one flow with itself/
      await rejects(collect(flow(source).merge(flow(source))), { name: 'TypeError', message })
      await rejects(collect(flows([source, source])), { name: 'TypeError', message })
    }
    const array = [1, 2]
    deepEqual(await collect(flows([array, array])), [1, 2, 1, 2])
  })
})
