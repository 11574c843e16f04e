import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { atRest } from '../testing/manual-clock.ts'
import { Probe } from '../testing/probe.ts'
import { StrictChunk } from '../testing/strict-chunk.ts'
import { times } from '../testing/times.ts'
import { arrayOf, type Chunk } from './chunk.ts'
import type { StageCore } from './core.ts'
import type { DispatcherSpec } from './dispatcher.ts'
import { broadcast } from './dispatchers/broadcast.ts'
import { demand } from './dispatchers/demand.ts'
import { fair } from './dispatchers/fair.ts'
import { DROP, partition } from './dispatchers/partition.ts'
import { priority } from './dispatchers/priority.ts'
import type { SubscribeOptions } from './link.ts'
import { chunkStage, consumer, producer, producerConsumer, range } from './make.ts'
import type { WhenFull } from './out-buffer.ts'
import type { Consumer, Producer } from './stage.ts'
import { subscribe } from './subscribe.ts'

/** How events travel: as arrays, or as chunks that are not. */
type Made = (events: readonly number[]) => Chunk<number>
const AS_ARRAYS: Made = (events) => events
const AS_CHUNKS: Made = (events) => new StrictChunk(events)

/** A consumer that uses chunks and keeps what came, with the marks between. */
class Keeper {
  readonly stage: StageCore
  readonly line: (number | string)[] = []
  /** Whether what came was no array, each time. */
  readonly wasStrict: boolean[] = []
  readonly sizes: number[] = []

  constructor() {
    this.stage = chunkStage('consumer', {
      onEvents: (events: Chunk<unknown>) => {
        this.wasStrict.push(events instanceof StrictChunk)
        this.sizes.push(events.length)
        this.line.push(...(StrictChunk.eventsOf(events) as number[]))
      },
      onWatermark: (time) => void this.line.push(`watermark ${time}`),
      onBarrier: (epoch) => void this.line.push(`barrier ${epoch}`),
    })
  }
}

function tie(below: unknown, above: unknown, options: SubscribeOptions = {}) {
  return subscribe(below as Consumer<unknown>, above as Producer<unknown>, options)
}

/** Dispatchers that give each consumer the same, in whatever pieces events come. */
const SHARINGS = {
  demand: { seats: 1, make: () => demand() },
  broadcast: { seats: 3, make: () => broadcast() },
  'choosy broadcast': {
    seats: 3,
    make: () => broadcast(),
    options: (seat: number) => ({ selector: (event: number) => event % 3 !== seat }),
  },
  partition: {
    seats: 3,
    make: () =>
      partition<number>({ partitions: 3, hash: (event) => (event % 4 === 3 ? DROP : event % 4), holdEvents: 4 }),
  },
  priority: { seats: 3, make: () => priority(), options: (seat: number) => ({ priority: seat }) },
  fair: { seats: 3, make: () => fair() },
} as const satisfies Record<
  string,
  { seats: number; make: () => unknown; options?: (seat: number) => SubscribeOptions }
>

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ emit: fc.nat(7) }) },
    { weight: 4, arbitrary: fc.record({ ask: fc.nat(6), seat: fc.nat(2) }) },
    fc.constantFrom('watermark' as const, 'barrier' as const, 'pause' as const, 'resume' as const),
  ),
  { maxLength: 30 },
)

describe('chunks that are not arrays', () => {
  for (const [name, sharing] of Object.entries(SHARINGS)) {
    it(`D140 D141: ${name} gives the same events to the same consumers, with the same marks between`, async () => {
      const policies = fc.constantFrom<WhenFull[]>('keep-last', 'keep-first')
      await fc.assert(
        fc.asyncProperty(steps, policies, fc.nat(12), async (script, whenFull, bufferSize) => {
          const play = async (made: Made) => {
            const dispatcher = sharing.make() as unknown as DispatcherSpec<unknown, never>
            // Told at once of arrays that were merged, one after the other of chunks that were not.
            let discarded = 0
            const onDiscard = (events: number): void => {
              discarded += events
            }
            const source = chunkStage('producer', { dispatcher, whenFull, bufferSize, onDiscard })
            const keepers = range(0, sharing.seats).map(() => new Keeper())
            const links = keepers.map(({ stage }, seat) => {
              const own = 'options' in sharing ? (sharing.options(seat) as SubscribeOptions) : {}
              return tie(stage, source, { demand: 'manual', ...own })
            })
            let next = 0
            for (const step of script) {
              if (step === 'watermark') source.watermark(next)
              else if (step === 'barrier') source.barrier(next)
              else if (step === 'pause') source.pause()
              else if (step === 'resume') source.resume()
              else if ('emit' in step) {
                source.emit(made(range(next, next + step.emit)))
                next += step.emit
              } else links[step.seat % links.length]?.ask(step.ask)
              await atRest()
            }
            source.resume()
            await atRest()
            const { buffered, emitted } = source.stats()
            for (const { wasStrict } of keepers) ok(wasStrict.every((was) => was === (made === AS_CHUNKS)))
            source.cancel()
            return { lines: keepers.map(({ line }) => line), discarded, buffered, emitted }
          }
          deepEqual(await play(AS_CHUNKS), await play(AS_ARRAYS))
        }),
        { numRuns: times(60) },
      )
    })
  }

  it('D140: go through stages and windows of any size in the order of events and marks, and stay what they are', async () => {
    const window = fc.integer({ min: 1, max: 9 }).chain((maxDemand) => {
      return fc.record({ maxDemand: fc.constant(maxDemand), minDemand: fc.nat(maxDemand - 1) })
    })
    const emits = fc.array(fc.nat(12), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(emits, window, window, async (sizes, upper, lower) => {
        const source = chunkStage('producer', { whenFull: 'fail' })
        const middle = chunkStage('producer-consumer', {
          onEvents: (events: Chunk<unknown>) => (events.length % 2 === 0 ? events : events.slice(0, events.length)),
        })
        const keeper = new Keeper()
        tie(keeper.stage, middle, lower)
        tie(middle, source, upper)
        const expected: (number | string)[] = []
        let next = 0
        for (const [index, size] of sizes.entries()) {
          const events = range(next, next + size)
          next += size
          source.emit(AS_CHUNKS(events))
          source.barrier(index)
          expected.push(...events, `barrier ${index}`)
        }
        source.complete()
        await keeper.stage.done
        deepEqual(keeper.line, expected)
        ok(keeper.wasStrict.every((was) => was))
        ok(keeper.sizes.every((size) => size > 0 && size <= lower.maxDemand - lower.minDemand))
      }),
      { numRuns: times(60) },
    )
  })

  it('D142: hooks of other stages get arrays', async () => {
    const source = chunkStage('producer', {})
    const middle = producerConsumer<number, number>({ onEvents: (events) => events.map((n) => n * 2) })
    const probe = new Probe<number>()
    const arrays: boolean[] = []
    const plain = consumer<number>({ onEvents: (events) => void arrays.push(Array.isArray(events)) })
    probe.subscribe(middle)
    tie(middle, source)
    tie(plain, source)
    await atRest()
    for (const from of [0, 1000, 2000]) source.emit(AS_CHUNKS(range(from, from + 1000)))
    source.complete()
    await Promise.all([probe.stage.done, plain.done])
    ok(probe.events.length > 0 && arrays.length > 0 && arrays.every((is) => is))
    deepEqual(
      probe.events,
      probe.events.map(Number).sort((a, b) => a - b),
    )
  })

  it('D142: may be given by a hook that uses chunks, at once or later, and as the last events', async () => {
    const middle = chunkStage('producer-consumer', {
      onEvents: async (events: Chunk<unknown>) => events.slice(0, 1),
      onComplete: () => AS_CHUNKS([99]),
    })
    let next = 0
    const source = chunkStage('producer', {
      onDemand: (events: number, self) => {
        if (next >= 20) self.complete()
        next += events
        return AS_CHUNKS(range(next - events, next))
      },
    })
    const keeper = new Keeper()
    tie(keeper.stage, middle)
    tie(middle, source, { maxDemand: 10, minDemand: 0 })
    await keeper.stage.done
    deepEqual(keeper.line, [0, 10, 20, 99])
    ok(keeper.wasStrict.every((was) => was))
  })

  it('D142: are refused where a stage that does not use chunks gives them', async () => {
    const emitter = producer<number>({})
    throws(() => emitter.emit(AS_CHUNKS([1]) as never), /emit takes an array of events: found StrictChunk/)
    const giver = producer<number>({ onDemand: () => AS_CHUNKS([1]) as never })
    const keeper = new Keeper()
    tie(keeper.stage, giver)
    await rejects(keeper.stage.done)
    await rejects(giver.done, /onDemand of producer must return an array: found StrictChunk/)
    const user = chunkStage('producer', {})
    throws(() => user.emit('abc' as never), /emit takes an array of events: found "abc"/)
  })

  it('D141: without select they are shared out as arrays', async () => {
    class Bare implements Chunk<number> {
      readonly length = 4
      at(index: number): number {
        return index
      }
      slice(from: number, to?: number): Chunk<number> {
        return range(0, 4).slice(from, to)
      }
    }
    const source = chunkStage('producer', { dispatcher: fair() as DispatcherSpec<unknown, never> })
    const keepers = [new Keeper(), new Keeper()]
    for (const { stage } of keepers) tie(stage, source)
    await atRest()
    source.emit(new Bare())
    await atRest()
    deepEqual(
      keepers.map(({ line }) => line),
      [
        [0, 2],
        [1, 3],
      ],
    )
    equal(arrayOf(new Bare()).length, 4)
    source.cancel()
  })
})
