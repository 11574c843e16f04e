// Runs that are aborted while something of a user's never settles: each ends within its deadline, with the reason.

import { equal, rejects } from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import {
  batchOf,
  callbackSink,
  checkpointed,
  collect,
  type Flow,
  flow,
  pipeline,
  run,
  type Sink,
  type Source,
  type SplitReader,
  start,
  startPipeline,
  valuesSource,
} from 'sluice'
import { connect, consumer, group, producer, producerConsumer, subscribe, tasks } from 'sluice/stage'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { until } from './support/until.ts'

const folder = tempFolder('sluice-deadlines-')
let files = 0
function fresh(): string {
  files += 1
  return join(folder, `${files}.db`)
}

/** What never settles, and whether it was reached. */
class Stuck {
  isReached = false
  readonly forever = (): Promise<never> => {
    this.isReached = true
    return new Promise(() => {})
  }
}

const REASON = new Error('that is enough')

/** Aborts what `begin` starts once it is stuck; it must fail with the reason. What hangs fails by the limit of the test. */
async function isGivenUp(begin: (stuck: Stuck, signal: AbortSignal) => Promise<unknown>): Promise<void> {
  const stuck = new Stuck()
  const abort = new AbortController()
  const outcome = begin(stuck, abort.signal)
  outcome.catch(() => {}) // Looked at below.
  await until(() => stuck.isReached, 'what never settles')
  abort.abort(REASON)
  await rejects(outcome, (error) => error === REASON || (error as Error).cause === REASON)
}

const FLOWS: Readonly<Record<string, (stuck: Stuck, signal: AbortSignal) => Promise<unknown>>> = {
  'a function that takes events': ({ forever }, signal) => run(flow([1]), { into: forever, signal }),
  'a call of mapAsync': ({ forever }, signal) => collect(flow([1]).mapAsync(forever), { signal }),
  'a lookup of enrich': ({ forever }, signal) =>
    collect(flow([1]).enrich({ key: (n) => n, lookup: forever, into: (n) => n }), { signal }),
  'a schema that waits': ({ forever }, signal) =>
    collect(flow([1]).validate({ '~standard': { version: 1, vendor: 'test', validate: forever } }), { signal }),
  'a stage of its own': ({ forever }, signal) =>
    collect(
      flow([1]).throughStages(() => producerConsumer<number, number>({ onEvents: forever })),
      { signal },
    ),
  'a stage that closes for ever': ({ forever }, signal) =>
    collect(
      flow([1]).throughStages(() => producerConsumer<number, number>({ onEvents: (n) => n, onEnd: forever })),
      {
        signal,
      },
    ),
  'a generator that closes for ever': ({ forever }, signal) => {
    async function* source() {
      try {
        yield 1
        yield 2
      } finally {
        await forever()
      }
    }
    return collect(flow(source).take(1), { signal })
  },
  'a source that lists its parts': ({ forever }, signal) => collect(flow(sourceOf({ splits: forever })), { signal }),
  'a source that opens': ({ forever }, signal) => collect(flow(sourceOf({ open: forever })), { signal }),
  'a source that reads': ({ forever }, signal) => collect(flow(sourceOf({}, { read: forever })), { signal }),
  'a source that closes': ({ forever }, signal) =>
    run(flow(sourceOf({}, { close: forever })), { signal, into: () => {} }),
}

/** A source of one value, but for what is given. */
function sourceOf(given: Partial<Source<number>>, reader: Partial<SplitReader<number>> = {}): Source<number> {
  return {
    kind: 'test',
    title: 'a source of the test',
    splits: async () => [{ id: 'one' }],
    open: async () => {
      let isDone = false
      return {
        doneBytes: 0,
        counts: { read: 1, blank: 0, invalidUtf8: 0 },
        position: () => (isDone ? 1 : 0),
        async read() {
          if (isDone) return undefined
          isDone = true
          return { events: batchOf([1]), rejected: [] }
        },
        close: async () => {},
        ...reader,
      }
    },
    ...given,
  }
}

const loading = (
  source: Source<number>,
  into: Sink<number>,
  signal: AbortSignal,
  through: (events: Flow<number>) => Flow<number> = (events) => events,
): Promise<unknown> => {
  const job = pipeline('stuck', { from: () => source, flow: through, into: () => into })
  return startPipeline(job, { signal, epochMs: 10 }).then((started) => started.done)
}
const table = (): Sink<number> =>
  checkpointed(
    callbackSink<number>('f', () => {}),
    { store: fresh() },
  )
/** A sink whose writer, or whose opening, is stuck at `at`. */
function sinkOf(at: string, { forever }: Stuck): Sink<number> {
  const whole = table()
  if (at === 'open') return { ...whole, open: forever }
  return {
    ...whole,
    async open(options) {
      const writer = await whole.open(options)
      return new Proxy(writer, {
        get: (target, name) => {
          if (name === at) return forever
          const value: unknown = Reflect.get(target, name)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    },
  }
}

const PIPELINES: typeof FLOWS = {
  'a function that takes rows': ({ forever }, signal) =>
    loading(valuesSource([1, 2, 3]), checkpointed(callbackSink('f', forever), { store: fresh() }), signal),
  'a function that flushes': ({ forever }, signal) =>
    loading(
      valuesSource([1]),
      checkpointed(
        callbackSink('f', () => {}, { flush: forever }),
        { store: fresh() },
      ),
      signal,
    ),
  'a function that closes': ({ forever }, signal) =>
    loading(
      valuesSource([1]),
      checkpointed(
        callbackSink('f', () => {}, { close: forever }),
        { store: fresh() },
      ),
      signal,
    ),
  ...Object.fromEntries(
    ['open', 'write', 'commit', 'flush', 'close'].map((at) => [
      `a sink of its own at ${at}`,
      (stuck: Stuck, signal: AbortSignal) => loading(valuesSource([1]), sinkOf(at, stuck), signal),
    ]),
  ),
  'a source that lists its parts': ({ forever }, signal) => loading(sourceOf({ splits: forever }), table(), signal),
  'a source that tells its columns': ({ forever }, signal) =>
    loading(sourceOf({ findColumns: forever }), table(), signal),
  'a source that opens': ({ forever }, signal) => loading(sourceOf({ open: forever }), table(), signal),
  'a source that reads': ({ forever }, signal) => loading(sourceOf({}, { read: forever }), table(), signal),
  'a source that closes': ({ forever }, signal) => loading(sourceOf({}, { close: forever }), table(), signal),
  'a call of mapAsync': ({ forever }, signal) =>
    loading(valuesSource([1]), table(), signal, (events) => events.mapAsync(forever)),
}

const HOOKS: typeof FLOWS = {
  'onEvents of a consumer': async ({ forever }, signal) =>
    (await connect([1], consumer<number>({ onEvents: forever }), { signal })).done,
  'onComplete of a consumer': async ({ forever }, signal) =>
    (await connect([1], consumer<number>({ onEvents: () => {}, onComplete: forever }), { signal })).done,
  'onDemand of a producer': async ({ forever }, signal) =>
    (await connect(producer<number>({ onDemand: forever }), consumer<number>({ onEvents: () => {} }), { signal })).done,
  'onMessage of a stage': async ({ forever }, signal) => {
    const stage = consumer<number>({ onEvents: () => {}, onMessage: forever })
    const running = await connect(producer<number>({}), stage, { signal })
    stage.notify('wait')
    return running.done
  },
  'onBarrier of a stage': async ({ forever }, signal) => {
    const source = producer<number>({})
    const running = await connect(source, consumer<number>({ onEvents: () => {}, onBarrier: forever }), { signal })
    source.barrier(1)
    return running.done
  },
  'a stage of a group': ({ forever }, signal) => {
    const members = {
      source: { start: () => producer<number>({ onDemand: () => [1] }) },
      sink: { start: () => consumer<number>({ onEvents: forever }), from: ['source'] },
    }
    return group(members, { signal }).done
  },
  'a stage that is cancelled by hand': async ({ forever }, signal) => {
    const source = producer<number>({ onDemand: () => [1] })
    const sink = consumer<number>({ onEvents: forever })
    subscribe(sink, source)
    signal.addEventListener('abort', () => sink.fail(signal.reason))
    await sink.done
  },
}

for (const [what, table] of Object.entries({ flow: FLOWS, pipeline: PIPELINES, 'run of stages': HOOKS })) {
  describe(`a ${what} that is aborted`, { concurrency: true, timeout: 60_000 }, () => {
    for (const [name, begin] of Object.entries(table)) {
      it(`D135: ends within its deadline although ${name} never settles`, () => isGivenUp(begin))
    }
  })
}

describe('what closes', { concurrency: true, timeout: 60_000 }, () => {
  /** Longer than the deadline that nobody has changed. */
  const LONG_MS = 3500
  const closed = async (begin: (onClosed: () => Promise<void>) => Promise<unknown>): Promise<boolean> => {
    let isClosed = false
    const running = begin(async () => {
      await new Promise((resolve) => setTimeout(resolve, LONG_MS))
      isClosed = true
    })
    await running
    return isClosed
  }

  it('D104: tasks of a stage that is cancelled have the time that drainTimeoutMs gives them', async () => {
    const isClosed = await closed(async (close) => {
      const stuck = new Stuck()
      const task = (): Promise<void> => {
        stuck.isReached = true
        return close()
      }
      const running = await connect([1], tasks({ concurrency: 1, drainTimeoutMs: 30_000, task }))
      await until(() => stuck.isReached, 'the task')
      await running.cancel()
    })
    equal(isClosed, true)
  })

  it('D135: a stage has the time that closeTimeoutMs gives it', async () => {
    for (const [closeTimeoutMs, expected] of [
      [30_000, true],
      [10, false],
    ] as const) {
      const isClosed = await closed(async (onEnd) => {
        const stage = consumer<number>({ onEvents: () => {}, onEnd, closeTimeoutMs })
        await (await connect(producer<number>({}), stage)).cancel()
      })
      equal(isClosed, expected)
    }
  })
})

describe('cancel', { concurrency: true, timeout: 60_000 }, () => {
  it('D135: of a flow settles although its sink never does', async () => {
    const stuck = new Stuck()
    const running = await start(flow([1]), { into: stuck.forever })
    running.done.catch(() => {}) // Rejects with the reason.
    await until(() => stuck.isReached, 'what never settles')
    await running.cancel(REASON)
    await rejects(running.done, (error) => error === REASON)
  })
})
