import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { atRest } from '../testing/manual-clock.ts'
import { Probe } from '../testing/probe.ts'
import { from } from './from.ts'
import { consumer, producer, range } from './make.ts'
import { subscribe } from './subscribe.ts'

describe('requests and notices', () => {
  it('D80: are handled after every batch that came before, in their order', async () => {
    const log: unknown[] = []
    const sink = consumer<number>({
      onEvents: async (events) => {
        await atRest()
        log.push(...events)
      },
      onMessage: (message: string) => {
        log.push(message)
        return log.length
      },
    })
    const source = producer<number>({})
    subscribe(sink, source, { maxDemand: 4, minDemand: 2 })
    await atRest()
    source.emit([1, 2, 3])
    await Promise.resolve()
    sink.notify('notice')
    equal(await sink.request('request'), 5)
    deepEqual(log, [1, 2, 3, 'notice', 'request'])
  })

  it('D81: are answered after what their hook emits was sent', async () => {
    const log: unknown[] = []
    const source = producer<number>({
      onMessage: (count: number, self) => {
        self.emit(range(0, count))
        return 'answered'
      },
    })
    const sink = consumer<number>({ onEvents: (events) => void log.push(...events) })
    subscribe(sink, source)
    log.push(await source.request(3))
    deepEqual(log, [0, 1, 2, 'answered'])
  })

  it('D82: an error in the hook answers the request, and fails the stage', async () => {
    const broken = new Error('broken')
    for (const onMessage of [
      () => {
        throw broken
      },
      () => Promise.reject(broken),
    ]) {
      const stage = producer<number>({ onMessage })
      await rejects(stage.request('x'), (error) => error === broken)
      await rejects(stage.done, (error) => error === broken)
    }
  })

  it('D82: an error in the hook of a notice fails the stage', async () => {
    const broken = new Error('broken')
    const stage = producer<number>({ onMessage: () => Promise.reject(broken) })
    stage.notify('x')
    await rejects(stage.done, (error) => error === broken)
  })

  it('D83: a request that will not be answered rejects: the stage has ended', async () => {
    const gate = Promise.withResolvers<string>()
    const stage = producer<number>({ name: 'clerk', onMessage: () => gate.promise })
    const underWay = stage.request('first')
    const waiting = stage.request('second')
    const heard = rejects(waiting, /Stage clerk has ended/)
    await atRest()
    stage.cancel()
    await heard
    gate.resolve('late, but an answer')
    equal(await underWay, 'late, but an answer')
    await rejects(stage.request('third'), /Stage clerk has ended/)
  })

  it('D84: refuses a message to a stage that takes none, and the stage goes on', async () => {
    const probe = new Probe<number>()
    throws(() => probe.stage.notify('x'), /Cannot send probe a message: it has no onMessage/)
    throws(() => void probe.stage.request('x'), TypeError)
    probe.subscribe(from([1]))
    await probe.stage.done
    deepEqual(probe.events, [1])
  })
})
