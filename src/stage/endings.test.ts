import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { atRest } from '../testing/manual-clock.ts'
import { Probe, Scripted } from '../testing/probe.ts'
import { connect } from './connect.ts'
import { from } from './from.ts'
import type { CancelMode } from './link.ts'
import { consumer, producer, producerConsumer, range } from './make.ts'
import type { Ending } from './message.ts'
import { subscribe } from './subscribe.ts'

const BROKEN = new Error('broken')
const REASON = new Error('not wanted')

const ENDINGS: Readonly<Record<Ending['kind'], Ending>> = {
  completed: { kind: 'completed' },
  cancelled: { kind: 'cancelled', reason: REASON },
  failed: { kind: 'failed', error: BROKEN },
}

/** What becomes of the consumer: how it ends, or that it stays. */
type Fate = Ending['kind'] | 'stays'

/** With one producer. */
const FATES: Readonly<Record<CancelMode, Readonly<Record<Ending['kind'], Fate>>>> = {
  permanent: { completed: 'completed', cancelled: 'cancelled', failed: 'failed' },
  transient: { completed: 'completed', cancelled: 'cancelled', failed: 'failed' },
  temporary: { completed: 'stays', cancelled: 'stays', failed: 'stays' },
}

/** With a second producer that goes on. */
const FATES_OF_TWO: typeof FATES = {
  permanent: { completed: 'completed', cancelled: 'cancelled', failed: 'failed' },
  transient: { completed: 'stays', cancelled: 'stays', failed: 'failed' },
  temporary: { completed: 'stays', cancelled: 'stays', failed: 'stays' },
}

/** A consumer of `producers` producers, the first of which ends as told: what it went through. */
async function endOne(mode: CancelMode, kind: Ending['kind'], producers: number) {
  const hooks: string[] = []
  const sink = consumer<number>({
    onEvents: (events) => void hooks.push(`events ${events}`),
    onComplete: () => void hooks.push('complete'),
    onCancel: (_subscription, ending) => void hooks.push(`cancel ${ending.kind}`),
    onEnd: (ending) => void hooks.push(`end ${ending.kind}`),
  })
  sink.done.catch(() => {})
  const sources = range(0, producers).map(() => producer<number>({}))
  for (const source of sources) {
    source.done.catch(() => {})
    subscribe(sink, source, { cancel: mode })
  }
  await atRest()
  const [first] = sources
  first?.emit([1])
  if (kind === 'completed') first?.complete()
  else if (kind === 'cancelled') first?.cancel(REASON)
  else first?.fail(BROKEN)
  await atRest()
  return { fate: sink.ending?.kind ?? 'stays', ending: sink.ending, hooks }
}

describe('the end of a subscription', () => {
  for (const [title, table, producers] of [
    ['the only producer', FATES, 1],
    ['one of two producers', FATES_OF_TWO, 2],
  ] as const) {
    for (const mode of ['permanent', 'transient', 'temporary'] as const) {
      for (const kind of ['completed', 'cancelled', 'failed'] as const) {
        const fate = table[mode][kind]
        it(`D66 D67: ${mode}, ${title} ${kind}: the consumer ${fate === 'stays' ? 'stays' : `has ${fate}`}`, async () => {
          const seen = await endOne(mode, kind, producers)
          equal(seen.fate, fate)
          if (fate !== 'stays') deepEqual(seen.ending, ENDINGS[kind])
          const after = fate === 'stays' ? [] : [...(fate === 'completed' ? ['complete'] : []), `end ${fate}`]
          deepEqual(seen.hooks, ['events 1', `cancel ${kind}`, ...after])
        })
      }
    }
  }

  it('D68: a consumer completes when the last of its producers has', async () => {
    const [a, b] = [producer<number>({}), producer<number>({})]
    const probe = new Probe<number>()
    probe.subscribe(a)
    probe.subscribe(b)
    a.complete()
    await a.done
    b.emit([1])
    b.complete()
    await probe.stage.done
    deepEqual(probe.events, [1])
    equal(probe.stage.ending?.kind, 'completed')
  })

  it('D68: temporary producers do not keep a consumer, nor decide how it ends', async () => {
    const [lasting, passing, other] = [producer<number>({}), producer<number>({}), producer<number>({})]
    const probe = new Probe<number>()
    probe.subscribe(lasting)
    probe.subscribe(passing, { cancel: 'temporary' })
    probe.subscribe(other, { cancel: 'temporary' })
    passing.cancel()
    await passing.done
    lasting.complete()
    await probe.stage.done
    equal(probe.stage.ending?.kind, 'completed')
  })

  it('D68: is cancelled, not complete, where one of its producers was cancelled', async () => {
    const [a, b] = [producer<number>({}), producer<number>({})]
    const probe = new Probe<number>()
    probe.subscribe(a)
    probe.subscribe(b)
    a.cancel(REASON)
    await a.done
    b.complete()
    await probe.stage.done
    deepEqual(probe.stage.ending, { kind: 'cancelled', reason: REASON })
  })

  it('D67: an end waits behind what was given, also where that is handled slowly', async () => {
    for (const kind of ['complete', 'fail', 'cancel'] as const) {
      const source = producer<number>({})
      const probe = new Probe<number>({ onEvents: () => new Promise((resolve) => setImmediate(resolve)) })
      probe.subscribe(source, { maxDemand: 10, minDemand: 9 })
      await atRest()
      source.emit([1, 2, 3])
      source[kind](BROKEN)
      await Promise.allSettled([probe.stage.done, source.done])
      deepEqual(probe.events, [1, 2, 3], kind)
    }
  })
})

describe('the end of a stage', () => {
  it('D65: calls onComplete at completion only, onEnd always, last and once', async () => {
    const ends: Readonly<Record<Ending['kind'], readonly string[]>> = {
      completed: ['complete', 'end completed'],
      cancelled: ['end cancelled'],
      failed: ['end failed'],
    }
    for (const kind of ['completed', 'cancelled', 'failed'] as const) {
      const hooks: string[] = []
      const stage = producer<number>({
        onComplete: () => void hooks.push('complete'),
        onEnd: (ending) => void hooks.push(`end ${ending.kind}`),
      })
      stage.done.catch(() => {})
      if (kind === 'completed') stage.complete()
      else if (kind === 'cancelled') stage.cancel()
      else stage.fail(BROKEN)
      await atRest()
      stage.complete()
      stage.cancel()
      stage.fail(new Error('late'))
      await atRest()
      deepEqual(hooks, ends[kind])
      equal(stage.ending?.kind, kind)
    }
  })

  it('D65: sends what onComplete gives, behind everything and before the end', async () => {
    const sum = { total: 0 }
    const adder = producerConsumer<number, number>({
      onEvents: (events) => {
        for (const n of events) sum.total += n
      },
      onComplete: async () => [sum.total],
    })
    const probe = new Probe<number>()
    await (await connect([1, 2, 3], adder, probe.stage)).done
    deepEqual(probe.events, [6])
  })

  it('D65: done waits for the hook that is running and for onEnd, and rejects with what onEnd throws', async () => {
    const log: string[] = []
    const gate = Promise.withResolvers<void>()
    const stage = producer<number>({
      onDemand: async () => {
        await gate.promise
        log.push('hook')
      },
      onEnd: async () => {
        await atRest()
        log.push('end')
        throw BROKEN
      },
    })
    const probe = new Probe<number>()
    probe.subscribe(stage)
    await atRest()
    stage.cancel()
    gate.resolve()
    await rejects(stage.done, (error) => error === BROKEN)
    deepEqual(log, ['hook', 'end'])
  })

  it('D70: complete sends what is there first; cancel and fail do not', async () => {
    const kept: Readonly<Record<'complete' | 'cancel' | 'fail', readonly number[]>> = {
      complete: [1, 2, 3],
      cancel: [1],
      fail: [1],
    }
    for (const act of ['complete', 'cancel', 'fail'] as const) {
      const source = producer<number>({})
      source.done.catch(() => {})
      const probe = new Probe<number>()
      probe.stage.done.catch(() => {})
      probe.subscribe(source, { demand: 'manual' })
      probe.ask(1)
      await atRest()
      source.emit([1, 2, 3])
      source[act](REASON)
      probe.ask(10)
      await atRest()
      deepEqual(probe.events, kept[act], act)
      equal(source.stats().discarded, act === 'complete' ? 0 : 2)
    }
  })

  it('D70: a stage that completes while nobody asks waits with its end for who takes the rest', async () => {
    const source = producer<number>({})
    source.emit([1, 2])
    source.complete()
    await atRest()
    equal(source.stats().state, 'ending')
    const probe = new Probe<number>()
    probe.subscribe(source, { maxDemand: 1 })
    await probe.stage.done
    deepEqual(probe.events, [1, 2])
    equal(source.ending?.kind, 'completed')
  })

  it('D71: what is unwanted ends when its last consumer has left, or stays, as it was told', async () => {
    const stays = producer<number>({})
    const ends = producer<number>({ unwanted: 'end' })
    const middle = producerConsumer<number, number>({ onEvents: (events) => events })
    const source = from(range(0, 5000))
    subscribe(middle, source, { maxDemand: 10 })
    for (const stage of [stays, ends, middle]) {
      const [one, two] = [new Probe<number>(), new Probe<number>()]
      const subscriptions = [one, two].map((probe) => probe.subscribe(stage, { demand: 'manual' }))
      await atRest()
      subscriptions[0]?.cancel()
      await atRest()
      equal(stage.ending, undefined)
      subscriptions[1]?.cancel(REASON)
      await atRest()
    }
    equal(stays.ending, undefined)
    deepEqual(ends.ending, { kind: 'cancelled', reason: REASON })
    deepEqual([middle.ending?.kind, source.ending?.kind], ['cancelled', 'cancelled'])
    stays.cancel()
  })

  it('D69: a failure comes out as the very error, and the others are cancelled with it', async () => {
    const source = from(function* endless() {
      for (let n = 0; ; n += 1) yield n
    })
    const fine = new Probe<number>()
    const broken = consumer<number>({
      onEvents: () => {
        throw BROKEN
      },
    })
    const run = await connect(source, [fine.stage, broken], { maxDemand: 2 })
    await rejects(run.done, (error) => error === BROKEN)
    deepEqual(fine.stage.ending, { kind: 'cancelled', reason: BROKEN })
    ok(source.ending?.kind === 'cancelled' && source.ending.reason === BROKEN)
  })

  it('D69: the first failure is the one that is told', async () => {
    const [first, second] = [new Error('first'), new Error('second')]
    const source = producer<number>({
      onDemand: () => {
        throw first
      },
      onEnd: () => {
        throw second
      },
    })
    await rejects((await connect(source, new Probe<number>().stage)).done, (error) => error === first)
  })

  it('D69: rejects with whatever was thrown, error or not', async () => {
    const source = new Scripted<number>([1])
    const sink = consumer<number>({
      onEvents: () => {
        throw 'a string'
      },
    })
    await rejects((await connect(source.stage, sink)).done, (thrown) => thrown === 'a string')
  })

  it('D74: warns of a failure that nobody waits for', async () => {
    const warnings: string[] = []
    const listen = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', listen)
    producer<number>({ name: 'lonely' }).fail(BROKEN)
    const run = await connect(
      from<number>(() => {
        throw BROKEN
      }),
      new Probe<number>().stage,
    )
    await atRest()
    process.off('warning', listen)
    deepEqual(warnings, [
      'Stage lonely failed and nobody awaits it: broken',
      'A run of stages failed and nobody awaits it: broken',
    ])
    await rejects(run.done)
  })

  it('D73: the iterator of a generator that ends its own stage is closed', async () => {
    let isClosed = false
    const middle = producerConsumer<number, number>({
      *onEvents(_events, _from, self) {
        try {
          yield 1
          self.cancel(REASON)
          yield 2
        } finally {
          isClosed = true
        }
      },
    })
    const probe = new Probe<number>()
    subscribe(middle, from([1]))
    probe.subscribe(middle)
    await probe.stage.done
    ok(isClosed)
  })
})
