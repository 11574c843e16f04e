import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { atRest } from '../testing/manual-clock.ts'
import { Probe, Scripted } from '../testing/probe.ts'
import { connect } from './connect.ts'
import { broadcast } from './dispatchers/broadcast.ts'
import { from } from './from.ts'
import { consumer, producer, producerConsumer, range } from './make.ts'
import { subscribe } from './subscribe.ts'

const pass = () => producerConsumer<number, number>({ onEvents: (events) => events })

describe('connect', () => {
  it('D85: nobody misses the first events, however many consumers share a producer', async () => {
    const probes = range(0, 5).map(() => new Probe<number>())
    const source = from(range(0, 50), { dispatcher: broadcast() })
    await (
      await connect(
        source,
        probes.map((probe) => probe.stage),
        { maxDemand: 3 },
      )
    ).done
    for (const probe of probes) deepEqual(probe.events, range(0, 50))
  })

  it('D85: a list is stages side by side: each takes from all before it', async () => {
    const probe = new Probe<number>()
    const sources = [from(range(0, 100)), from(range(100, 200))]
    const run = await connect(sources, [pass(), pass(), pass()], probe.stage, { maxDemand: 7 })
    await run.done
    deepEqual(
      [...probe.events].sort((a, b) => a - b),
      range(0, 200),
    )
    equal(run.stages.length, 6)
    equal(run.stats()[5]?.received, 200)
  })

  it('D86: refuses what makes no chain; nothing is tied then, and the stages can still be used', async () => {
    const [source, middle, probe] = [producer<number>({}), pass(), new Probe<number>()]
    await rejects(connect(probe.stage as never, middle, probe.stage), /A stage can be in a chain only once/)
    await rejects(connect(new Probe<number>().stage as never, middle, probe.stage), /it emits no events/)
    await rejects(connect(source, middle, source as never), /A stage can be in a chain only once/)
    await rejects(connect('text' as never, probe.stage), /A source (is an iterable|must be iterable)/)
    await rejects(connect(source, 5 as never, probe.stage), /A chain consists of stages/)
    await rejects(connect(source, probe.stage, { maxDemand: 0 }), RangeError)
    equal(middle.stats().consumers + middle.stats().producers + probe.stage.stats().producers, 0)
  })

  it('D87: a run ends when its consumers have; what is left then is cancelled', async () => {
    const idle = producer<number>({})
    const probe = new Probe<number>()
    const run = await connect([from([1, 2]), idle], probe.stage)
    await atRest()
    deepEqual(probe.events, [1, 2])
    probe.stage.complete()
    await run.done
    equal(idle.ending?.kind, 'cancelled')
  })

  it('D87: draining stops asking the sources and lets through what they gave', async () => {
    let given = 0
    const source = producer<number>({
      onDemand: (demand) => {
        given += demand
        return range(given - demand, given)
      },
    })
    const probe = new Probe<number>({ onEvents: () => new Promise((resolve) => setImmediate(resolve)) })
    const run = await connect(source, pass(), probe.stage, { maxDemand: 10 })
    await atRest()
    await run.drain()
    deepEqual(probe.events, range(0, given))
    ok(given > 0)
  })

  it('D87: leaving the block of an await using drains', async () => {
    const probe = new Probe<number>()
    const source = producer<number>({})
    {
      await using _run = await connect(source, probe.stage)
      source.emit([1, 2])
    }
    deepEqual(probe.events, [1, 2])
    equal(probe.stage.ending?.kind, 'completed')
  })

  it('D87: cancelling ends all at once; done rejects with the reason', async () => {
    const reason = new Error('enough')
    const source = producer<number>({})
    const probe = new Probe<number>()
    const run = await connect(source, pass(), probe.stage)
    await run.cancel(reason)
    await rejects(run.done, (error) => error === reason)
    deepEqual(
      run.stages.map((stage) => stage.ending),
      Array.from({ length: 3 }, () => ({ kind: 'cancelled', reason })),
    )
  })

  it('D87: a signal cancels the run, also one that was aborted before', async () => {
    const controller = new AbortController()
    const probe = new Probe<number>()
    const run = await connect(producer<number>({}), probe.stage, { signal: controller.signal })
    controller.abort(new Error('stop'))
    await rejects(run.done, /stop/)
    const [source, other] = [producer<number>({}), new Probe<number>()]
    await rejects(connect(source, other.stage, { signal: controller.signal }), /stop/)
    equal(source.ending, undefined)
  })

  it('D87: hooks that wait on the signal of their stage are called off', async () => {
    const source = new Scripted<number>([1])
    const sink = consumer<number>({
      onEvents: async (_events, _from, self) => {
        const aborted = Promise.withResolvers<void>()
        self.signal.addEventListener('abort', () => aborted.resolve())
        await aborted.promise
      },
    })
    const run = await connect(source.stage, sink)
    await atRest()
    await run.cancel()
    await rejects(run.done, { name: 'AbortError' })
  })

  it('D85: who subscribes by hand in one go misses nothing', async () => {
    const source = from([1, 2, 3], { dispatcher: broadcast() })
    const seen: number[][] = [[], []]
    const both = seen.map((mine) => consumer<number>({ onEvents: (events) => void mine.push(...events) }))
    for (const one of both) subscribe(one, source)
    await Promise.all(both.map((one) => one.done))
    deepEqual(seen, [
      [1, 2, 3],
      [1, 2, 3],
    ])
  })

  it('D85: stages may be wired by hand, from the bottom up, and end with each other', async () => {
    const [source, middle, probe] = [from(range(0, 100)), pass(), new Probe<number>()]
    probe.subscribe(middle, { maxDemand: 10 })
    subscribe(middle, source, { maxDemand: 10 })
    await probe.stage.done
    deepEqual(probe.events, range(0, 100))
  })
})
