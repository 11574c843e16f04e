import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { atRest } from '../../testing/manual-clock.ts'
import { Probe } from '../../testing/probe.ts'
import { connect } from '../connect.ts'
import { from } from '../from.ts'
import { consumer, producer, range } from '../make.ts'
import { subscribe } from '../subscribe.ts'
import { broadcast } from './broadcast.ts'
import { fair } from './fair.ts'
import { DROP, partition } from './partition.ts'
import { priority } from './priority.ts'

describe('broadcast between stages', () => {
  it('D37: gives everybody everything, as fast as the slowest asks', async () => {
    const source = from(range(0, 100), { dispatcher: broadcast() })
    const [fast, slow] = [new Probe<number>(), new Probe<number>()]
    slow.subscribe(source, { demand: 'manual' })
    fast.subscribe(source, { maxDemand: 50 })
    await atRest()
    equal(fast.events.length, 0)
    slow.ask(3)
    await atRest()
    deepEqual([fast.events, slow.events], [range(0, 3), range(0, 3)])
    slow.subscriptions[0]?.cancel()
    await fast.stage.done
    deepEqual(fast.events, range(0, 100))
  })

  it('D37: who comes later gets what is given from then on', async () => {
    const source = producer<number>({ dispatcher: broadcast() })
    const early = new Probe<number>()
    early.subscribe(source)
    await atRest()
    source.emit([1, 2])
    const late = new Probe<number>()
    late.subscribe(source)
    await atRest()
    source.emit([3])
    await atRest()
    deepEqual([early.events, late.events], [[1, 2, 3], [3]])
  })

  it('D38: a selector takes its pick, costs no demand, and never brings an empty batch', async () => {
    const source = from(range(0, 30), { dispatcher: broadcast() })
    const [all, few] = [new Probe<number>(), new Probe<number>()]
    all.subscribe(source, { maxDemand: 4 })
    few.subscribe(source, { demand: 'manual', selector: (n: never) => n % 10 === 9 })
    few.ask(4)
    await all.stage.done
    deepEqual(all.events, range(0, 30))
    deepEqual(few.batches, [[9], [19], [29]])
  })

  it('D38: a selector that throws fails the producer, and who emits hears nothing of it', async () => {
    const broken = new Error('broken')
    const source = producer<number>({ dispatcher: broadcast() })
    const probe = new Probe<number>()
    probe.subscribe(source, {
      selector: () => {
        throw broken
      },
    })
    await atRest()
    source.emit([1])
    await rejects(source.done, (error) => error === broken)
    await rejects(probe.stage.done, (error) => error === broken)
  })

  it('D38: refuses a selector that is no function', () => {
    const source = producer<number>({ dispatcher: broadcast() })
    throws(() => new Probe<number>().subscribe(source, { selector: 1 as never }), /selector must be a function/)
  })
})

describe('partition between stages', () => {
  it('D39: all events of a key meet in one consumer, in order', async () => {
    const words = range(0, 500).map((n) => `key ${n % 17}`)
    const probes = range(0, 3).map(() => new Probe<string>())
    const source = from(words, { dispatcher: partition({ partitions: 3 }) })
    const run = await connect(
      source,
      probes.map((probe) => probe.stage),
      { maxDemand: 10 },
    )
    await run.done
    equal(probes.flatMap((probe) => probe.events).length, 500)
    for (const key of new Set(words)) {
      equal(probes.filter((probe) => probe.events.includes(key)).length, 1)
    }
  })

  it('D40: a dropped event gives its demand back', async () => {
    const hash = (n: number) => (n === 0 || n % 2 === 0 ? DROP : 0)
    for (const window of [{ maxDemand: 1 }, { maxDemand: 4, minDemand: 2 }]) {
      const probe = new Probe<number>()
      const source = from(range(0, 20), { dispatcher: partition({ partitions: 1, hash }) })
      await (await connect(source, probe.stage, window)).done
      deepEqual(
        probe.events,
        range(0, 10).map((n) => n * 2 + 1),
      )
    }
  })

  it('D40: events behind one that is dropped go out at once, in the same batch', async () => {
    const hash = (n: number) => (n < 5 ? DROP : 0)
    const source = producer<number>({ dispatcher: partition({ partitions: 1, hash }), bufferSize: 0 })
    const probe = new Probe<number>()
    probe.subscribe(source, { demand: 'manual' })
    probe.ask(2)
    await atRest()
    source.emit(range(0, 7))
    await atRest()
    deepEqual(probe.events, [5, 6])
  })

  it('D41: a slow partition holds back the others rather than filling the memory', async () => {
    const dispatcher = partition<number>({ partitions: 2, hash: (n) => n % 2, holdEvents: 5 })
    let given = 0
    const source = producer<number>({
      dispatcher,
      onDemand: (demand) => {
        given += demand
        return range(given - demand, given)
      },
    })
    const [fast, stuck] = [new Probe<number>(), new Probe<number>()]
    fast.subscribe(source, { partition: 0, maxDemand: 10 })
    stuck.subscribe(source, { partition: 1, demand: 'manual' })
    await atRest()
    equal(source.stats().buffered, 5)
    equal(given <= 12, true)
    stuck.ask(5)
    await atRest()
    deepEqual(stuck.events, [1, 3, 5, 7, 9])
    equal(fast.events.length > 5, true)
    source.cancel()
  })

  it('D42: events for a partition that nobody has taken wait for who takes it', async () => {
    const source = producer<number>({ dispatcher: partition({ partitions: 2, hash: (n) => n % 2 }) })
    const even = new Probe<number>()
    even.subscribe(source, { partition: 0 })
    await atRest()
    source.emit([1, 2, 3])
    await atRest()
    deepEqual(even.events, [2])
    const odd = new Probe<number>()
    odd.subscribe(source, { partition: 1 })
    await atRest()
    deepEqual(odd.events, [1, 3])
  })

  it('D42: what is held for a consumer that leaves is kept for the next in its place', async () => {
    const source = producer<number>({ dispatcher: partition({ partitions: 2, hash: (n) => n % 2 }) })
    const [even, gone, next] = [new Probe<number>(), new Probe<number>(), new Probe<number>()]
    even.subscribe(source, { partition: 0 })
    const subscription = gone.subscribe(source, { partition: 1, demand: 'manual' })
    await atRest()
    source.emit([1, 3])
    subscription.cancel()
    await atRest()
    next.subscribe(source, { partition: 1 })
    await atRest()
    deepEqual(next.events, [1, 3])
  })

  it('D42: who takes a partition behind the end gets what is held and then the end', async () => {
    const source = producer<number>({ dispatcher: partition({ partitions: 3, hash: (n) => n % 3 }) })
    const [slow, late, idle] = [new Probe<number>(), new Probe<number>(), new Probe<number>()]
    slow.subscribe(source, { partition: 0, demand: 'manual' })
    slow.ask(1)
    await atRest()
    source.emit([1, 3, 6])
    source.complete()
    await atRest()
    late.subscribe(source, { partition: 1 })
    idle.subscribe(source, { partition: 2 })
    await Promise.all([late.stage.done, idle.stage.done])
    deepEqual([late.events, slow.events, idle.events], [[1], [3], []])
    slow.ask(1)
    await slow.stage.done
    deepEqual(slow.events, [3, 6])
  })

  it('D42: tells of events that nobody ever came for', async () => {
    const lost: number[] = []
    const source = producer<number>({
      dispatcher: partition({ partitions: 2, hash: (n) => n % 2 }),
      onDiscard: (events) => void lost.push(events),
    })
    const even = new Probe<number>()
    even.subscribe(source, { partition: 0 })
    await atRest()
    source.emit([1, 2, 3])
    source.complete()
    await even.stage.done
    await source.done
    deepEqual(lost, [2])
    equal(source.stats().discarded, 2)
  })

  it('D43: one that comes too many, or to a place that is taken, fails alone', async () => {
    const source = producer<number>({ dispatcher: partition({ partitions: 1 }) })
    const [first, second] = [new Probe<number>(), new Probe<number>()]
    first.subscribe(source)
    second.subscribe(source)
    await rejects(second.stage.done, /Cannot subscribe to a partition: all 1 have a consumer/)
    source.emit([1])
    await atRest()
    deepEqual(first.events, [1])
    const third = new Probe<number>()
    third.subscribe(source, { partition: 0 })
    await rejects(third.stage.done, /Cannot subscribe to partition 0: it has a consumer/)
    throws(() => third.subscribe(source, { partition: 7 }), Error)
  })

  it('D43: refuses a partition that is not there, at once', () => {
    const source = producer<number>({ dispatcher: partition({ partitions: ['a', 'b'], hash: () => 'a' }) })
    throws(() => new Probe<number>().subscribe(source, { partition: 'c' }), /partition must be one of a, b: found "c"/)
    throws(() => partition({ partitions: [] as string[], hash: () => 'a' }), /partitions must be different names/)
    throws(() => partition({ partitions: ['a', 'a'], hash: () => 'a' as const }), RangeError)
    throws(() => partition({ partitions: ['a'] }), /partition needs a hash/)
    throws(() => partition({ partitions: 0 }), RangeError)
    throws(() => partition({ partitions: 2, holdEvents: 0 }), /holdEvents must be an integer, 1 or more/)
  })

  it('D39: a hash that names no partition, and a key that is no plain value, fail the producer', async () => {
    const named = from([1], { dispatcher: partition({ partitions: ['a'], hash: () => 'b' as 'a' }) })
    await rejects(
      (await connect(named, new Probe<number>().stage)).done,
      /hash must name one of the partitions a: found "b"/,
    )
    const keyed = from([{}], { dispatcher: partition<object>({ partitions: 2 }) })
    const probes = [new Probe<object>(), new Probe<object>()]
    await rejects(
      (
        await connect(
          keyed,
          probes.map((probe) => probe.stage),
        )
      ).done,
      /A key is a string, number/,
    )
    async function* later(): AsyncGenerator<number> {
      yield 1
    }
    const outside = from(later, { dispatcher: partition({ partitions: ['a'], hash: () => 'b' as 'a' }) })
    await rejects((await connect(outside, new Probe<number>().stage)).done, /hash must name one of the partitions/)
  })
})

describe('other dispatchers between stages', () => {
  it('D36: fair gives a burst to all that are free', async () => {
    const probes = range(0, 4).map(() => new Probe<number>())
    const source = producer<number>({ dispatcher: fair() })
    for (const probe of probes) probe.subscribe(source)
    await atRest()
    source.emit(range(0, 400))
    await atRest()
    deepEqual(
      probes.map((probe) => probe.events.length),
      [100, 100, 100, 100],
    )
  })

  it('D37: priority leaves the spare consumer idle until the first is busy', async () => {
    const source = producer<number>({ dispatcher: priority() })
    const [spare, first] = [new Probe<number>(), new Probe<number>()]
    spare.subscribe(source, { maxDemand: 10 })
    first.subscribe(source, { demand: 'manual', priority: 1 })
    first.ask(2)
    await atRest()
    source.emit([1, 2, 3])
    await atRest()
    deepEqual([first.events, spare.events], [[1, 2], [3]])
    throws(() => new Probe<number>().subscribe(source, { priority: 0.5 }), RangeError)
  })

  it('D30: one consumer that is stuck does not keep the others from the rest', async () => {
    const stuck = consumer<number>({ onEvents: () => new Promise<void>(() => {}) })
    const probe = new Probe<number>()
    const source = from(range(0, 1000))

    subscribe(stuck, source, { maxDemand: 10 })
    probe.subscribe(source, { maxDemand: 10 })
    await probe.stage.done
    equal(probe.events.length, 990)
    stuck.cancel()
  })
})
