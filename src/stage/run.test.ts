import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { PassThrough } from 'node:stream'
import { after, before, describe, it } from 'node:test'
import { atRest } from '../testing/manual-clock.ts'
import { connect } from './connect.ts'
import { from } from './from.ts'
import { group } from './group.ts'
import { consumer, producer, producerConsumer, range } from './make.ts'
import { subscribe } from './subscribe.ts'
import { tasks } from './tasks.ts'
import { into, toIterable } from './to.ts'

describe('a long run', () => {
  it('D120 D121: carries ten million events without recursing, and gives way to the event loop', async () => {
    const events = 10_000_000
    let next = 0
    let sum = 0
    const source = producer<number>({
      onDemand: (demand, self) => {
        const numbers = range(next, Math.min(next + demand, events))
        next += numbers.length
        if (next === events) self.complete()
        return numbers
      },
    })
    const middle = producerConsumer<number, number>({ onEvents: (numbers) => numbers.map((n) => n + 1) })
    const sink = consumer<number>({
      onEvents: (numbers) => {
        for (const n of numbers) sum += n
      },
    })
    let immediates = 0
    let timers = 0
    const count = (): void => {
      immediates += 1
      immediate = setImmediate(count)
    }
    let immediate = setImmediate(count)
    const timer = setInterval(() => {
      timers += 1
    }, 5)
    await (await connect(source, middle, sink)).done
    clearImmediate(immediate)
    clearInterval(timer)
    equal(sum, (events * (events + 1)) / 2)
    ok(immediates > 5, `${immediates} immediates`)
    ok(timers > 2, `${timers} timers`)
  })

  it('D120: goes through a thousand stages', async () => {
    let layers = from(range(0, 100))
    for (let n = 0; n < 1000; n += 1) {
      const next = producerConsumer<number, number>({ onEvents: (numbers) => numbers.map((one) => one + 1) })
      subscribe(next, layers, { maxDemand: 10 })
      layers = next
    }
    deepEqual(await Array.fromAsync(toIterable(layers, { maxDemand: 10 })), range(1000, 1100))
  })
})

/** What holds the process open, and who listens where. */
function tally() {
  return {
    resources: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout' || kind === 'Immediate').length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  }
}

describe('after a run', () => {
  const strays: unknown[] = []
  const stray = (thrown: unknown): void => void strays.push(thrown)
  before(() => process.on('unhandledRejection', stray).on('warning', stray))
  after(() => process.off('unhandledRejection', stray).off('warning', stray))

  const BROKEN = new Error('broken')
  async function* endless(): AsyncGenerator<number> {
    for (let n = 0; ; n += 1) yield n
  }
  const failing = () =>
    consumer<number>({
      onEvents: async () => {
        throw BROKEN
      },
    })

  const ways: Readonly<Record<string, (signal: AbortSignal, stream: PassThrough) => Promise<void>>> = {
    completed: async (signal, stream) => {
      stream.resume()
      await (await connect(range(0, 100), into<number>(stream), { signal })).done
    },
    failed: async (signal) => {
      await rejects((await connect(endless, failing(), { signal })).done, (error) => error === BROKEN)
    },
    'failed while a stream was full': async (signal, stream) => {
      const run = await connect(endless, [into<number>(stream), failing()], { signal, maxDemand: 4 })
      await rejects(run.done, (error) => error === BROKEN)
    },
    cancelled: async (signal, stream) => {
      const run = await connect(endless, into<number>(stream), { signal })
      await atRest()
      await run.cancel(BROKEN)
      await rejects(run.done, (error) => error === BROKEN)
    },
    'broken off': async (signal) => {
      for await (const n of toIterable(endless, { signal })) if (n === 10) break
    },
    drained: async (signal) => {
      const sink = tasks<number>({ concurrency: 3, timeoutMs: 60_000, task: () => atRest() })
      const run = await connect(endless, sink, { signal })
      await atRest()
      await run.drain()
    },
    restarted: async (signal) => {
      let starts = 0
      const running = group(
        {
          source: {
            start: () => {
              starts += 1
              return starts === 1 ? from(throwing) : from([1])
            },
          },
          sink: { start: () => consumer<number>({ onEvents: () => {} }), from: ['source'] },
        },
        { signal, backoff: { firstMs: 1, capMs: 1 } },
      )
      await running.done
    },
  }

  for (const [way, run] of Object.entries(ways)) {
    it(`D88: nothing is left when it was ${way}`, async () => {
      const controller = new AbortController()
      const stream = new PassThrough({ objectMode: true, highWaterMark: 2 })
      const before = tally()
      await run(controller.signal, stream)
      await atRest()
      deepEqual(tally(), before)
      equal(getEventListeners(controller.signal, 'abort').length, 0)
      // One that was given up may still have a late error to tell.
      const allowed = stream.destroyed && !stream.writableFinished ? ['error'] : []
      const ours = ['drain', 'close', 'error'].filter((name) => stream.listenerCount(name) > own(name))
      deepEqual(ours, allowed.length > 0 && ours.length > 0 ? allowed : [])
      deepEqual(strays, [])
    })
  }
})

/** Listeners that a stream has of its own. */
function own(name: string): number {
  return new PassThrough().listenerCount(name)
}

function* throwing(): Generator<number> {
  yield* []
  throw new Error('first')
}
