import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../base/errors.ts'
import { atRest } from '../testing/manual-clock.ts'
import { Probe, REST, Scripted } from '../testing/probe.ts'
import { connect } from './connect.ts'
import { broadcast } from './dispatchers/broadcast.ts'
import { from } from './from.ts'
import { consumer, producer, producerConsumer, range } from './make.ts'
import type { Producer } from './stage.ts'
import { subscribe } from './subscribe.ts'
import { toIterable } from './to.ts'

/** Numbers from 0 on, as many as are wanted, with the demands that came. */
function counter(): { stage: Producer<number>; demands: number[] } {
  let next = 0
  const demands: number[] = []
  const stage = producer<number>({
    name: 'counter',
    onDemand: (demand) => {
      demands.push(demand)
      next += demand
      return range(next - demand, next)
    },
  })
  return { stage, demands }
}

describe('a producer', () => {
  it('D10: is asked for what is newly wanted, once for each ask: demands are not merged', async () => {
    const { stage, demands } = counter()
    const [a, b] = [new Probe<number>(), new Probe<number>()]
    a.subscribe(stage, { demand: 'manual' })
    b.subscribe(stage, { demand: 'manual' })
    a.ask(2)
    b.ask(2)
    await atRest()
    deepEqual(demands, [2, 2])
  })

  it('D10: is never asked for nothing', async () => {
    const { stage, demands } = counter()
    const probe = new Probe<number>()
    probe.subscribe(stage, { demand: 'manual' })
    probe.ask(0)
    await atRest()
    deepEqual(demands, [])
  })

  it('D11: owes what it gave less, is not asked for it again, and gives it later by emit', async () => {
    const demands: number[] = []
    const waiting = producer<number>({ onDemand: (demand) => void demands.push(demand) })
    const late = new Probe<number>()
    late.subscribe(waiting, { demand: 'manual' })
    late.ask(3)
    await atRest()
    waiting.emit([7])
    waiting.emit([8, 9])
    await atRest()
    deepEqual(late.events, [7, 8, 9])
    deepEqual(demands, [3])
  })

  it('D12: keeps what it gave too much, and serves the next asks from that before it is asked itself', async () => {
    const demands: number[] = []
    const source = producer<number>({
      onDemand: (demand) => {
        demands.push(demand)
        return demands.length === 1 ? range(0, 10) : []
      },
    })
    const probe = new Probe<number>()
    probe.subscribe(source, { demand: 'manual' })
    probe.ask(4)
    await atRest()
    deepEqual(probe.events, [0, 1, 2, 3])
    equal(source.stats().buffered, 6)
    probe.ask(4)
    await atRest()
    deepEqual(demands, [4])
    probe.ask(5)
    await atRest()
    deepEqual(probe.events, range(0, 10))
    deepEqual(demands, [4, 3])
  })

  it('D14: the demand of a consumer that left hides nothing from the next, however small it is', async () => {
    const source = producer<number>({})
    const gone = new Probe<number>()
    const subscription = gone.subscribe(source, { maxDemand: 1000 })
    await atRest()
    subscription.cancel()
    await atRest()
    source.emit([1, 2, 3])
    const next = new Probe<number>()
    next.subscribe(source, { maxDemand: 10 })
    await atRest()
    deepEqual(next.events, [1, 2, 3])
  })

  it('D14: what was sent to a consumer that left is lost, and its successor goes on behind it', async () => {
    const { stage, demands } = counter()
    const gone = new Probe<number>()
    const subscription = gone.subscribe(stage, { demand: 'manual' })
    gone.ask(3)
    await atRest()
    subscription.cancel()
    const next = new Probe<number>()
    next.subscribe(stage, { demand: 'manual' })
    next.ask(2)
    await atRest()
    deepEqual(next.events, [3, 4])
    deepEqual(demands, [3, 2])
  })

  it('D15: keeps what nobody has asked for up to bufferSize, the newest by default, and tells what it discards', async () => {
    const lost: number[] = []
    const source = producer<number>({ bufferSize: 3, onDiscard: (events) => void lost.push(events) })
    source.emit([1, 2])
    source.emit([3, 4, 5])
    const probe = new Probe<number>()
    probe.subscribe(source)
    await atRest()
    deepEqual(probe.events, [3, 4, 5])
    deepEqual(lost, [2])
    equal(source.stats().discarded, 2)
  })

  it('D15: keep-first keeps the oldest; bufferSize 0 keeps nothing, and who listens still gets all', async () => {
    const first = producer<number>({ bufferSize: 2, whenFull: 'keep-first', onDiscard: () => {} })
    first.emit([1, 2, 3])
    const none = producer<number>({ bufferSize: 0, onDiscard: () => {} })
    none.emit([1, 2, 3])
    const [a, b] = [new Probe<number>(), new Probe<number>()]
    a.subscribe(first)
    b.subscribe(none)
    await atRest()
    none.emit([4, 5])
    await atRest()
    deepEqual(a.events, [1, 2])
    deepEqual(b.events, [4, 5])
  })

  it('D15: fails with BUFFER_FULL where that is its policy', async () => {
    const source = producer<number>({ name: 'ticker', bufferSize: 2, whenFull: 'fail' })
    source.emit([1, 2])
    source.emit([3])
    await rejects(source.done, (error) => isSluiceError(error, 'BUFFER_FULL') && error.details.size === 2)
  })

  it('D15: warns once of what it discards, where nobody wants to hear of each', async () => {
    const warnings: string[] = []
    const listen = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', listen)
    const source = producer<number>({ name: 'chatty', bufferSize: 1 })
    for (const n of range(0, 100)) source.emit([n])
    await atRest()
    process.off('warning', listen)
    equal(warnings.filter((message) => message.startsWith('Stage chatty discards events')).length, 1)
  })

  it('D13: events that a dispatcher drops outside a hook are asked for again', async () => {
    async function* slowly(): AsyncGenerator<number> {
      for (const n of range(0, 20)) {
        await new Promise((resolve) => setImmediate(resolve))
        yield n
      }
    }
    const odd = { selector: (event: never) => event % 2 === 1 }
    const probe = new Probe<number>()
    probe.subscribe(from(slowly, { dispatcher: broadcast() }), { maxDemand: 1, ...odd })
    await probe.stage.done
    deepEqual(probe.events, [1, 3, 5, 7, 9, 11, 13, 15, 17, 19])
  })

  it('D10: gives what an asynchronous hook gives later, and is not asked meanwhile', async () => {
    const gate = Promise.withResolvers<number[]>()
    const demands: number[] = []
    const source = producer<number>({
      onDemand: (demand) => {
        demands.push(demand)
        return demands.length === 1 ? gate.promise : []
      },
    })
    const [a, b] = [new Probe<number>(), new Probe<number>()]
    a.subscribe(source, { demand: 'manual' })
    b.subscribe(source, { demand: 'manual' })
    a.ask(2)
    b.ask(1)
    await atRest()
    deepEqual(demands, [2])
    gate.resolve([1, 2])
    await atRest()
    deepEqual(a.events, [1, 2])
    deepEqual(demands, [2, 1])
  })

  it('D132: is asked for nothing more once it was told to complete, also for asks that have come already', async () => {
    const demands: number[] = []
    const source = producer<number>({
      onDemand: (demand, self) => {
        demands.push(demand)
        self.complete()
        deepEqual(self.stats().state, 'ending')
        return range(0, demand)
      },
    })
    const probes = [new Probe<number>(), new Probe<number>()]
    for (const probe of probes) probe.subscribe(source, { maxDemand: 2 })
    await source.done
    deepEqual(demands, [2])
    deepEqual(
      probes.flatMap((probe) => probe.events),
      [0, 1],
    )
  })

  it('D73: gives nothing behind its end', async () => {
    const source = producer<number>({})
    const probe = new Probe<number>()
    probe.subscribe(source)
    source.emit([1])
    source.complete()
    await source.done
    source.emit([2])
    source.watermark(3)
    await probe.stage.done
    deepEqual(probe.line, [1])
  })

  it('D20: refuses what is no array of events, and marks that are no numbers', async () => {
    const source = producer<number>({ onDemand: () => 'abc' as never })
    throws(() => source.emit('abc' as never), /emit takes an array of events: found "abc"/)
    throws(() => source.watermark(Number.NaN), /watermark must be a time, as a number: found NaN/)
    throws(() => source.barrier(1.5), RangeError)
    const probe = new Probe<number>()
    probe.subscribe(source)
    await rejects(probe.stage.done, /onDemand of producer must return an array: found "abc"/)
  })

  it('D20: refuses options that it does not have, and values out of bounds', () => {
    throws(() => producer({ onDemmand: () => [] } as never), /producer has no option onDemmand/)
    throws(() => producer({ bufferSize: -1 }), /bufferSize must be an integer, 0 or more: found -1/)
    throws(() => producer({ whenFull: 'drop' as never }), /whenFull must be one of/)
    throws(() => producer({ dispatcher: 'demand' as never }), /dispatcher must be made by demand\(\), broadcast\(\)/)
    throws(() => producer({ onDemand: 3 as never }), /onDemand of a producer must be a function: found 3/)
    throws(() => consumer({} as never), /onEvents of a consumer must be a function: found undefined/)
  })

  it('D20: takes its hooks from an instance of a class, with their this', async () => {
    class Countdown {
      readonly #from = 3
      #given = 0
      onDemand(demand: number, self: Producer<number>): number[] {
        const events = range(this.#given, Math.min(this.#given + demand, this.#from))
        this.#given += events.length
        if (this.#given === this.#from) self.complete()
        return events
      }
    }
    deepEqual(await Array.fromAsync(toIterable(producer<number>(new Countdown()))), [0, 1, 2])
  })
})

describe('a producer-consumer', () => {
  it('D17: asks before anybody asks it, and handles nothing until somebody does', async () => {
    const { stage, demands } = counter()
    const handled: number[] = []
    const middle = producerConsumer<number, number>({
      onEvents: (events) => {
        handled.push(...events)
        return events
      },
    })
    subscribe(middle, stage, { maxDemand: 10, minDemand: 5 })
    await atRest()
    deepEqual(demands, [10])
    deepEqual(handled, [])
    const probe = new Probe<number>()
    probe.subscribe(middle, { demand: 'manual' })
    probe.ask(1)
    await atRest()
    deepEqual(handled, range(0, 5))
    deepEqual(probe.events, [0])
  })

  it('D17: stops after what it has in hand when its consumers stop asking', async () => {
    const { stage, demands } = counter()
    const middle = producerConsumer<number, number>({ onEvents: (events) => events })
    subscribe(middle, stage, { maxDemand: 4, minDemand: 2 })
    const probe = new Probe<number>()
    probe.subscribe(middle, { demand: 'manual' })
    probe.ask(3)
    await atRest()
    deepEqual(probe.events, [0, 1, 2])
    deepEqual(demands, [4, 2, 2])
    equal(middle.stats().buffered, 1)
  })

  it('D18: keeps what one call made beyond demand, whatever its bufferSize, and calls again when that is out', async () => {
    const calls: number[][] = []
    const { stage } = counter()
    const tenfold = producerConsumer<number, number>({
      bufferSize: 1,
      onEvents: (events) => {
        calls.push([...events])
        return events.flatMap((n) => range(n * 10, n * 10 + 10))
      },
    })
    subscribe(tenfold, stage, { maxDemand: 2 })
    const probe = new Probe<number>()
    probe.subscribe(tenfold, { demand: 'manual' })
    probe.ask(3)
    await atRest()
    probe.ask(7)
    await atRest()
    deepEqual(calls, [[0]])
    probe.ask(1)
    await atRest()
    deepEqual(calls, [[0], [1]])
    deepEqual(probe.events, range(0, 11))
  })

  it('D18: draws from a generator no further than demand reaches', async () => {
    let drawn = 0
    const endless = producerConsumer<string, number>({
      *onEvents() {
        for (;;) yield drawn++
      },
    })
    const probe = new Probe<number>()
    probe.subscribe(endless, { demand: 'manual' })
    const source = new Scripted(['go', REST, 'never'])
    subscribe(endless, source.stage, { maxDemand: 2 })
    probe.ask(3)
    await atRest()
    deepEqual(probe.events, [0, 1, 2])
    equal(drawn, 3)
    probe.ask(2)
    await atRest()
    equal(drawn, 5)
  })

  it('D18: counts what a generator was made of as handled when it has come to its end', async () => {
    const { stage, demands } = counter()
    const twice = producerConsumer<number, number>({
      *onEvents(events) {
        for (const n of events) yield* [n, n]
      },
    })
    subscribe(twice, stage, { maxDemand: 2, minDemand: 0 })
    const probe = new Probe<number>()
    probe.subscribe(twice, { demand: 'manual' })
    probe.ask(4)
    await atRest()
    deepEqual(demands, [2])
    probe.ask(1)
    await atRest()
    deepEqual(demands, [2, 2])
    deepEqual(probe.events, [0, 0, 1, 1, 2])
  })

  it('D19: goes on asking though it lets nothing through', async () => {
    const seldom = producerConsumer<number, number>({ onEvents: (events) => events.filter((n) => n % 100 === 99) })
    const probe = new Probe<number>()
    const run = await connect(range(0, 1000), seldom, probe.stage, { maxDemand: 7 })
    await run.done
    deepEqual(
      probe.events,
      range(0, 10).map((n) => n * 100 + 99),
    )
  })

  it('D134: is handed no more than its consumers want, though it emits later', async () => {
    let pulled = 0
    const counting = function* (): Generator<number> {
      for (;;) yield pulled++
    }
    const held: number[][] = []
    const later = producerConsumer<number, number>({ onEvents: (events) => void held.push([...events]) })
    const probe = new Probe<number>()
    probe.subscribe(later, { demand: 'manual' })
    const source = from(counting())
    subscribe(later, source, { maxDemand: 10 })
    probe.ask(10)
    await atRest()
    deepEqual([held.flat(), pulled], [range(0, 10), 20])
    for (const events of held.splice(0)) later.emit(events)
    await atRest()
    deepEqual(probe.events, range(0, 10))
    probe.ask(10)
    await atRest()
    for (const events of held.splice(0)) later.emit(events)
    await atRest()
    deepEqual([probe.events, later.ending], [range(0, 20), undefined])
    later.cancel()
    await later.done
  })

  it('D134: one that emits in its own call may let events through or not', async () => {
    const seldom = producerConsumer<number, number>({
      onEvents: (events, _from, self) => self.emit(events.filter((n) => n % 100 < 10)),
    })
    const probe = new Probe<number>()
    await (await connect(range(0, 300), seldom, probe.stage, { maxDemand: 7 })).done
    equal(probe.events.length, 30)
  })

  it('D20: fails where its hook gives what cannot be iterated', async () => {
    const wrong = producerConsumer<number, number>({ name: 'wrong', onEvents: () => 7 as never })
    const probe = new Probe<number>()
    await rejects(
      (await connect([1], wrong, probe.stage)).done,
      /onEvents of wrong must return an array or an iterator: found 7/,
    )
  })

  it('D16: passes marks on in their places, behind what waits', async () => {
    const source = producer<number>({})
    const middle = producerConsumer<number, number>({ onEvents: (events) => events.flatMap((n) => [n, n]) })
    const probe = new Probe<number>()
    probe.subscribe(middle, { demand: 'manual' })
    subscribe(middle, source)
    source.emit([1])
    source.watermark(10)
    source.barrier(1)
    source.emit([2])
    source.watermark(20)
    probe.ask(1)
    await atRest()
    deepEqual(probe.line, [1])
    probe.ask(2)
    await atRest()
    deepEqual(probe.line, [1, 1, 'watermark 10', 'barrier 1', 2])
    probe.ask(10)
    await atRest()
    deepEqual(probe.line, [1, 1, 'watermark 10', 'barrier 1', 2, 2, 'watermark 20'])
  })
})
