import { deepEqual, equal, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../base/errors.ts'
import { atRest } from '../testing/manual-clock.ts'
import { Probe } from '../testing/probe.ts'
import { broadcast } from './dispatchers/broadcast.ts'
import { producer, producerConsumer, range } from './make.ts'
import type { Producer } from './stage.ts'
import { subscribe } from './subscribe.ts'

/** Numbers from 0 on as they are asked for, held back at first, with the demands that came. */
function held(): { stage: Producer<number | string>; demands: number[] } {
  let next = 0
  const demands: number[] = []
  const stage = producer<number | string>({
    demand: 'accumulate',
    onDemand: (demand) => {
      demands.push(demand)
      next += demand
      return range(next - demand, next)
    },
  })
  return { stage, demands }
}

describe('a paused producer', () => {
  it('D50: replays demand and events in the order in which they came', async () => {
    const { stage, demands } = held()
    const batches: (readonly (number | string)[])[] = []
    const gate = Promise.withResolvers<void>()
    const probe = new Probe<number | string>({
      onEvents: (events) => {
        batches.push(events)
        return batches.length === 4 ? gate.promise : undefined
      },
    })
    probe.subscribe(stage, { maxDemand: 2, minDemand: 0 })
    await atRest()
    stage.emit(['x', 'y', 'z'])
    await atRest()
    deepEqual([batches, demands], [[], []])
    stage.resume()
    await atRest()
    deepEqual(batches, [[0, 1], ['x', 'y'], ['z'], [2]])
    deepEqual(demands, [2, 1])
    stage.cancel()
    gate.resolve()
  })

  it('D50: what comes while the replay is under way queues up behind', async () => {
    const stage = producer<number>({ demand: 'accumulate' })
    const probe = new Probe<number>()
    probe.subscribe(stage)
    await atRest()
    stage.emit([1])
    stage.watermark(1)
    stage.resume()
    stage.emit([2])
    stage.watermark(2)
    await atRest()
    deepEqual(probe.line, [1, 'watermark 1', 2, 'watermark 2'])
  })

  it('D50: does not merge the demands that it held', async () => {
    const { stage, demands } = held()
    const probes = [new Probe<number | string>(), new Probe<number | string>()]
    for (const probe of probes) probe.subscribe(stage, { demand: 'manual' })
    for (const probe of probes) probe.ask(2)
    await atRest()
    stage.resume()
    await atRest()
    deepEqual(demands, [2, 2])
  })

  it('D50: can be paused and resumed at any time; pausing twice changes nothing', async () => {
    const { stage, demands } = held()
    const probe = new Probe<number | string>()
    probe.subscribe(stage, { demand: 'manual' })
    stage.resume()
    probe.ask(1)
    await atRest()
    stage.pause()
    stage.pause()
    probe.ask(1)
    await atRest()
    deepEqual(demands, [1])
    stage.resume()
    await atRest()
    deepEqual(probe.events, [0, 1])
  })

  it('D50: what a hook under way gives is held too', async () => {
    const gate = Promise.withResolvers<number[]>()
    const stage = producer<number>({ onDemand: () => gate.promise })
    const probe = new Probe<number>()
    probe.subscribe(stage, { demand: 'manual' })
    probe.ask(2)
    await atRest()
    stage.pause()
    gate.resolve([1, 2])
    await atRest()
    deepEqual(probe.events, [])
    stage.resume()
    await atRest()
    deepEqual(probe.events, [1, 2])
  })

  it('D50: a paused producer-consumer handles nothing', async () => {
    const source = producer<number>({})
    const middle = producerConsumer<number, number>({ onEvents: (events) => events })
    const probe = new Probe<number>()
    subscribe(middle, source)
    probe.subscribe(middle)
    await atRest()
    middle.pause()
    source.emit([1, 2])
    await atRest()
    deepEqual(probe.events, [])
    equal(middle.stats().waiting, 2)
    middle.resume()
    await atRest()
    deepEqual(probe.events, [1, 2])
  })

  it('D51: holds no more events than its buffer may, by the same policy', async () => {
    const lost: number[] = []
    const stage = producer<number>({
      demand: 'accumulate',
      bufferSize: 3,
      onDiscard: (events) => void lost.push(events),
    })
    for (const n of range(0, 10)) stage.emit([n])
    equal(stage.stats().buffered, 3)
    equal(lost.length, 7)
    stage.resume()
    const probe = new Probe<number>()
    probe.subscribe(stage)
    await atRest()
    deepEqual(probe.events, [7, 8, 9])
    const strict = producer<number>({ demand: 'accumulate', bufferSize: 1, whenFull: 'fail' })
    strict.emit([1, 2])
    await rejects(strict.done, (error) => isSluiceError(error, 'BUFFER_FULL'))
  })

  it('D52: completing resumes it, so that what was held goes out', async () => {
    const stage = producer<number>({ demand: 'accumulate' })
    const probe = new Probe<number>()
    probe.subscribe(stage)
    stage.emit([1, 2])
    stage.complete()
    await probe.stage.done
    deepEqual(probe.events, [1, 2])
  })

  it('D37: a held broadcast with unequal demands does not stop, in whichever order they came', async () => {
    for (const demands of [
      [10, 4],
      [4, 10],
    ]) {
      let next = 0
      const stage = producer<number>({
        demand: 'accumulate',
        dispatcher: broadcast(),
        onDemand: (demand, self) => {
          const to = Math.min(next + demand, 100)
          const events = range(next, to)
          next = to
          if (next === 100) self.complete()
          return events
        },
      })
      const probes = demands.map((maxDemand) => {
        const probe = new Probe<number>()
        probe.subscribe(stage, { maxDemand })
        return probe
      })
      await atRest()
      stage.resume()
      await Promise.all(probes.map((probe) => probe.stage.done))
      for (const probe of probes) deepEqual(probe.events, range(0, 100))
    }
  })
})
