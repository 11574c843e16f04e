import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { describe, it } from 'node:test'
import { atRest } from '../testing/manual-clock.ts'
import { Probe } from '../testing/probe.ts'
import { connect } from './connect.ts'
import { from, type Pullable } from './from.ts'
import { consumer, range } from './make.ts'
import { toIterable } from './to.ts'

/** An iterator that counts how it is treated. Gives `script`; an error in it is thrown. */
function watched(script: readonly (number | Error)[], kind: 'sync' | 'async') {
  const calls = { opened: 0, next: 0, returned: 0 }
  const next = (): IteratorResult<number> => {
    const one = script[calls.next++]
    if (one instanceof Error) throw one
    return one === undefined ? { done: true, value: undefined } : { done: false, value: one }
  }
  const close = (): IteratorResult<number> => {
    calls.returned += 1
    return { done: true, value: undefined }
  }
  const source: Pullable<number> =
    kind === 'sync'
      ? {
          [Symbol.iterator]: () => {
            calls.opened += 1
            return { next, return: close }
          },
        }
      : {
          [Symbol.asyncIterator]: () => {
            calls.opened += 1
            return { next: async () => next(), return: async () => close() }
          },
        }
  return { source, calls }
}

const BROKEN = new Error('broken')

describe('from', () => {
  for (const kind of ['sync', 'async'] as const) {
    it(`D90: opens the iterator once, at the first demand (${kind})`, async () => {
      const { source, calls } = watched([1, 2, 3], kind)
      const probe = new Probe<number>()
      probe.subscribe(from(source), { demand: 'manual' })
      await atRest()
      equal(calls.opened, 0)
      probe.ask(1)
      await atRest()
      probe.ask(1)
      await atRest()
      deepEqual(calls, { opened: 1, next: 2, returned: 0 })
      deepEqual(probe.events, [1, 2])
    })

    it(`D90: does not close an iterator that has come to its end (${kind})`, async () => {
      const { source, calls } = watched([1, 2], kind)
      deepEqual(await Array.fromAsync(toIterable(source)), [1, 2])
      equal(calls.returned, 0)
    })

    it(`D90: does not close an iterator that has thrown, and fails with the very error (${kind})`, async () => {
      const { source, calls } = watched([1, BROKEN], kind)
      await rejects(Array.fromAsync(toIterable(source)), (error) => error === BROKEN)
      equal(calls.returned, 0)
    })

    it(`D90: closes it once when its consumer breaks off (${kind})`, async () => {
      const { source, calls } = watched(range(0, 5000), kind)
      for await (const n of toIterable(source, { maxDemand: 2 })) if (n === 3) break
      equal(calls.returned, 1)
    })

    it(`D90: closes it once when a consumer fails (${kind})`, async () => {
      const { source, calls } = watched(range(0, 5000), kind)
      const sink = consumer<number>({
        onEvents: () => {
          throw BROKEN
        },
      })
      await rejects((await connect(source, sink)).done, (error) => error === BROKEN)
      equal(calls.returned, 1)
    })

    it(`D90: closes it once when it is cancelled, or drained (${kind})`, async () => {
      for (const act of ['cancel', 'drain'] as const) {
        const { source, calls } = watched(range(0, 5000), kind)
        const run = await connect(source, consumer({ onEvents: () => atRest() }), { maxDemand: 2 })
        await atRest()
        await run[act]()
        await run.done.catch(() => {})
        equal(calls.returned, 1, act)
      }
    })

    it(`D92: gives what it had before it threw (${kind})`, async () => {
      const { source } = watched([1, 2, 3, BROKEN], kind)
      const seen: number[] = []
      const reading = (async () => {
        for await (const n of toIterable(source)) seen.push(n)
      })()
      await rejects(reading, (error) => error === BROKEN)
      deepEqual(seen, [1, 2, 3])
    })
  }

  it('D90: fails where the iterator cannot be closed, unless there was a failure before', async () => {
    const badly = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: 1 }),
        return: () => {
          throw BROKEN
        },
      }),
    }
    const broken = (async () => {
      for await (const _ of toIterable<number>(badly as Iterable<number>)) break
    })()
    await rejects(broken, (error) => error === BROKEN)
  })

  it('D91: a slow source does not hold back what it has given', async () => {
    const gate = Promise.withResolvers<void>()
    async function* slow(): AsyncGenerator<number> {
      yield 1
      yield 2
      await gate.promise
      yield 3
    }
    const probe = new Probe<number>()
    probe.subscribe(from(slow))
    await atRest()
    deepEqual(probe.batches, [[1, 2]])
    gate.resolve()
    await probe.stage.done
    deepEqual(probe.events, [1, 2, 3])
  })

  it('D91: asks an asynchronous source for no more than is wanted', async () => {
    let given = 0
    async function* counting(): AsyncGenerator<number> {
      for (;;) yield given++
    }
    const probe = new Probe<number>()
    const source = from(counting)
    probe.subscribe(source, { demand: 'manual' })
    probe.ask(3)
    await atRest()
    equal(given, 3)
    source.cancel()
    await source.done
  })

  it('D93: draining gives out what was pulled and had not gone out', async () => {
    let given = 0
    async function* counting(): AsyncGenerator<number> {
      for (;;) {
        if (given === 100) await new Promise((resolve) => setImmediate(resolve))
        yield given++
      }
    }
    const probe = new Probe<number>()
    const run = await connect(counting, probe.stage)
    for (let i = 0; i < 20; i += 1) await Promise.resolve()
    await run.drain()
    ok(probe.events.length > 0)
    deepEqual(probe.events, range(0, probe.events.length))
  })

  it('D94: a function gets a signal, so that what it waits for can be called off', async () => {
    let isClosed = false
    async function* waiting(signal: AbortSignal): AsyncGenerator<number> {
      try {
        yield 1
        const aborted = Promise.withResolvers<void>()
        signal.addEventListener('abort', () => aborted.resolve())
        await aborted.promise
      } finally {
        isClosed = true
      }
    }
    const probe = new Probe<number>()
    const run = await connect(waiting, probe.stage)
    await atRest()
    await run.cancel()
    ok(isClosed)
    deepEqual(probe.events, [1])
    await rejects(run.done)
  })

  it('D95: takes Node and web streams, and destroys or cancels one that is given up', async () => {
    deepEqual(await Array.fromAsync(toIterable(from<string>(Readable.from(['a', 'b', 'c'])))), ['a', 'b', 'c'])
    deepEqual(await Array.fromAsync(toIterable(from<number>(ReadableStream.from([1, 2])))), [1, 2])
    const node = Readable.from(range(0, 5000))
    for await (const _ of toIterable(from<number>(node))) break
    ok(node.destroyed)
    const reasons: unknown[] = []
    const web = new ReadableStream<number>({
      pull: (controller) => controller.enqueue(1),
      cancel: (reason) => void reasons.push(reason),
    })
    for await (const _ of toIterable(from<number>(web))) break
    equal(reasons.length, 1)
  })

  it('D95: fails with the error of a stream', async () => {
    const node = new Readable({
      objectMode: true,
      read() {
        this.destroy(BROKEN)
      },
    })
    await rejects(Array.fromAsync(toIterable(from<number>(node))), (error) => error === BROKEN)
    const web = new ReadableStream<number>({ pull: (controller) => controller.error(BROKEN) })
    await rejects(Array.fromAsync(toIterable(from<number>(web))), (error) => error === BROKEN)
  })

  it('D86: refuses what cannot be iterated, and strings', async () => {
    throws(() => from('abc'), /A source is an iterable, or a function that returns one: found "abc"/)
    throws(() => from(5 as never), TypeError)
    await rejects(Array.fromAsync(toIterable(from(() => 5 as never))), TypeError)
  })

  it('D90: a function is a source that can be run again, from its beginning', async () => {
    const source = () => [1, 2, 3]
    deepEqual(await Array.fromAsync(toIterable(source)), [1, 2, 3])
    deepEqual(await Array.fromAsync(toIterable(source)), [1, 2, 3])
  })
})
