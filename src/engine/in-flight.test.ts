import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { batchOf } from '../connect/batch.ts'
import { flow } from '../flow/start-flow.ts'
import { consumer, producer } from '../stage/make.ts'
import { coreOf, link } from '../stage/subscribe.ts'
import { until } from '../testing/until.ts'
import { collect, run } from './collect.ts'
import { InFlight } from './in-flight.ts'
import { bytesOfSample } from './size.ts'

const MIB = 1024 * 1024
const windowOf = (inFlight: InFlight): number => inFlight.demand.maxDemand ?? 0

describe('InFlight', () => {
  it('L51: begins small, and grows where events are small', () => {
    const inFlight = new InFlight({ events: 4000, bytes: 16 * MIB })
    equal(windowOf(inFlight), 64)
    inFlight.meter()(batchOf([1, 2, 3]))
    deepEqual(inFlight.demand, { maxDemand: 4000, minDemand: 2000 })
  })

  it('L51: follows the largest events of all places, at once where they grow and later where they shrink', () => {
    const inFlight = new InFlight({ events: 4000, bytes: 16 * MIB })
    const [small, large] = [inFlight.counter(), inFlight.counter()]
    large(10, 10 * MIB)
    equal(windowOf(inFlight), 16)
    small(1000, 8000)
    equal(windowOf(inFlight), 16)
    for (let n = 0; n < 3; n += 1) large(1000, 8000)
    ok(windowOf(inFlight) < 64)
    for (let n = 0; n < 40; n += 1) large(1000, 8000)
    equal(windowOf(inFlight), 4000)
  })

  it('L51: never asks for less than one event, or for more than it may', () => {
    const inFlight = new InFlight({ events: 10, bytes: 1000 })
    equal(windowOf(inFlight), 10)
    inFlight.counter()(1, 1e9)
    deepEqual(inFlight.demand, { maxDemand: 1, minDemand: 0 })
  })

  it('changes the window of links at work', async () => {
    const inFlight = new InFlight({ events: 1000, bytes: MIB })
    const asked: number[] = []
    const source = producer<number>({ onDemand: (demand) => void asked.push(demand) })
    const taking = consumer<number>({ onEvents: () => {} })
    const watched = inFlight.watch(link(coreOf(taking), coreOf(source), inFlight.demand))
    watched.open()
    inFlight.counter()(100, 800)
    const sum = () => asked.reduce((sum, demand) => sum + demand, 0)
    await until(() => sum() >= 1000, 'the demand of a larger window')
    equal(sum(), 1000)
    taking.cancel()
  })

  it('is not troubled by a getter that throws', () => {
    const inFlight = new InFlight({ events: 1000, bytes: MIB })
    const event = Object.defineProperty({}, 'torn', {
      enumerable: true,
      get: () => {
        throw new Error('not yet')
      },
    })
    inFlight.meter()(batchOf([event]))
    equal(windowOf(inFlight), 64)
  })
})

describe('a flow of large events', () => {
  it('L51: has few of them under way while nobody takes them', async () => {
    let made = 0
    const large = function* (): Generator<Uint8Array> {
      for (made = 0; made < 400; made += 1) yield new Uint8Array(MIB)
    }
    let most = 0
    const into = async (): Promise<void> => {
      if (most > 0) return
      // Until no more are made.
      for (let turns = 0; turns < 20; turns += 1) {
        if (made > most) turns = 0
        most = made
        await setImmediate()
      }
    }
    const report = await run(
      flow(large).map((bytes) => bytes),
      { into, inFlight: { bytes: 8 * MIB } },
    )
    equal(report.events, 400)
    ok(most <= 256, `${most} were made`)
  })

  it('L51: takes its limits from the run', async () => {
    deepEqual(await collect(flow([1, 2, 3]), { inFlight: { events: 1 } }), [1, 2, 3])
    await rejects(collect(flow([1]), { inFlight: { bytes: 0 } }), { message: /bytes of inFlight/ })
  })
})

describe('bytesOfSample', () => {
  it('tells about how large values are, however many there are in each', () => {
    equal(bytesOfSample([]), 0)
    equal(bytesOfSample(['abcd']), 16)
    ok(bytesOfSample([new Uint8Array(5000)]) >= 5000)
    const large = new Map(Array.from({ length: 1e5 }, (_, n) => [n, 'x'.repeat(10)]))
    const bytes = bytesOfSample([large])
    ok(bytes > 3e6 && bytes < 8e6, `${bytes}`)
  })
})
