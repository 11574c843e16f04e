import { deepEqual, equal, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { atRest } from '../testing/manual-clock.ts'
import { Probe } from '../testing/probe.ts'
import { fair } from './dispatchers/fair.ts'
import { partition } from './dispatchers/partition.ts'
import { producer, producerConsumer } from './make.ts'
import { subscribe } from './subscribe.ts'

/** Two producers of one probe. */
async function two(): Promise<
  [ReturnType<typeof producer<string>>, ReturnType<typeof producer<string>>, Probe<string>]
> {
  const [a, b, probe] = [producer<string>({}), producer<string>({}), new Probe<string>()]
  probe.subscribe(a)
  probe.subscribe(b)
  await atRest()
  return [a, b, probe]
}

describe('marks', () => {
  it('D55: come to every consumer, behind what was given before and ahead of what was given after', async () => {
    const source = producer<number>({ dispatcher: fair() })
    const probes = [new Probe<number>(), new Probe<number>()]
    for (const probe of probes) probe.subscribe(source)
    await atRest()
    source.emit([1, 2])
    source.watermark(10)
    source.emit([3, 4])
    source.barrier(1)
    await atRest()
    deepEqual(
      probes.map((probe) => probe.line),
      [
        [1, 'watermark 10', 3, 'barrier 1'],
        [2, 'watermark 10', 4, 'barrier 1'],
      ],
    )
  })

  it('D55: cost no demand', async () => {
    const source = producer<number>({})
    const probe = new Probe<number>()
    probe.subscribe(source, { demand: 'manual' })
    await atRest()
    source.watermark(1)
    source.barrier(1)
    await atRest()
    deepEqual(probe.line, ['watermark 1', 'barrier 1'])
  })

  it('D55: wait in a partition behind what is held there, and nowhere else', async () => {
    const source = producer<number>({ dispatcher: partition({ partitions: 2, hash: (n) => n % 2 }) })
    const [even, odd] = [new Probe<number>(), new Probe<number>()]
    even.subscribe(source, { partition: 0 })
    odd.subscribe(source, { partition: 1, demand: 'manual' })
    await atRest()
    source.emit([1, 2])
    source.watermark(5)
    source.emit([4])
    await atRest()
    deepEqual(even.line, [2, 'watermark 5', 4])
    deepEqual(odd.line, [])
    odd.ask(1)
    await atRest()
    deepEqual(odd.line, [1, 'watermark 5'])
  })

  it('D56: of several producers combine to the least watermark', async () => {
    const [a, b, probe] = await two()
    a.watermark(10)
    await atRest()
    deepEqual(probe.line, [])
    b.watermark(7)
    b.watermark(12)
    await atRest()
    deepEqual(probe.line, ['watermark 7', 'watermark 10'])
  })

  it('D57: a barrier waits for that of every producer; what comes behind it waits too, in its order', async () => {
    const [a, b, probe] = await two()
    a.emit(['a1'])
    a.barrier(1)
    a.emit(['a2'])
    a.watermark(99)
    a.barrier(2)
    a.emit(['a3'])
    await atRest()
    deepEqual(probe.line, ['a1'])
    b.emit(['b1'])
    b.watermark(5)
    b.barrier(1)
    b.emit(['b2'])
    await atRest()
    deepEqual(probe.line, ['a1', 'b1', 'barrier 1', 'a2', 'watermark 5', 'b2'])
    b.barrier(2)
    await atRest()
    deepEqual(probe.line.slice(6), ['barrier 2', 'a3'])
  })

  it('D57: an end behind a barrier waits for the barrier', async () => {
    const [a, b, probe] = await two()
    a.barrier(1)
    a.emit(['a1'])
    a.complete()
    await atRest()
    b.barrier(1)
    b.complete()
    await probe.stage.done
    deepEqual(probe.line, ['barrier 1', 'a1'])
  })

  it('D58: a producer that has ended, or that was given up, holds nobody up', async () => {
    const [a, b, probe] = await two()
    a.watermark(10)
    a.barrier(1)
    a.emit(['a1'])
    await atRest()
    deepEqual(probe.line, [])
    b.complete()
    await atRest()
    deepEqual(probe.line, ['watermark 10', 'barrier 1', 'a1'])
    const [c, d, other] = await two()
    c.barrier(1)
    c.emit(['c1'])
    await atRest()
    other.subscriptions[1]?.cancel()
    await atRest()
    deepEqual(other.line, ['barrier 1', 'c1'])
    for (const stage of [a, c, d]) stage.cancel()
  })

  it('D59: producers at different epochs fail the consumer', async () => {
    const [a, b, probe] = await two()
    a.barrier(1)
    b.barrier(2)
    await rejects(probe.stage.done, /Cannot align epoch 2: another producer is at the end of epoch 1/)
  })

  it('D55: the next thing waits for the hook of a mark', async () => {
    const log: string[] = []
    const source = producer<number>({})
    const middle = producerConsumer<number, number>({
      onEvents: (events) => {
        log.push(`events ${events}`)
        return events
      },
      onBarrier: async (epoch) => {
        await atRest()
        log.push(`barrier ${epoch}`)
      },
    })
    const probe = new Probe<number>()
    subscribe(middle, source)
    probe.subscribe(middle)
    await atRest()
    source.emit([1])
    source.barrier(1)
    source.emit([2])
    source.complete()
    await probe.stage.done
    deepEqual(log, ['events 1', 'barrier 1', 'events 2'])
    deepEqual(probe.line, [1, 'barrier 1', 2])
  })

  it('D55: what onEvents emitted comes before the barrier that follows', async () => {
    const source = producer<number>({})
    const middle = producerConsumer<number, number>({
      onEvents: (events, _from, self) => {
        self.emit(events.map((n) => n * 10))
        return events
      },
    })
    const probe = new Probe<number>()
    subscribe(middle, source)
    probe.subscribe(middle)
    await atRest()
    source.emit([1])
    source.barrier(1)
    await atRest()
    deepEqual(probe.line, [10, 1, 'barrier 1'])
    equal(middle.stats().emitted, 2)
  })
})
