import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { atRest } from '../testing/manual-clock.ts'
import { Probe } from '../testing/probe.ts'
import { connect } from './connect.ts'
import { from } from './from.ts'
import type { Subscription } from './link.ts'
import { consumer, producer, range } from './make.ts'
import { subscribe } from './subscribe.ts'

/** A producer that gives numbers as they are asked for, with the demands that came. */
function counter(end = Number.POSITIVE_INFINITY) {
  let next = 0
  const demands: number[] = []
  const stage = producer<number>({
    onDemand: (demand, self) => {
      demands.push(demand)
      const to = Math.min(next + demand, end)
      const events = range(next, to)
      next = to
      if (next === end) self.complete()
      return events
    },
  })
  return { stage, demands }
}

describe('a consumer', () => {
  it('D4: asks again when its hook has settled, not before', async () => {
    const { stage, demands } = counter()
    const gates: PromiseWithResolvers<void>[] = []
    const slow = consumer<number>({
      onEvents: () => {
        const gate = Promise.withResolvers<void>()
        gates.push(gate)
        return gate.promise
      },
    })
    subscribe(slow, stage, { maxDemand: 4, minDemand: 2 })
    await atRest()
    deepEqual(demands, [4])
    gates[0]?.resolve()
    await atRest()
    deepEqual(demands, [4, 2])
    equal(gates.length, 2)
  })

  it('D1: a consumer that never comes back holds no more than it asked for', async () => {
    const { stage } = counter()
    const stuck = consumer<number>({ onEvents: () => new Promise<void>(() => {}) })
    subscribe(stuck, stage, { maxDemand: 10, minDemand: 5 })
    await atRest()
    equal(stuck.stats().received, 10)
    equal(stage.stats().emitted, 10)
  })

  it('D6: counts the demand of each subscription by itself', async () => {
    const [a, b] = [counter(), counter()]
    const stuck = consumer<number>({ onEvents: () => new Promise<void>(() => {}) })
    subscribe(stuck, a.stage, { maxDemand: 10 })
    subscribe(stuck, b.stage, { maxDemand: 4 })
    await atRest()
    deepEqual([a.demands, b.demands], [[10], [4]])
  })

  it('D7: asks nothing of its own on a manual subscription, and gets chunks uncut', async () => {
    const { stage, demands } = counter()
    const probe = new Probe<number>()
    const subscription = probe.subscribe(stage, { demand: 'manual', maxDemand: 2 })
    await atRest()
    deepEqual(demands, [])
    subscription.ask(7)
    equal(subscription.pending, 7)
    await atRest()
    deepEqual(probe.batches, [[0, 1, 2, 3, 4, 5, 6]])
    equal(subscription.pending, 0)
  })

  it('D7: may say in onSubscribe that it asks by hand, and ask at once', async () => {
    const { stage, demands } = counter()
    const seen: number[] = []
    const sink = consumer<number>({
      onSubscribe: (subscription) => {
        subscription.ask(2)
        return 'manual'
      },
      onEvents: (events) => void seen.push(...events),
    })
    subscribe(sink, stage)
    await atRest()
    deepEqual(demands, [2])
    deepEqual(seen, [0, 1])
  })

  it('D7: refuses an ask that is no number of events, or on an automatic subscription', () => {
    const stage = producer<number>({})
    const manual = new Probe<number>().subscribe(stage, { demand: 'manual' })
    throws(() => manual.ask(-1), /ask must be an integer, 0 or more: found -1/)
    throws(() => manual.ask(0.5), RangeError)
    const automatic = new Probe<number>().subscribe(stage)
    throws(() => automatic.ask(1), /Cannot ask producer by hand: the subscription is automatic/)
    throws(() => manual.update({ maxDemand: 3 }), /the subscription is manual/)
  })

  it('D8: asks for more at once when its window grows, and waits when it shrinks', async () => {
    const { stage, demands } = counter()
    const gates: PromiseWithResolvers<void>[] = []
    const slow = consumer<number>({
      onEvents: () => {
        const gate = Promise.withResolvers<void>()
        gates.push(gate)
        return gate.promise
      },
    })
    const subscription = subscribe(slow, stage, { maxDemand: 2, minDemand: 1 })
    await atRest()
    subscription.update({ maxDemand: 10, minDemand: 5 })
    await atRest()
    deepEqual(demands, [2, 8])
    subscription.update({ maxDemand: 3, minDemand: 0 })
    await atRest()
    gates[0]?.resolve()
    await atRest()
    deepEqual(demands, [2, 8])
    throws(() => subscription.update({ maxDemand: 0 }), RangeError)
  })

  it('D72: runs no two hooks at a time, whoever gives up the subscription meanwhile', async () => {
    const log: string[] = []
    const gate = Promise.withResolvers<void>()
    const sink = consumer<number>({
      onEvents: async () => {
        log.push('events')
        await gate.promise
        log.push('handled')
      },
      onCancel: () => void log.push('cancel'),
      onEnd: () => void log.push('end'),
    })
    const subscription = subscribe(sink, from([1]))
    await atRest()
    subscription.cancel()
    await atRest()
    deepEqual(log, ['events'])
    gate.resolve()
    await sink.done
    deepEqual(log, ['events', 'handled', 'cancel', 'end'])
  })

  it('D72: finishes the hook that ends the stage before it calls onCancel and onEnd', async () => {
    const log: string[] = []
    const sink = consumer<number>({
      onEvents: (_events, subscription) => {
        subscription.cancel('enough')
        log.push('handled')
      },
      onCancel: (_subscription, ending) => void log.push(`cancel ${ending.kind === 'cancelled' && ending.reason}`),
      onEnd: () => void log.push('end'),
    })
    subscribe(sink, from([1]))
    await sink.done
    deepEqual(log, ['handled', 'cancel enough', 'end'])
    const itself = consumer<number>({
      onEvents: (_events, _from, self) => {
        self.cancel()
        log.push('handled')
      },
      onEnd: () => void log.push('end'),
    })
    subscribe(itself, from([1]))
    await itself.done
    deepEqual(log.slice(3), ['handled', 'end'])
  })

  it('D72: does not handle what came before it gave the subscription up', async () => {
    const seen: number[] = []
    const sink = consumer<number>({
      onEvents: (events, subscription) => {
        seen.push(...events)
        subscription.cancel()
      },
    })
    subscribe(sink, from(range(0, 10)), { maxDemand: 4, minDemand: 2 })
    await sink.done
    deepEqual(seen, [0, 1])
    equal(sink.stats().waiting, 0)
  })

  it('D8: says how its subscription ended, and never rejects', async () => {
    const broken = new Error('broken')
    const ends = await Promise.all(
      [[1], [1, broken]].map(async (script) => {
        const probe = new Probe<number>()
        const source = producer<number>({
          onDemand: (_demand, self) => {
            if (script.length > 1) throw broken
            self.complete()
          },
        })
        const subscription: Subscription = probe.subscribe(source, { cancel: 'temporary' })
        probe.stage.done.catch(() => {})
        return subscription.done
      }),
    )
    deepEqual(ends, [{ kind: 'completed' }, { kind: 'failed', error: broken }])
  })

  it('D73: cannot subscribe once it has ended; a producer that has ended tells its end', async () => {
    const done = new Probe<number>()
    done.subscribe(from([1]))
    await done.stage.done
    throws(() => done.subscribe(from([2])), /Cannot subscribe probe: it has ended/)
    const source = producer<number>({})
    source.complete()
    await source.done
    const late = new Probe<number>()
    late.subscribe(source)
    await late.stage.done
    deepEqual(late.endings, [{ kind: 'completed' }])
  })

  it('D73: hears the end also if it subscribes while the others are being told', async () => {
    const source = producer<number>({})
    const late = new Probe<number>()
    const first = consumer<number>({
      onEvents: () => {},
      onCancel: () => void late.subscribe(source),
    })
    subscribe(first, source)
    source.complete()
    await late.stage.done
    deepEqual(late.endings, [{ kind: 'completed' }])
  })

  it('D86: refuses what makes no subscription, and ties nothing', async () => {
    const { stage } = counter()
    const probe = new Probe<number>()
    throws(() => probe.subscribe(stage, { maxDemands: 3 } as never), /A subscription has no option maxDemands/)
    throws(() => probe.subscribe(stage, { cancel: 'never' as never }), /cancel must be one of permanent, transient/)
    throws(() => subscribe(stage as never, stage), /Cannot subscribe producer: it receives no events/)
    throws(() => subscribe(probe.stage, probe.stage as never), /Cannot subscribe to probe: it emits no events/)
    throws(() => subscribe({} as never, stage), /A stage is made by producer\(\), consumer\(\)/)
    equal(stage.stats().consumers, 0)
    equal(probe.stage.stats().producers, 0)
  })

  it('D65: fails where a hook throws, with that very error; its producer is cancelled', async () => {
    const broken = new Error('broken')
    const log: unknown[] = []
    const source = from(range(0, 10), { name: 'numbers' })
    const sink = consumer<number>({
      onEvents: () => {
        throw broken
      },
      onComplete: () => void log.push('complete'),
      onEnd: (ending) => void log.push(ending),
    })
    const run = await connect(source, sink, { maxDemand: 4 })
    await rejects(run.done, (error) => error === broken)
    deepEqual(log, [{ kind: 'failed', error: broken }])
    equal(source.ending?.kind, 'cancelled')
    ok(sink.signal.aborted)
    equal(sink.signal.reason, broken)
  })

  it('D65: fails where onSubscribe throws, once for all that were wired', async () => {
    const broken = new Error('no')
    let isOpen = false
    function* numbers(): Generator<number> {
      isOpen = true
      yield 1
    }
    const sink = consumer<number>({
      onSubscribe: () => {
        throw broken
      },
      onEvents: () => {},
    })
    const run = await connect(numbers, sink)
    await rejects(run.done, (error) => error === broken)
    equal(isOpen, false)
  })
})
