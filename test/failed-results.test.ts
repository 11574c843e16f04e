import { deepEqual, rejects } from 'node:assert/strict'
import { Writable } from 'node:stream'
import { describe, it } from 'node:test'
import { collect, count, type Flow, flow, run, stream, tumbling } from 'sluice'
import { producer, range } from 'sluice/stage'
import failing from './jobs/fails-at-end.ts'

const LAST = 999
const message = /the last one is bad/

/** Fails at its last event, in one of four stages: the others have taken all of theirs by then, or will have. */
const bad = flow(range(0, LAST + 1), { stages: 4 }).map((n) => {
  if (n === LAST) throw new Error('the last one is bad')
  return n
})

const RESULTS: Readonly<Record<string, Flow<unknown, unknown>>> = {
  'a reduction': bad.reduce(
    () => 0,
    (sum, n) => sum + n,
  ),
  'a reduction of partitions': flow(range(0, LAST + 1))
    .partition({ stages: 4, hash: (n) => n % 4 })
    .reduce(
      () => 0,
      (sum, n) => {
        if (n === LAST) throw new Error('the last one is bad')
        return sum + n
      },
    ),
  'a fold by key': bad
    .keyBy((n) => n % 10)
    .fold(
      () => 0,
      (sum, n) => sum + n,
    ),
  'an aggregate by key': bad.keyBy((n) => n % 10).aggregate({ n: count() }),
  'an aggregate of all': bad.aggregate({ n: count() }),
  'windows that are open at the end': bad
    .keyBy((n) => n % 10)
    .window(tumbling(5000, (n) => n))
    .aggregate({ n: count() }),
  batches: bad.batch({ size: 1000 }),
  takeSort: bad.takeSort(3, (a, b) => a - b),
  'a departition': bad
    .partition({ stages: 3, key: (n) => n })
    .reduce(
      () => 0,
      (sum, n) => sum + n,
    )
    .departition(
      () => 0,
      (all, sum) => all + sum,
    ),
  'a left join': bad.join(flow([-1]), { mode: 'left', left: (n) => n, right: (n) => n }),
  'results that a function throws at': flow(range(0, 100))
    .partition({ stages: 4, hash: (n) => n % 4 })
    .reduce(
      () => 0,
      (sum, n) => sum + n,
    )
    .map((sum) => {
      if (sum > 1250) throw new Error('the last one is bad')
      return sum
    }),
  'an aggregate beside another source, which fails later': flow([1, 2, 3])
    .aggregate({ n: count() })
    .merge(
      flow(async function* () {
        for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
        yield* [] as { n: number }[]
        throw new Error('the last one is bad')
      }),
    ),
}

describe('results of a run that fails', () => {
  for (const [name, results] of Object.entries(RESULTS)) {
    it(`L43, L72: none of ${name} goes out`, async () => {
      for (const stages of [1, 4]) {
        const given: unknown[] = []
        await rejects(run(results, { stages, into: (events) => void given.push(...events) }), { message })
        const into = new Writable({ objectMode: true, write: (event, _, done) => done(void given.push(event)) })
        await rejects(run(results, { stages, into }), { message })
        const reading = (async () => {
          for await (const event of stream(results, { stages })) given.push(event)
        })()
        await rejects(reading, { message })
        deepEqual(given, [])
      }
    })
  }

  it('L72: none goes out on threads', async () => {
    const given: unknown[] = []
    const job = new URL('./jobs/fails-at-end.ts', import.meta.url)
    const into = (events: readonly unknown[]) => void given.push(...events)
    await rejects(run(job, { threads: 2, stages: 4, into }), { message })
    deepEqual(given, [])
    deepEqual(await collect(job, { threads: 2, stages: 4, name: 'good' }).then((sums) => sums.length), 4)
    await rejects(run(failing, { into }), { message })
    deepEqual(given, [])
  })

  it('L72: results wait for no source whose events nobody wants any more', async () => {
    const endless = producer<number>({ onDemand: (demand) => range(0, demand) })
    const sum = flow(endless)
      .take(3)
      .reduce(
        () => 0,
        (all, n) => all + n,
      )
    deepEqual(await collect(sum), [3])
  })

  it('L72: results of results come, however many exchanges lie between', async () => {
    const counts = flow(range(0, 100), { stages: 3 })
      .keyBy((n) => n % 7)
      .aggregate({ n: count() })
      .keyBy(({ n }) => n)
      .aggregate({ keys: count() })
      .batch({ size: 10 })
      .takeSort(1, () => 0)
    const found = await collect(counts, { stages: 3 })
    deepEqual(
      found.flat(2).toSorted((a, b) => a.key - b.key),
      [
        { key: 14, keys: 5 },
        { key: 15, keys: 2 },
      ],
    )
  })
})
