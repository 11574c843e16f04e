import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../src/base/errors.ts'
import { collect, run, start, stream } from '../src/engine/collect.ts'
import type { FlowRunOptions } from '../src/engine/options.ts'
import { until } from './support/until.ts'

const JOBS = new URL('./jobs/flows.ts', import.meta.url)
const on = (threads: number, name = 'default'): FlowRunOptions => ({ threads, name })

/** As text, in an order of its own: what several stages give comes in none. */
const sorted = (events: readonly unknown[]): string[] =>
  events.map((event) => JSON.stringify(event, (_, value) => (typeof value === 'bigint' ? `${value}n` : value))).sort()

const failure = (name: string, options: Partial<FlowRunOptions> = {}): Promise<Error> =>
  collect(JOBS, { ...on(2, name), ...options }).then(
    () => new Error('it did not fail'),
    (error: Error) => error,
  )

describe('a flow on worker threads', () => {
  for (const name of ['default', 'partitioned', 'windows', 'joined', 'waiting']) {
    it(`gives what it gives in one thread: ${name}`, async () => {
      const inline = sorted(await collect(JOBS, { name }))
      ok(inline.length > 0)
      for (const threads of [1, 3]) deepEqual(sorted(await collect(JOBS, on(threads, name))), inline)
    })
  }

  it('L52: sends every kind of value that can be cloned', async () => {
    const events = await collect(JOBS, on(2, 'values'))
    const kinds = new Map([[1, 'a']])
    deepEqual(new Set(events), new Set([undefined, null, -0, Number.NaN, 10n, new Date(5), kinds, { a: ['\ud800'] }]))
    ok(events.some((value) => Object.is(value, -0)))
  })

  it('counts late events of all workers, and tells of each where that is asked for', async () => {
    const told: unknown[] = []
    const report = await run(JOBS, { ...on(2, 'late'), onLate: (_, event) => told.push(event) })
    equal(report.late, 1)
    deepEqual(told, [100])
  })

  it('streams, and `break` ends the workers', async () => {
    const seen: unknown[] = []
    for await (const n of stream(JOBS, on(2, 'endless'))) if (seen.push(n) === 5000) break
    equal(seen.length, 5000)
  })

  it('L53: names worker, operator and event of what a function threw, with the error as its cause', async () => {
    const error = await failure('throwing')
    ok(isSluiceError(error, 'WORKER_FAILED'))
    match(error.message, /^Worker \d of 2 failed in picky at 2: two is too many$/)
    deepEqual({ ...error.details, worker: 0 }, { worker: 0, operator: 'picky', event: '2' })
    equal((error.cause as Error).name, 'RangeError')
  })

  const deaths: Readonly<Record<string, readonly [options: Partial<FlowRunOptions>, message: RegExp]>> = {
    exiting: [{}, /^Worker \d of 2 failed in map: it exited by itself with code 3, before its part was done$/],
    hanging: [{ maxBatchMs: 300 }, /^Worker \d of 2 did not return from a batch within 300 ms, in map stuck$/],
    hangingLater: [{ maxBatchMs: 300 }, /^Worker \d of 2 did not return from a batch within 300 ms, in flatMap/],
    hangingAtEnd: [{ maxBatchMs: 300 }, /^Worker \d of 2 did not return from a batch within 300 ms, in .*stuck/],
    growing: [{ heapMb: 40 }, /^Worker \d of 2 failed in map: .*memory/],
    unclonable: [{}, /could not be cloned/],
  }
  for (const [name, [options, message]] of Object.entries(deaths)) {
    it(`L45, L53: fails, and leaves nothing, when a worker is ${name}`, async () => {
      match((await failure(name, options)).message, message)
    })
  }

  it('L50: refuses a module that describes another flow each time', async () => {
    const error = await failure('different')
    ok(isSluiceError(error, 'FLOW_MISMATCH'))
    match(error.message, /does not describe the same flow in each of them: worker 1 has [0-9a-f]{16}, this thread/)
  })

  it('refuses a name that is not exported, and says which are', async () => {
    match((await failure('nothing')).message, /exports no flow as nothing, but ahead, default, different, drained, /)
  })

  it('refuses more threads than a machine can have use for', async () => {
    await rejects(collect(JOBS, on(257)), { message: 'threads of collect must be 256 at most: found 257' })
  })

  it('refuses a flow that is passed directly: no function crosses a thread', async () => {
    const { default: flow } = await import('./jobs/flows.ts')
    await rejects(collect(flow, { threads: 2 }), { name: 'TypeError', message: /export it from a module and call/ })
  })

  it('T3: counts events that are dated too far ahead, and warns of them at once', async () => {
    const warnings: string[] = []
    const keep = ({ message }: Error): void => void warnings.push(message)
    process.on('warning', keep)
    try {
      const report = await run(JOBS, on(2, 'ahead'))
      equal(report.ahead, 30)
      await until(() => warnings.length === 2, 'both warnings')
      match(
        warnings[0] ?? '',
        /^aggregate 1: found 1 event dated more than 24 h 00 m \(futureLimit\) ahead of the clock, the last at 2200-/,
      )
      match(warnings[1] ?? '', /^aggregate 1: found 10 events dated/)
    } finally {
      process.off('warning', keep)
    }
  })

  it('L32: gives what calls gave in the order of the events, on any number of stages and threads', async () => {
    const all = Array.from({ length: 40 }, (_, n) => n)
    for (const stages of [1, 2, 3]) deepEqual(await collect(JOBS, { name: 'inOrder', stages }), all)
    deepEqual(await collect(JOBS, on(2, 'inOrder')), all)
  })

  it('is aborted with the reason of its signal', async () => {
    const reason = new Error('enough')
    const abort = new AbortController()
    const running = run(JOBS, { ...on(2, 'endless'), signal: abort.signal, into: () => abort.abort(reason) })
    await rejects(running, reason)
    await rejects(run(JOBS, { ...on(2, 'endless'), signal: abort.signal }), reason)
  })

  it('L45: drains: what the sources gave goes through, from worker to worker, and states give their results', async () => {
    const seen: unknown[] = []
    let isUnderWay = false
    const channel = new BroadcastChannel('the thousandth')
    channel.onmessage = () => {
      isUnderWay = true
    }
    const running = await start(JOBS, { ...on(2, 'drained'), into: (rows) => void seen.push(...rows) })
    await until(() => isUnderWay, 'the thousandth number').finally(() => channel.close())
    deepEqual(await running.drain(), { events: 1, late: 0, dead: 0, ahead: 0 })
    const [{ n, total }] = seen as [{ n: number; total: number }]
    ok(n >= 1000)
    // Nothing of the numbers from 0 on is missing: 0 + 1 + … + (n - 1).
    equal(total, (n * (n - 1)) / 2)
  })

  it('L44: is cancelled with the reason given', async () => {
    const running = await start(JOBS, on(2, 'endless'))
    const reason = new Error('no longer wanted')
    const failed = rejects(running.done, reason)
    await running.cancel(reason)
    await failed
  })

  it('L45: leaves no thread, port or timer behind', () => {
    const kinds = process.getActiveResourcesInfo().filter((kind) => /Worker|MessagePort|Timeout|Immediate/.test(kind))
    deepEqual(kinds, [])
  })
})
