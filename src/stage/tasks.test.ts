import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../base/errors.ts'
import { atRest, ManualClock } from '../testing/manual-clock.ts'
import { connect } from './connect.ts'
import { producer, range } from './make.ts'
import { subscribe } from './subscribe.ts'
import { type TaskContext, type TasksSpec, tasks } from './tasks.ts'

const BROKEN = new Error('broken')

/** A sink whose tasks end when the test says so. */
function gated(spec: Omit<TasksSpec<number>, 'task'>) {
  const gates = new Map<number, PromiseWithResolvers<void>>()
  const contexts: TaskContext[] = []
  const started: number[] = []
  const stage = tasks<number>({
    ...spec,
    task: (event, context) => {
      started.push(event)
      contexts.push(context)
      const gate = Promise.withResolvers<void>()
      gates.set(event, gate)
      return gate.promise
    },
  })
  return { stage, started, contexts, end: (event: number) => gates.get(event)?.resolve(), gates }
}

/** A producer of numbers from 0 on, with the demands that came. */
function counter() {
  let next = 0
  const demands: number[] = []
  const stage = producer<number>({
    onDemand: (demand) => {
      demands.push(demand)
      next += demand
      return range(next - demand, next)
    },
  })
  return { stage, demands }
}

describe('tasks', () => {
  it('D100 D101: runs no more than `concurrency` at a time, and fills a free place at once', async () => {
    const { stage, started, end } = gated({ concurrency: 3, drainTimeoutMs: 0 })
    const source = counter()
    subscribe(stage, source.stage)
    await atRest()
    deepEqual(started, [0, 1, 2])
    end(1)
    await atRest()
    deepEqual(started, [0, 1, 2, 3])
    end(3)
    end(0)
    await atRest()
    deepEqual(started, [0, 1, 2, 3, 4, 5])
    deepEqual(source.demands, [3, 1, 1, 1])
    stage.cancel()
  })

  it('D101: asks again when no more than minDemand are under way, for all free places', async () => {
    const { stage, started, end } = gated({ concurrency: 10, minDemand: 8, drainTimeoutMs: 0 })
    const source = counter()
    subscribe(stage, source.stage)
    await atRest()
    end(4)
    await atRest()
    deepEqual(source.demands, [10])
    end(2)
    await atRest()
    deepEqual(source.demands, [10, 2])
    deepEqual(started, range(0, 12))
    stage.cancel()
  })

  it('D100: keeps to it with several producers too', async () => {
    let running = 0
    let most = 0
    let done = 0
    const sink = tasks<number>({
      concurrency: 4,
      task: async () => {
        running += 1
        most = Math.max(most, running)
        await atRest()
        running -= 1
        done += 1
      },
    })
    await (await connect([...range(0, 3).map(() => producer<number>({ onDemand: once() }))], sink)).done
    equal(most, 4)
    equal(done, 60)
  })

  it('D105: completes when the last task has ended', async () => {
    const { stage, end, started } = gated({ concurrency: 5 })
    const run = await connect([0, 1], stage)
    await atRest()
    deepEqual(started, [0, 1])
    end(0)
    await atRest()
    equal(stage.ending, undefined)
    end(1)
    await run.done
    equal(stage.stats().state, 'ended')
  })

  it('D102: tries again after a wait that doubles, up to `attempts`', async () => {
    const clock = new ManualClock()
    const tries: number[] = []
    const sink = tasks<number>({
      concurrency: 1,
      attempts: 3,
      backoff: { firstMs: 100, capMs: 1000 },
      clock,
      task: (_event, { attempt }) => {
        tries.push(attempt)
        throw BROKEN
      },
    })
    const run = await connect([1], sink)
    const failing = rejects(run.done, (error) => error === BROKEN)
    await clock.advance(49)
    deepEqual(tries, [1])
    await clock.advance(51)
    deepEqual(tries, [1, 2])
    await clock.advance(200)
    deepEqual(tries, [1, 2, 3])
    await failing
  })

  it('D102: onFailure takes what has failed for good, and the rest goes on', async () => {
    const failed: unknown[] = []
    const done: number[] = []
    const sink = tasks<number>({
      concurrency: 2,
      task: async (n) => {
        if (n % 2 === 0) throw BROKEN
        done.push(n)
      },
      onFailure: (n, error) => void failed.push([n, error]),
    })
    await (await connect(range(0, 5), sink)).done
    deepEqual(done, [1, 3])
    deepEqual(
      failed,
      [0, 2, 4].map((n) => [n, BROKEN]),
    )
    const rethrows = tasks<number>({
      concurrency: 1,
      task: () => Promise.reject(BROKEN),
      onFailure: (_event, error) => {
        throw new Error('worse', { cause: error })
      },
    })
    await rejects((await connect([1], rethrows)).done, /worse/)
  })

  it('D103: an attempt that takes too long is aborted, and counts as failed', async () => {
    const clock = new ManualClock()
    const { stage, contexts } = gated({ concurrency: 1, timeoutMs: 1000, clock })
    const run = await connect([1], stage)
    const failing = rejects(run.done, (error) => isSluiceError(error, 'TIMED_OUT') && error.details.limitMs === 1000)
    await clock.advance(999)
    equal(contexts[0]?.signal.aborted, false)
    await clock.advance(1)
    equal(contexts[0]?.signal.aborted, true)
    await failing
    equal(clock.sleepers, 0)
  })

  it('D103: an attempt that ends in time leaves no wait behind', async () => {
    const clock = new ManualClock()
    const sink = tasks<number>({ concurrency: 1, timeoutMs: 1000, clock, task: () => {} })
    await (await connect([1, 2], sink)).done
    equal(clock.sleepers, 0)
  })

  it('D104: a failure aborts the tasks under way and waits for them', async () => {
    const log: string[] = []
    const sink = tasks<number>({
      concurrency: 2,
      task: async (n, { signal }) => {
        if (n === 1) throw BROKEN
        const aborted = Promise.withResolvers<void>()
        signal.addEventListener('abort', () => aborted.resolve())
        await aborted.promise
        await atRest()
        log.push('let go')
      },
    })
    await rejects((await connect([0, 1], sink)).done, (error) => error === BROKEN)
    deepEqual(log, ['let go'])
  })

  it('D104: also when only the last tasks are left', async () => {
    const { stage, contexts, gates } = gated({ concurrency: 3, drainTimeoutMs: 0 })
    const run = await connect([0, 1], stage)
    await atRest()
    gates.get(0)?.reject(BROKEN)
    await rejects(run.done, (error) => error === BROKEN)
    ok(contexts[1]?.signal.aborted)
  })

  it('D104: waits no longer than drainTimeoutMs for tasks that do not let go', async () => {
    const clock = new ManualClock()
    const { stage } = gated({ concurrency: 1, drainTimeoutMs: 3000, clock })
    const run = await connect([0], stage)
    await atRest()
    let isClosed = false
    const closing = run.cancel().then(() => {
      isClosed = true
    })
    await clock.advance(2999)
    equal(isClosed, false)
    await clock.advance(1)
    await closing
    equal(clock.sleepers, 0)
    await rejects(run.done)
  })

  it('D102: the wait before another attempt is called off by the end', async () => {
    const clock = new ManualClock()
    const sink = tasks<number>({ concurrency: 1, attempts: 5, clock, task: () => Promise.reject(BROKEN) })
    const run = await connect([1], sink)
    await atRest()
    equal(clock.sleepers, 1)
    await run.cancel()
    equal(clock.sleepers, 0)
    await rejects(run.done)
  })

  it('D86: refuses numbers out of bounds', () => {
    const task = () => {}
    throws(() => tasks({ concurrency: 0, task }), RangeError)
    throws(() => tasks({ concurrency: 2, minDemand: 2, task }), /minDemand must be an integer, from 0 to 1: found 2/)
    throws(() => tasks({ concurrency: 1, attempts: 0, task }), /attempts must be an integer, 1 or more/)
    throws(() => tasks({ concurrency: 1, timeoutMs: 0, task }), /timeoutMs must be milliseconds/)
    throws(() => tasks({ concurrency: 1, drainTimeoutMs: -1, task }), RangeError)
    throws(() => tasks({ concurrency: 1 } as never), /task must be a function/)
  })
})

/** Gives twenty numbers at the first demand that allows it, a few at a time, and completes. */
function once() {
  let left = 20
  return (demand: number, self: { complete(): void }): number[] => {
    const count = Math.min(demand, left)
    left -= count
    if (left === 0) self.complete()
    return range(0, count)
  }
}
