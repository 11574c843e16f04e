import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { PassThrough, Writable } from 'node:stream'
import { WritableStream } from 'node:stream/web'
import { describe, it } from 'node:test'
import { atRest } from '../testing/manual-clock.ts'
import { Scripted } from '../testing/probe.ts'
import { connect } from './connect.ts'
import { from } from './from.ts'
import { consumer, producer, producerConsumer, range } from './make.ts'
import { subscribe } from './subscribe.ts'
import { into, toBatches, toIterable, toReadable, toWebStream } from './to.ts'

const BROKEN = new Error('broken')

describe('toIterable', () => {
  it('D96: who iterates slowly slows the source', async () => {
    let given = 0
    function* counting(): Generator<number> {
      for (;;) yield given++
    }
    for await (const n of toIterable(counting, { maxDemand: 4, minDemand: 2 })) {
      await atRest()
      ok(given <= n + 1 + 4)
      if (n === 20) break
    }
  })

  it('D96: gives batches as they came', async () => {
    const batches = toBatches(range(0, 5), { maxDemand: 2, minDemand: 0 })
    deepEqual(await Array.fromAsync(batches), [[0, 1], [2, 3], [4]])
  })

  it('D96: refuses at once what makes no chain, and what nothing would end', () => {
    throws(() => toIterable([1], { maxDemand: 0 }), RangeError)
    throws(() => toBatches('text' as never), TypeError)
    throws(
      () => toIterable([1], { cancel: 'temporary' }),
      /^TypeError: toIterable cannot take cancel: 'temporary': no end/,
    )
    throws(() => toBatches([1], { cancel: 'temporary' }), /^TypeError: toBatches cannot take/)
  })

  it('D97: break waits until the source is closed', async () => {
    const log: string[] = []
    async function* slowlyClosed(): AsyncGenerator<number> {
      try {
        for (let n = 0; ; n += 1) yield n
      } finally {
        await atRest()
        log.push('closed')
      }
    }
    for await (const n of toIterable(slowlyClosed)) if (n === 2) break
    log.push('after')
    deepEqual(log, ['closed', 'after'])
  })

  it('D132: break asks for nothing more', async () => {
    const asked: number[] = []
    const source = producer<number>({
      onDemand: (demand) => {
        asked.push(demand)
        return asked.length === 1 ? range(0, 4) : range(4, 6)
      },
    })
    for await (const n of toIterable(source, { maxDemand: 4 })) if (n === 2) break
    deepEqual(asked, [4, 2])
  })

  it('D132: a stage that completes in its hook asks for nothing more', async () => {
    const asked: number[] = []
    const source = producer<number>({
      onDemand: (demand) => {
        asked.push(demand)
        return range(0, demand)
      },
    })
    const once = consumer<number>({ onEvents: (_events, _from, self) => self.complete() })
    subscribe(once, source, { maxDemand: 2, minDemand: 0 })
    await once.done
    deepEqual(asked, [2])
  })

  it('D97: an error of the loop comes out, after the source was closed', async () => {
    let isClosed = false
    function* numbers(): Generator<number> {
      try {
        for (let n = 0; ; n += 1) yield n
      } finally {
        isClosed = true
      }
    }
    const looping = (async () => {
      for await (const _ of toIterable(numbers)) throw BROKEN
    })()
    await rejects(looping, (error) => error === BROKEN)
    ok(isClosed)
  })

  it('D98: a failure comes after the events that came before it, through any number of stages', async () => {
    const pass = () => producerConsumer<number, number>({ onEvents: async (events) => events })
    const source = new Scripted<number>([...range(0, 100), BROKEN])
    const seen: number[] = []
    const looping = (async () => {
      for await (const n of toIterable(source.stage, pass(), pass(), { maxDemand: 8 })) {
        await Promise.resolve()
        seen.push(n)
      }
    })()
    await rejects(looping, (error) => error === BROKEN)
    deepEqual(seen, range(0, 100))
  })

  it('D98: a failure in the middle throws the very error', async () => {
    const bad = producerConsumer<number, number>({
      onEvents: () => {
        throw BROKEN
      },
    })
    await rejects(Array.fromAsync(toIterable([1], bad)), (error) => error === BROKEN)
  })

  it('D96: an aborted signal throws its reason', async () => {
    const controller = new AbortController()
    const looping = (async () => {
      for await (const n of toIterable(
        function* () {
          for (let n = 0; ; n += 1) yield n
        },
        { signal: controller.signal, maxDemand: 2 },
      )) {
        if (n === 3) controller.abort(BROKEN)
      }
    })()
    await rejects(looping, (error) => error === BROKEN)
  })

  it('D96: starts nothing before the first value is asked for', async () => {
    const source = new Scripted([1])
    const iterator = toIterable(source.stage)[Symbol.asyncIterator]()
    await atRest()
    deepEqual(source.demands, [])
    deepEqual(await iterator.next(), { done: false, value: 1 })
    deepEqual(await iterator.next(), { done: true, value: undefined })
  })
})

describe('streams out of stages', () => {
  it('D95: toReadable and toWebStream give the events, and close the chain when they are given up', async () => {
    let closed = 0
    function* numbers(): Generator<number> {
      try {
        for (let n = 0; ; n += 1) yield n
      } finally {
        closed += 1
      }
    }
    const readable = toReadable(toIterable(numbers))
    deepEqual(await readable.take(3).toArray(), [0, 1, 2])
    await atRest()
    equal(closed, 1)
    const reader = toWebStream(toIterable(numbers)).getReader()
    deepEqual(await reader.read(), { done: false, value: 0 })
    await reader.cancel()
    equal(closed, 2)
  })

  it('D95: a stream out of stages fails with the very error', async () => {
    const failing = (): AsyncIterable<number> => toIterable(new Scripted<number>([1, BROKEN]).stage)
    await rejects(toReadable(failing()).toArray(), (error) => error === BROKEN)
    await rejects(Array.fromAsync(toWebStream(failing())), (error) => error === BROKEN)
  })
})

describe('into a Node stream', () => {
  it('D99: writes in order, waits where the stream is full, and completes when it has finished', async () => {
    const seen: number[] = []
    const stream = new Writable({
      objectMode: true,
      highWaterMark: 2,
      write: (n: number, _encoding, done) => {
        seen.push(n)
        setImmediate(done)
      },
    })
    await (await connect(range(0, 50), into<number>(stream))).done
    deepEqual(seen, range(0, 50))
    ok(stream.writableFinished)
    deepEqual(stream.eventNames(), new Writable({ write: () => {} }).eventNames())
  })

  it('D99: fails with the error of the stream, wherever it comes from', async () => {
    const early = new Writable({ objectMode: true, write: (_n, _encoding, done) => done(BROKEN) })
    await rejects((await connect(range(0, 10), into(early))).done, (error) => error === BROKEN)
    const late = new Writable({ objectMode: true, write: (_n, _e, done) => done(), final: (done) => done(BROKEN) })
    await rejects((await connect([1], into(late))).done, (error) => error === BROKEN)
  })

  it('D99: fails where the stream is closed before its end', async () => {
    const stream = new PassThrough({ objectMode: true, highWaterMark: 1 })
    const run = await connect(range(0, 10), into<number>(stream))
    await atRest()
    stream.destroy()
    await rejects(run.done, /Cannot write to the stream: it was closed before its end/)
  })

  it('D99: a stream that is full, and never drains, does not keep a run from being cancelled', async () => {
    const stuck = new Writable({ objectMode: true, highWaterMark: 1, write: () => {} })
    const run = await connect(range(0, 10), into<number>(stuck))
    await atRest()
    await run.cancel(BROKEN)
    await rejects(run.done, (error) => error === BROKEN)
    ok(stuck.destroyed)
    const endless = new Writable({ objectMode: true, write: (_n, _e, done) => done(), final: () => {} })
    const ending = await connect([1], into<number>(endless))
    await atRest()
    await ending.cancel(BROKEN)
    ok(endless.destroyed)
    await rejects(ending.done)
  })

  it('D99: a failure elsewhere destroys the stream', async () => {
    const stream = new PassThrough({ objectMode: true })
    await rejects((await connect(new Scripted<number>([1, BROKEN]).stage, into<number>(stream))).done)
    ok(stream.destroyed)
  })

  it('D99: refuses a stream that has ended', () => {
    const stream = new PassThrough()
    stream.end()
    throws(() => into(stream), /Cannot write to the stream: it has ended/)
  })
})

describe('into a web stream', () => {
  it('D99: writes in order, and closes', async () => {
    const seen: (number | string)[] = []
    const stream = new WritableStream<number>({
      write: async (n) => {
        await atRest()
        seen.push(n)
      },
      close: () => void seen.push('closed'),
    })
    await (await connect(range(0, 5), into(stream))).done
    deepEqual(seen, [0, 1, 2, 3, 4, 'closed'])
  })

  it('D99: fails with the error of the stream, at any write and at its closing', async () => {
    for (const broken of [0, 4]) {
      const stream = new WritableStream<number>({
        write: (n) => {
          if (n === broken) throw BROKEN
        },
      })
      await rejects((await connect(range(0, 5), into(stream))).done, (error) => error === BROKEN)
    }
    const closing = new WritableStream<number>({ close: () => Promise.reject(BROKEN) })
    await rejects((await connect([1], into(closing))).done, (error) => error === BROKEN)
  })

  it('D99: aborts the stream, with the reason, also while it is full', async () => {
    const reasons: unknown[] = []
    const stuck = new WritableStream<number>({
      write: (_n, controller) => {
        const aborted = Promise.withResolvers<void>()
        const { signal } = controller as unknown as { signal: AbortSignal }
        signal.addEventListener('abort', () => aborted.resolve())
        return aborted.promise
      },
      abort: (reason) => void reasons.push(reason),
    })
    const run = await connect(range(0, 10), into(stuck))
    await atRest()
    await run.cancel(BROKEN)
    await rejects(run.done)
    deepEqual(reasons, [BROKEN])
  })

  it('D91: a stream between two chains carries what the first gives to the second', async () => {
    const { readable, writable } = new TransformStream<number, number>()
    const run = await connect(range(0, 100), into<number>(writable as never))
    deepEqual(await Array.fromAsync(toIterable(from<number>(readable as never))), range(0, 100))
    await run.done
  })
})
