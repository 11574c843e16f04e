import { deepEqual, equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { atRest } from '../testing/manual-clock.ts'
import { RandomScheduler } from '../testing/random-scheduler.ts'
import { times } from '../testing/times.ts'
import { arrayOf } from './chunk.ts'
import { start } from './connect.ts'
import type { Dispatcher, DispatcherSpec } from './dispatcher.ts'
import { broadcast } from './dispatchers/broadcast.ts'
import { demand } from './dispatchers/demand.ts'
import { fair } from './dispatchers/fair.ts'
import { partition } from './dispatchers/partition.ts'
import type { Resumable } from './drawing.ts'
import type { Subscription } from './link.ts'
import { consumer, producer, producerConsumer } from './make.ts'
import type { Run } from './run.ts'
import type { Scheduler } from './scheduler.ts'
import type { Consumer, Producer, ProducerConsumer } from './stage.ts'
import { coreOf } from './subscribe.ts'

/** What a stage in the middle makes of an event; `draw` as a generator does, `wait` asynchronously, `resume` put off. */
type Op = 'pass' | 'filter' | 'twice' | 'draw' | 'wait' | 'resume'
type Sharing = 'demand' | 'fair' | 'partition' | 'broadcast'

interface Layer {
  readonly op: Op
  readonly size: number
  readonly sharing: Sharing
}

interface Graph {
  readonly seed: number
  readonly sources: readonly { readonly events: number; readonly perDemand: number }[]
  readonly sharing: Sharing
  readonly layers: readonly Layer[]
  readonly sinks: readonly { readonly isSlow: boolean }[]
  readonly maxDemand: number
  readonly minDemand: number
  /** Events of each source between two barriers. */
  readonly perEpoch: number
}

const sharings = fc.constantFrom<Sharing[]>('demand', 'fair', 'partition', 'broadcast')
const graphs: fc.Arbitrary<Graph> = fc
  .record({
    seed: fc.integer(),
    sources: fc.array(fc.record({ events: fc.nat(60), perDemand: fc.integer({ min: 1, max: 9 }) }), {
      minLength: 1,
      maxLength: 3,
    }),
    sharing: sharings,
    layers: fc.array(
      fc.record({
        op: fc.constantFrom<Op[]>('pass', 'filter', 'twice', 'draw', 'wait', 'resume'),
        size: fc.integer({ min: 1, max: 3 }),
        sharing: sharings,
      }),
      { maxLength: 3 },
    ),
    sinks: fc.array(fc.record({ isSlow: fc.boolean() }), { minLength: 1, maxLength: 3 }),
    maxDemand: fc.integer({ min: 1, max: 12 }),
    minDemand: fc.nat(11),
    perEpoch: fc.integer({ min: 1, max: 20 }),
  })
  .map((graph) => ({ ...graph, minDemand: Math.min(graph.minDemand, graph.maxDemand - 1) }))

/** An event says where it is from, and which one it is there. */
const eventOf = (source: number, n: number): number => source * 1000 + n
const epochOf = (event: number, perEpoch: number): number => Math.floor((event % 1000) / perEpoch) + 1

/** A graph at work, and everything that went over its links. */
class Workshop {
  readonly run: Run
  readonly sinks: Consumer<number>[]
  readonly sources: Producer<number>[]
  /** Sink → what it got. */
  readonly got: number[][]
  /** What happened against the rules: nothing. */
  readonly faults: string[] = []
  readonly #graph: Graph
  readonly #sent = new Map<unknown, { asked: number; events: number[] }>()
  readonly #handled = new Map<Subscription, number[]>()
  readonly #scheduler: Scheduler

  constructor(graph: Graph) {
    this.#graph = graph
    this.#scheduler = new RandomScheduler({ seed: graph.seed })
    const sizes = [...graph.layers.map((layer) => layer.size), graph.sinks.length]
    this.sources = graph.sources.map((_, index) => this.#source(index, sizes[0] ?? 1))
    const middle = graph.layers.map((layer, index) =>
      Array.from({ length: layer.size }, () => this.#middle(layer, sizes[index + 1] ?? 1)),
    )
    this.got = graph.sinks.map(() => [])
    this.sinks = graph.sinks.map((_, index) => this.#sink(index))
    const layers = [this.sources, ...middle, this.sinks].map((stages) => stages.map(coreOf))
    this.run = start(layers, { maxDemand: graph.maxDemand, minDemand: graph.minDemand })
  }

  /** Whether every link carried to its consumer's handler what was sent over it, in order. */
  checkLinks(): void {
    for (const [link, handled] of this.#handled) deepEqual(handled, this.#sent.get(link)?.events)
  }

  /** Whether every link's consumer handled the first of what was sent over it, in order. */
  checkPrefixes(): void {
    for (const [link, handled] of this.#handled) {
      deepEqual(handled, this.#sent.get(link)?.events.slice(0, handled.length))
    }
  }

  #source(index: number, below: number): Producer<number> {
    const { events, perDemand } = this.#graph.sources[index] ?? { events: 0, perDemand: 1 }
    const { perEpoch } = this.#graph
    const epochs = Math.max(...this.#graph.sources.map((source) => epochOf(source.events, perEpoch)))
    let next = 0
    let epoch = 0
    let owed = 0
    const give = (self: Producer<number>, most: number): void => {
      for (let given = 0; given < most && owed > 0 && next < events; given += 1, next += 1, owed -= 1) {
        while (epoch < epochOf(next, perEpoch) - 1) self.barrier(++epoch)
        self.emit([eventOf(index, next)])
      }
      if (next < events) return
      while (epoch < epochs) self.barrier(++epoch)
      self.complete()
    }
    return producer<number>({
      name: `source ${index}`,
      scheduler: this.#scheduler,
      dispatcher: this.#watched(this.#graph.sharing, below),
      onDemand: (demand, self) => {
        owed += demand
        give(self, perDemand)
        // What it owes it gives later, of its own accord.
        const later = async (): Promise<void> => {
          while (owed > 0 && next < events) {
            await Promise.resolve()
            give(self, perDemand)
          }
        }
        void later()
      },
    })
  }

  #middle({ op, sharing }: Layer, below: number): ProducerConsumer<number, number> {
    return producerConsumer<number, number>({
      name: op,
      scheduler: this.#scheduler,
      dispatcher: this.#watched(sharing, below),
      onEvents: (events, from, self) => {
        this.#handle(from, events)
        if (op === 'pass') return events
        if (op === 'filter') return events.filter((event) => event % 2 === 0)
        if (op === 'twice') return events.flatMap((event) => [event, event])
        if (op === 'draw') return events.values()
        if (op === 'resume') return putOff(events, self)
        return Promise.resolve().then(() => events)
      },
    })
  }

  #sink(index: number): Consumer<number> {
    let epoch = 0
    const { perEpoch, sinks } = this.#graph
    return consumer<number>({
      name: `sink ${index}`,
      scheduler: this.#scheduler,
      onBarrier: (barrier) => {
        if (barrier !== epoch + 1) this.faults.push(`barrier ${barrier} after ${epoch}`)
        epoch = barrier
      },
      onEvents: async (events, from) => {
        this.#handle(from, events)
        for (const event of events) {
          if (epochOf(event, perEpoch) !== epoch + 1) this.faults.push(`event ${event} after barrier ${epoch}`)
        }
        this.got[index]?.push(...events)
        if (sinks[index]?.isSlow === true) for (let n = 0; n < 5; n += 1) await Promise.resolve()
      },
    })
  }

  #handle(from: Subscription, events: readonly number[]): void {
    const handled = this.#handled.get(from) ?? []
    handled.push(...events)
    this.#handled.set(from, handled)
  }

  /** A dispatcher that is watched: what is asked and sent on every link. */
  #watched(sharing: Sharing, below: number): DispatcherSpec<number> {
    const spec = dispatcherOf(sharing, below)
    const make = <C>(): Dispatcher<number, C> => {
      const inner = spec.make<C>()
      const of = (consumer: C) => {
        const link = this.#sent.get(consumer) ?? { asked: 0, events: [] }
        this.#sent.set(consumer, link)
        return link
      }
      return {
        subscribe: (consumer, options) => inner.subscribe(consumer, options),
        cancel: (consumer) => inner.cancel(consumer),
        wanted: () => inner.wanted(),
        held: () => inner.held(),
        mark: (mark, deliver) => inner.mark(mark, deliver),
        ask: (consumer, events, deliver) => {
          of(consumer).asked += events
          inner.ask(consumer, events, watch(deliver))
        },
        dispatch: (events, deliver) => inner.dispatch(events, watch(deliver)),
      }
      function watch(deliver: Parameters<Dispatcher<number, C>['dispatch']>[1]): typeof deliver {
        return {
          mark: deliver.mark,
          events: (consumer, events) => {
            const link = of(consumer)
            link.events.push(...arrayOf(events))
            ok(link.events.length <= link.asked, 'D1: more was sent than was asked for')
            deliver.events(consumer, events)
          },
        }
      }
    }
    return { kind: spec.kind, check: spec.check as (options: unknown) => void, make }
  }
}

function dispatcherOf(sharing: Sharing, below: number): DispatcherSpec<number> {
  if (sharing === 'fair') return fair()
  if (sharing === 'broadcast') return broadcast<number>() as DispatcherSpec<number>
  if (sharing === 'partition') return partition<number>({ partitions: below, holdEvents: 5 }) as DispatcherSpec<number>
  return demand()
}

/** Gives the events one by one, every other one after a wait. */
function putOff(events: readonly number[], self: Producer<number>): Resumable {
  let next = 0
  const give = (): boolean => {
    self.emit(events.slice(next, next + 1))
    next += 1
    return next < events.length
  }
  return {
    resume: () => (next % 2 === 0 ? give() : Promise.resolve().then(give)),
    drop: () => {},
  }
}

/** What must come out at all sinks together, however it is shared out. */
function expected({ sources, sharing, layers, sinks }: Graph): number[] {
  let events = sources.flatMap(({ events }, index) => Array.from({ length: events }, (_, n) => eventOf(index, n)))
  const sizes = [...layers.map((layer) => layer.size), sinks.length]
  const copies = (how: Sharing, below: number) => (how === 'broadcast' ? below : 1)
  const repeated = (count: number) => events.flatMap((event) => Array.from({ length: count }, () => event))
  events = repeated(copies(sharing, sizes[0] ?? 1))
  for (const [index, layer] of layers.entries()) {
    if (layer.op === 'filter') events = events.filter((event) => event % 2 === 0)
    if (layer.op === 'twice') events = repeated(2)
    events = repeated(copies(layer.sharing, sizes[index + 1] ?? 1))
  }
  return events.sort((a, b) => a - b)
}

/** A partition waits for who takes its place: nobody does here. */
function withoutPartitions(graph: Graph): Graph {
  const other = (sharing: Sharing): Sharing => (sharing === 'partition' ? 'fair' : sharing)
  const layers = graph.layers.map((layer) => ({ ...layer, sharing: other(layer.sharing) }))
  return { ...graph, sharing: other(graph.sharing), layers }
}

const RUNS = { numRuns: times(300) }

describe('any graph of stages, whatever the order in which they run', () => {
  it('D1 D3 D30 D55 D57 D65: loses nothing, doubles nothing, keeps every order and every barrier, and ends', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, async (graph) => {
        const shop = new Workshop(graph)
        await atRest()
        deepEqual(
          shop.run.stages.filter((stage) => stage.ending?.kind !== 'completed').map((stage) => stage.name),
          [],
          'nobody is stuck',
        )
        await shop.run.done
        deepEqual(shop.faults, [])
        deepEqual(
          shop.got.flat().sort((a, b) => a - b),
          expected(graph),
        )
        shop.checkLinks()
        for (const { waiting, buffered, surplus } of shop.run.stats())
          deepEqual([waiting, buffered, surplus], [0, 0, 0])
      }),
      RUNS,
    )
  })

  it('D14 D71: goes on without consumers that leave, and ends when all have', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.nat(200), fc.nat(2), async (graph, after, who) => {
        const shop = new Workshop(withoutPartitions(graph))
        for (let turns = 0; turns < after; turns += 1) await Promise.resolve()
        shop.sinks[who % shop.sinks.length]?.cancel()
        await atRest()
        deepEqual(
          shop.run.stages.filter((stage) => stage.ending === undefined).map((stage) => stage.name),
          [],
          'nobody is stuck',
        )
        await shop.run.done
        deepEqual(shop.faults, [])
        shop.checkPrefixes()
      }),
      RUNS,
    )
  })

  it('D69: ends as a whole, with the very error, when any stage fails at any time', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.nat(200), fc.nat(9), async (graph, after, who) => {
        const broken = new Error('broken')
        const shop = new Workshop(graph)
        const outcome = shop.run.done.then(
          () => undefined,
          (error: unknown) => error,
        )
        for (let turns = 0; turns < after; turns += 1) await Promise.resolve()
        const stage = shop.run.stages[who % shop.run.stages.length]
        const wasOver = stage?.ending !== undefined
        stage?.fail(broken)
        await atRest()
        ok(shop.run.stages.every((one) => one.ending !== undefined))
        equal(await outcome, wasOver ? undefined : broken)
        shop.checkPrefixes()
      }),
      RUNS,
    )
  })

  it('D87: draining lets through everything that the sources gave', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.nat(100), async (graph, after) => {
        const shop = new Workshop(graph)
        for (let turns = 0; turns < after; turns += 1) await Promise.resolve()
        await shop.run.drain()
        shop.checkLinks()
        equal(
          shop.run.stats().reduce((sum, stats) => sum + stats.discarded, 0),
          0,
        )
      }),
      RUNS,
    )
  })
})
