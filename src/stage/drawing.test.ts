import { deepEqual, equal, ok, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { atRest } from '../testing/manual-clock.ts'
import { Probe } from '../testing/probe.ts'
import { connect } from './connect.ts'
import type { Resumable } from './drawing.ts'
import { producer, producerConsumer, range } from './make.ts'
import type { Ending } from './message.ts'
import type { Producer, ProducerConsumer } from './stage.ts'
import { subscribe } from './subscribe.ts'

type Self = ProducerConsumer<number, number>

/** What `resume` is to do next: emit some, and say whether there is more, now or later. */
interface Piece {
  readonly emits: readonly number[]
  readonly gives: boolean | Promise<boolean>
}

/** A stage whose `onEvents` puts all its work off, piece by piece, with a source above it and a probe below. */
class Bench {
  readonly source: Producer<number> = producer<number>({ whenFull: 'fail' })
  readonly middle: Self
  readonly probe = new Probe<number>()
  /** What happened to the stage in the middle, in order. */
  readonly log: unknown[] = []
  /** Done in every call of `resume`. */
  inResume: (self: Self) => void = () => {}

  constructor(pieces: Piece[]) {
    const { log } = this
    const work = (self: Self): Resumable => ({
      resume: () => {
        log.push('resume')
        const { emits, gives } = pieces.shift() ?? { emits: [], gives: false }
        self.emit(emits)
        this.inResume(self)
        return gives
      },
      drop: () => void log.push('drop'),
    })
    this.middle = producerConsumer<number, number>({
      onEvents: (events, _from, self) => {
        log.push(`events ${events}`)
        return work(self)
      },
      onWatermark: (time) => void log.push(`watermark ${time}`),
      onMessage: (message) => log.push(message),
      onComplete: () => void log.push('complete'),
      onEnd: ({ kind }: Ending) => void log.push(kind),
    })
    this.probe.subscribe(this.middle, { demand: 'manual' })
    subscribe(this.middle, this.source, { maxDemand: 2, minDemand: 0 })
  }
}

const never = (): Promise<never> => new Promise(() => {})

describe('work that is put off', () => {
  it('D143: is waited for where it gives a promise, and nothing else happens meanwhile', async () => {
    const gate = Promise.withResolvers<boolean>()
    const bench = new Bench([
      { emits: [10], gives: gate.promise },
      { emits: [11], gives: true },
      { emits: [12], gives: false },
    ])
    const { source, middle, probe, log } = bench
    probe.ask(9)
    await atRest()
    source.emit([1])
    source.watermark(5)
    source.emit([2])
    await atRest()
    deepEqual(probe.line, [10])
    middle.notify('notice')
    await atRest()
    deepEqual(log, ['events 1', 'resume'])
    gate.resolve(true)
    await atRest()
    deepEqual(log, ['events 1', 'resume', 'resume', 'resume', 'watermark 5', 'events 2', 'resume', 'notice'])
    deepEqual(probe.line, [10, 11, 12, 'watermark 5'])
    middle.cancel()
  })

  it('D143: goes on only while somebody misses something, also when that was asked for during the wait', async () => {
    const gate = Promise.withResolvers<boolean>()
    const bench = new Bench([
      { emits: [10], gives: gate.promise },
      { emits: [11], gives: Promise.resolve(true) },
      { emits: [12], gives: Promise.resolve(false) },
    ])
    const { source, middle, probe, log } = bench
    probe.ask(1)
    await atRest()
    source.emit([1])
    await atRest()
    gate.resolve(true)
    await atRest()
    deepEqual([log, probe.events], [['events 1', 'resume'], [10]])
    probe.ask(1)
    await atRest()
    deepEqual(probe.events, [10, 11])
    probe.ask(5)
    await atRest()
    deepEqual([log.length, probe.events], [4, [10, 11, 12]])
    middle.cancel()
    await middle.done
    ok(!log.includes('drop'), 'it had come to its end')
  })

  it('D143: its events count as handled when the last promise has settled', async () => {
    const gate = Promise.withResolvers<boolean>()
    const { source, middle, probe } = new Bench([{ emits: [], gives: gate.promise }])
    probe.ask(9)
    await atRest()
    source.emit([1, 2])
    source.emit([3, 4])
    await atRest()
    equal(source.stats().buffered, 2)
    gate.resolve(false)
    await atRest()
    equal(source.stats().buffered, 0)
    middle.cancel()
  })

  const ENDS: Readonly<Record<string, (middle: Self) => void>> = {
    cancelled: (middle) => middle.cancel('enough'),
    failed: (middle) => middle.fail(new Error('broken')),
    completed: (middle) => middle.complete(),
  }
  for (const [kind, end] of Object.entries(ENDS)) {
    for (const when of ['while its promise is waited for', 'in its own call']) {
      it(`D143: is dropped, once and at once, when its stage is ${kind} ${when}`, async () => {
        const bench = new Bench([{ emits: [10], gives: never() }])
        const { source, middle, probe, log } = bench
        if (when === 'in its own call') bench.inResume = end
        probe.ask(9)
        await atRest()
        source.emit([1])
        await atRest()
        if (when !== 'in its own call') end(middle)
        await Promise.allSettled([middle.done, probe.stage.done])
        equal(middle.ending?.kind, kind)
        deepEqual(
          log.filter((one) => one === 'drop'),
          ['drop'],
        )
        equal(log.at(-1), kind)
        deepEqual(probe.events, [10])
      })
    }
  }

  it('D143: does not keep a run from ending by its signal', async () => {
    const abort = new AbortController()
    const dropped: string[] = []
    const reached = Promise.withResolvers<void>()
    const middle = producerConsumer<number, number>({
      onEvents: () => ({
        resume: () => {
          reached.resolve()
          return never()
        },
        drop: () => void dropped.push('drop'),
      }),
    })
    const run = await connect(range(0, 100), middle, new Probe<number>().stage, { signal: abort.signal })
    await reached.promise
    abort.abort('enough')
    await rejects(run.done, (reason) => reason === 'enough')
    deepEqual(dropped, ['drop'])
  })

  it('D143: fails its stage where the promise rejects, and is not dropped then', async () => {
    const broken = new Error('broken')
    const gate = Promise.withResolvers<boolean>()
    const { source, middle, probe, log } = new Bench([{ emits: [10], gives: gate.promise }])
    probe.ask(9)
    await atRest()
    source.emit([1])
    await atRest()
    gate.reject(broken)
    await rejects(middle.done, (error) => error === broken)
    deepEqual(log, ['events 1', 'resume', 'failed'])
    deepEqual(probe.events, [10])
    await rejects(probe.stage.done, (error) => error === broken)
  })

  for (const outcome of ['resolves', 'rejects'] as const) {
    it(`D143: is not heard any more where its promise ${outcome} after the end`, async () => {
      const late = Promise.withResolvers<boolean>()
      const { source, middle, probe, log } = new Bench([{ emits: [], gives: late.promise }])
      const heard: unknown[] = []
      const hear = (reason: unknown): void => void heard.push(reason)
      process.on('unhandledRejection', hear)
      probe.ask(9)
      await atRest()
      source.emit([1])
      await atRest()
      middle.cancel()
      await middle.done
      deepEqual(log, ['events 1', 'resume', 'drop', 'cancelled'])
      if (outcome === 'resolves') late.resolve(true)
      else late.reject(new Error('too late'))
      await atRest()
      await new Promise((resolve) => setImmediate(resolve))
      process.off('unhandledRejection', hear)
      deepEqual(heard, [])
      equal(middle.ending?.kind, 'cancelled')
      equal(log.length, 4)
    })
  }
})

describe('a hook that is waited for', () => {
  for (const how of ['cancel', 'fail'] as const) {
    it(`D130: does not keep its stage open where it has ended it by ${how} in its own call`, async () => {
      const source = producer<number>({
        onDemand: (_demand, self) => {
          self[how](new Error('enough'))
          return never()
        },
      })
      const probe = new Probe<number>()
      probe.subscribe(source)
      await Promise.allSettled([source.done, probe.stage.done])
      equal(source.ending?.kind, how === 'cancel' ? 'cancelled' : 'failed')
    })
  }
})
