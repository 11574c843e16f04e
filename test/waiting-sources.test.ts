import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { EventEmitter, on, once } from 'node:events'
import { join } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { ReadableStream } from 'node:stream/web'
import { describe, it } from 'node:test'
import {
  collect,
  count,
  type FlowSource,
  flow,
  pipeline,
  run,
  type Source,
  sqliteSink,
  start,
  startPipeline,
  stream,
  valuesSource,
} from 'sluice'
import { connect, consumer, from, group, type Pullable, producer, toIterable } from 'sluice/stage'
import { tempFolder } from '../src/testing/temp-folder.ts'

/** A source that gives `a` and then nothing, and tells whether it was closed. */
interface Quiet {
  readonly source: FlowSource<string>
  readonly isClosed?: () => boolean
}

/** Never settles; nothing keeps the process alive for it. */
const never = (): Promise<never> => new Promise(() => {})

const QUIET: Readonly<Record<string, () => Quiet>> = {
  'an async generator': () => ({
    source: (async function* () {
      yield 'a'
      await never()
    })(),
  }),
  'a generator that heeds its signal, and then cleans up': () => {
    let isClosed = false
    async function* heeding(signal: AbortSignal): AsyncGenerator<string> {
      try {
        yield 'a'
        await Promise.race([never(), once(signal, 'abort')])
      } finally {
        await new Promise((resolve) => setTimeout(resolve, 5))
        isClosed = true
      }
    }
    return { source: heeding, isClosed: () => isClosed }
  },
  'an async iterator': () => {
    let given = 0
    let isClosed = false
    const iterator: AsyncIterableIterator<string> = {
      [Symbol.asyncIterator]: () => iterator,
      next: () => (given++ === 0 ? Promise.resolve({ done: false, value: 'a' }) : never()),
      return: () => {
        isClosed = true
        return never()
      },
    }
    return { source: iterator, isClosed: () => isClosed }
  },
  'the iterator of an event emitter': () => {
    const emitter = new EventEmitter()
    const source = on(emitter, 'event') as AsyncIterable<string>
    emitter.emit('event', 'a')
    return { source, isClosed: () => emitter.listenerCount('event') === 0 }
  },
  'a Node stream': () => {
    const source = new Readable({ objectMode: true, read() {} })
    source.push('a')
    return { source, isClosed: () => source.destroyed }
  },
  'a Node stream that is written to as well': () => {
    const source = new PassThrough({ objectMode: true })
    source.write('a')
    return { source: () => source, isClosed: () => source.destroyed }
  },
  'a web stream': () => {
    let isClosed = false
    const source = new ReadableStream<string>({
      start: (controller) => controller.enqueue('a'),
      cancel: () => {
        isClosed = true
      },
    })
    return { source, isClosed: () => isClosed && !source.locked }
  },
  'a producer whose onDemand waits': () => {
    let isClosed = false
    let given = 0
    const source = producer<string>({
      unwanted: 'end',
      onDemand: () => (given++ === 0 ? Promise.resolve(['a']) : never()),
      onEnd: () => {
        isClosed = true
      },
    })
    return { source, isClosed: () => isClosed }
  },
}

const STOP = new Error('stop')
const THROWN = new Error('thrown')

/** Waits until `a` has come, and then gives what ends a run. */
function afterFirst<T>(end: (value: T) => unknown): { readonly take: () => void; readonly ready: (value: T) => void } {
  const came = Promise.withResolvers<void>()
  return {
    take: () => came.resolve(),
    // The source is asked for more by then.
    ready: (value) => void came.promise.then(() => setImmediate(() => void end(value))),
  }
}

const ENDS: Readonly<Record<string, (source: FlowSource<string>) => Promise<void>>> = {
  take: async (source) => deepEqual((await collect(flow(source).take(1))).flat(), ['a']),
  'break out of a flow': async (source) => {
    for await (const event of stream(flow(source))) {
      equal(event.toString(), 'a')
      break
    }
  },
  'an aborted signal': async (source) => {
    const abort = new AbortController()
    const { take, ready } = afterFirst(() => abort.abort(STOP))
    ready(undefined)
    await rejects(run(flow(source), { signal: abort.signal, into: take }), STOP)
  },
  'a function that throws': async (source) => {
    const throwing = flow(source).map(() => {
      throw THROWN
    })
    await rejects(collect(throwing), THROWN)
  },
  cancel: async (source) => {
    const { take, ready } = afterFirst<{ cancel(reason: unknown): Promise<void> }>((running) => running.cancel(STOP))
    const running = await start(flow(source), { into: take })
    ready(running)
    await rejects(running.done, STOP)
  },
}

/** Of stages only: sources that are no producers can be drained. */
const STAGE_ENDS: Readonly<Record<string, (source: Pullable<string>) => Promise<void>>> = {
  'break out of stages': async (source) => {
    for await (const _ of toIterable(from(source))) break
  },
  'cancel of connected stages': async (source) => {
    const { take, ready } = afterFirst<{ cancel(reason: unknown): Promise<void> }>((running) => running.cancel(STOP))
    const running = await connect(source, consumer({ onEvents: take }))
    ready(running)
    await rejects(running.done, STOP)
  },
  'cancel of a group': async (source) => {
    const { take, ready } = afterFirst<{ cancel(reason: unknown): Promise<void> }>((running) => running.cancel(STOP))
    const running = group({
      source: { start: () => from(source) },
      sink: { start: () => consumer({ onEvents: take }), from: ['source'] },
    })
    ready(running)
    await rejects(running.done, STOP)
  },
  'the end of await using': async (source) => {
    await using running = await connect(source, consumer({ onEvents() {} }))
    ok(running.stages.length > 0)
  },
  drain: async (source) => {
    const { take, ready } = afterFirst<{ drain(): Promise<unknown> }>((running) => running.drain())
    const running = await start(flow(source).map(seenBy(take)).aggregate({ n: count() }))
    ready(running)
    deepEqual(await running.done, { events: 1, late: 0, dead: 0, ahead: 0 })
  },
  'drain of a pipeline': async (source) => {
    const { take, ready } = afterFirst<{ drain(why: string): Promise<unknown> }>((running) => running.drain('a test'))
    const running = await startPipeline(loading(source, take))
    ready(running)
    equal((await running.done).outcome, 'drained')
  },
  'abort of a pipeline': async (source) => {
    const abort = new AbortController()
    const { take, ready } = afterFirst(() => abort.abort(STOP))
    ready(undefined)
    const running = await startPipeline(loading(source, take), { signal: abort.signal })
    await rejects(running.done)
  },
}

function seenBy(take: () => void): (event: string) => string {
  return (event) => {
    take()
    return event
  }
}

const folder = tempFolder('sluice-waiting-')
let loads = 0

/** A pipeline of the source's events, which tells that one has come. */
function loading(source: Pullable<string>, take: () => void) {
  loads += 1
  const db = join(folder, `${loads}.db`)
  return pipeline('quiet', {
    from: () => valuesSource(source as () => AsyncIterable<string>),
    flow: (events) => events.map(seenBy(take)).map((event) => ({ event })),
    into: () => sqliteSink(db, { table: 'events', key: ['event'] }),
  })
}

describe('a source that waits', () => {
  for (const [kind, make] of Object.entries(QUIET)) {
    for (const [how, end] of Object.entries(ENDS)) {
      it(`D130: ${kind} does not keep a run from ending by ${how}, and is closed`, async () => {
        const { source, isClosed } = make()
        await end(source)
        equal(isClosed?.() ?? true, true)
      })
    }
    if (kind.startsWith('a producer')) continue
    for (const [how, end] of Object.entries(STAGE_ENDS)) {
      it(`D130: ${kind} does not keep a run from ending by ${how}, and is closed`, async () => {
        const { source, isClosed } = make()
        await end((typeof source === 'function' ? source : () => source) as Pullable<string>)
        equal(isClosed?.() ?? true, true)
      })
    }
  }

  it('D131: what fails in an iterator that was given up is not heard', async () => {
    const late = Promise.withResolvers<never>()
    const failing = async function* (): AsyncGenerator<string> {
      yield 'a'
      await late.promise
    }
    deepEqual(await collect(flow(failing).take(1)), ['a'])
    const heard: unknown[] = []
    process.once('unhandledRejection', (reason) => heard.push(reason))
    late.reject(new Error('too late'))
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    process.removeAllListeners('unhandledRejection')
    deepEqual(heard, [])
  })

  it('D131: a stream that nobody asked is destroyed or cancelled, too', async () => {
    const node = new Readable({ objectMode: true, read() {} })
    deepEqual(await collect(flow<string>(node).take(0)), [])
    let isCancelled = false
    const web = new ReadableStream<string>({
      cancel: () => {
        isCancelled = true
      },
    })
    deepEqual(await collect(flow(web).take(0)), [])
    deepEqual([node.destroyed, isCancelled], [true, true])
  })

  it('D131: a splittable source that does not heed its signal holds the end of a run up for 5 seconds at most', async () => {
    const stuck: Source<string> = {
      kind: 'stuck',
      title: 'stuck',
      splits: async () => [{ id: 'a' }],
      open: async () => ({
        counts: { read: 0, blank: 0, invalidUtf8: 0 },
        doneBytes: 0,
        position: () => 0,
        read: never,
        close: async () => {},
      }),
    }
    const running = await start(flow(stuck))
    await running.cancel(STOP)
    await rejects(running.done, STOP)
  })

  it('D131: a web stream whose write never ends holds the end of a run up for 5 seconds at most', async () => {
    const began = Promise.withResolvers<void>()
    const stuck = new WritableStream<string>({
      write: () => {
        began.resolve()
        return never()
      },
    })
    const running = await start(flow(['a']), { into: stuck as never })
    await began.promise
    await running.cancel(STOP)
    await rejects(running.done, STOP)
  })
})
