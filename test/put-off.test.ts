import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Executor } from '../src/engine/executor.ts'
import { inline } from '../src/engine/executors/inline.ts'
import { begin } from '../src/engine/running.ts'
import { count, type Flow, flow, pipeline, type Sink, tumbling, valuesSource } from '../src/index.ts'
import { startFrom } from '../src/pipeline/start.ts'
import { MemoryTable } from '../src/testing/conformance/executor/table.ts'
import { islands } from './support/islands.ts'
import { until } from './support/until.ts'

const EXECUTORS: Readonly<Record<string, () => Executor>> = {
  'in one thread': () => inline,
  'on islands': () => islands(2, 7),
}
/** More than what is under way between stages, and is held of results of the end, comes to. */
const MOST_AHEAD = 40_000

/** An iterator without an end, and how many were drawn of it. */
class Endless {
  drawn = 0
  isClosed = false;

  *[Symbol.iterator](): Generator<number> {
    try {
      for (;;) {
        this.drawn += 1
        yield this.drawn
      }
    } finally {
      this.isClosed = true
    }
  }
}

/** Numbers, and then nothing more, without an end. */
async function* waiting(): AsyncGenerator<number> {
  yield* [1, 2, 3]
  await new Promise(() => {})
}

/** Is far, and then nothing more, without an end. */
async function* ahead(): AsyncGenerator<number> {
  yield* [0, 100]
  await new Promise(() => {})
}

/** Holds back what is ahead, until it ends. */
async function* ending(): AsyncGenerator<number> {
  yield 0
  await turns()
}

/** What makes a step put off work that it has no end of. */
const MADE_BY: Readonly<Record<string, (endless: Endless) => Flow<number, never>>> = {
  events: (endless) =>
    flow([1, 2])
      .shuffle({ stages: 1 })
      .flatMap(() => endless) as Flow<number, never>,
  'the clock': (endless) =>
    flow(waiting)
      .batch({ size: 100, waitMs: 5 })
      .flatMap(() => endless) as Flow<number, never>,
  'a watermark': (endless) =>
    flow([0, 10, 20])
      .shuffle({ stages: 2 })
      .keyBy(() => 1)
      .window(tumbling(10, (at) => at))
      .aggregate({ n: count() })
      .flatMap(() => endless) as Flow<number, never>,
  'the end of an input': (endless) =>
    flow(ahead)
      .merge(flow(ending))
      .window(tumbling(10, (at) => at))
      .aggregate({ n: count() })
      .flatMap(() => endless) as Flow<number, never>,
  'the end': (endless) =>
    flow([1, 2, 3])
      .aggregate({ n: count() })
      .flatMap(() => endless) as Flow<number, never>,
}

/** Many turns of the event loop: what is not bounded comes far in them. */
async function turns(): Promise<void> {
  for (let turn = 0; turn < 500; turn += 1) await new Promise(setImmediate)
}

for (const [where, make] of Object.entries(EXECUTORS)) {
  describe(`work that is put off, ${where}`, () => {
    for (const [what, of] of Object.entries(MADE_BY)) {
      it(`L84: of a flow is drawn as it is wanted, and closed when nothing more is: made by ${what}`, async () => {
        const endless = new Endless()
        const held = Promise.withResolvers<void>()
        const found: number[] = []
        const into = async (some: readonly number[]): Promise<void> => {
          found.push(...some)
          await held.promise
        }
        const few = of(endless).shuffle({ stages: 2 }).take(100_000)
        const { done } = await begin('run', few, { into, stages: 2 }, make())
        await until(() => found.length > 0, 'the first events')
        await turns()
        ok(endless.drawn < MOST_AHEAD, `${endless.drawn} were drawn`)
        held.resolve()
        await done
        equal(found.length, 100_000)
        ok(endless.isClosed)
      })
    }

    it('L84: of a pipeline is drawn as it is wanted, and goes out before the barrier that follows', async () => {
      const table = new MemoryTable()
      const held = Promise.withResolvers<void>()
      let drawn = 0
      function* many(batch: readonly number[]): Generator<number> {
        for (let part = 0; part < 100_000; part += 1) {
          drawn += 1
          yield part % 1000 === 0 ? (batch[0] ?? 0) : 0
        }
      }
      let written = 0
      const commits: number[] = []
      const slow: Sink<number> = {
        ...table.sink,
        open: async (options) => {
          const writer = await table.sink.open(options)
          return {
            ...writer,
            write: async (batch) => {
              written += batch.length
              await held.promise
              return await writer.write(batch)
            },
            commit: async (checkpoint) => {
              commits.push(written)
              await writer.commit(checkpoint)
            },
          }
        },
      }
      const job = pipeline('many', {
        from: () => valuesSource([1, 2, 3]),
        flow: (numbers) => numbers.shuffle({ stages: 1 }).batch({ size: 100 }).flatMap(many),
        into: () => slow,
        results: 'append',
      })
      const run = await startFrom(job, { epochEvents: 1 }, undefined, make())
      await until(() => written > 0, 'the first rows')
      await turns()
      ok(drawn < MOST_AHEAD, `${drawn} were drawn`)
      held.resolve()
      const { overall } = await run.done
      equal(table.rows.length, overall.loaded)
      deepEqual(
        commits.filter((rows) => rows % 100_000 !== 0),
        [],
      )
      equal(new Set(table.rows).size, 1 + table.rows.length / 100_000)
    })
  })
}
