import { deepEqual, equal, ok, rejects, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../base/errors.ts'
import { atRest, ManualClock } from '../testing/manual-clock.ts'
import { from } from './from.ts'
import { type GroupOptions, group, type RestartStrategy } from './group.ts'
import { consumer, producer, producerConsumer, range } from './make.ts'
import type { Stage } from './stage.ts'

const BROKEN = new Error('broken')
const BACKOFF = { firstMs: 10, capMs: 1000 }

/** Three stages in a row that count how often they were started. */
function line(options: Omit<GroupOptions, 'backoff'>) {
  const started: string[] = []
  const starts = (name: string, make: () => Stage) => () => {
    started.push(name)
    return make()
  }
  const seen: number[] = []
  const running = group(
    {
      source: { start: starts('source', () => producer<number>({})) },
      middle: {
        start: starts('middle', () => producerConsumer<number, number>({ onEvents: (events) => events })),
        from: ['source'],
      },
      sink: {
        start: starts('sink', () => consumer<number>({ onEvents: (events) => void seen.push(...events) })),
        from: [{ stage: 'middle', maxDemand: 10 }],
      },
    },
    { backoff: BACKOFF, ...options },
  )
  const emit = (...events: number[]) => (running.stage('source') as ReturnType<typeof producer<number>>).emit(events)
  return { running, started, seen, emit }
}

/** What is restarted when the stage in the middle fails. */
const STARTED: Readonly<Record<RestartStrategy, readonly string[]>> = {
  'one-for-one': ['middle'],
  'rest-for-one': ['middle', 'sink'],
  'one-for-all': ['source', 'middle', 'sink'],
}

describe('group', () => {
  for (const strategy of ['one-for-one', 'rest-for-one', 'one-for-all'] as const) {
    it(`D110: ${strategy} starts ${STARTED[strategy].join(', ')} again, connects them and goes on`, async () => {
      const clock = new ManualClock()
      const { running, started, seen, emit } = line({ strategy, clock })
      await atRest()
      emit(1)
      await atRest()
      running.stage('middle')?.fail(BROKEN)
      await clock.advance(10)
      deepEqual(started, ['source', 'middle', 'sink', ...STARTED[strategy]])
      equal(running.restarts, 1)
      emit(2)
      await atRest()
      deepEqual(seen, [1, 2])
      running.stage('source')?.complete()
      await running.done
    })
  }

  it('D110: what the producer of a restarted stage has waits for its successor', async () => {
    const clock = new ManualClock()
    const { running, seen, emit } = line({ clock })
    await atRest()
    running.stage('middle')?.fail(BROKEN)
    await atRest()
    emit(1, 2, 3)
    await clock.advance(10)
    deepEqual(seen, [1, 2, 3])
    await running.cancel()
    await rejects(running.done, { name: 'AbortError' })
  })

  it('D111: fails when stages fail more often than they may, with the last error as the cause', async () => {
    const clock = new ManualClock()
    const { running } = line({ clock, maxRestarts: 2, withinMs: 1000 })
    const failing = rejects(running.done, (error) => {
      ok(isSluiceError(error, 'RESTARTS_OVER_LIMIT'))
      equal(error.cause, BROKEN)
      deepEqual(error.details, { stage: 'middle', restarts: 3, withinMs: 1000 })
      return true
    })
    for (let n = 0; n < 3; n += 1) {
      running.stage('middle')?.fail(BROKEN)
      await clock.advance(50)
    }
    await failing
    equal(running.restarts, 2)
    for (const name of ['source', 'sink']) equal(running.stage(name)?.ending?.kind, 'cancelled')
  })

  it('D111: forgets restarts that are older than withinMs', async () => {
    const clock = new ManualClock()
    const { running } = line({ clock, maxRestarts: 1, withinMs: 1000 })
    for (let n = 0; n < 5; n += 1) {
      await atRest()
      running.stage('sink')?.fail(BROKEN)
      await clock.advance(1001)
    }
    equal(running.restarts, 5)
    running.stage('source')?.complete()
    await running.done
  })

  it('D112: waits longer before each of several restarts that follow each other', async () => {
    const clock = new ManualClock()
    const { running, started } = line({ clock, maxRestarts: 10, withinMs: 60_000 })
    await atRest()
    for (const wholeMs of [10, 20, 40, 80]) {
      const before = started.length
      running.stage('middle')?.fail(BROKEN)
      await clock.advance(wholeMs / 2 - 0.001)
      equal(started.length, before, 'not before half of the wait')
      await clock.advance(wholeMs / 2 + 0.001)
      equal(started.length, before + 1)
    }
    await running.cancel().catch(() => {})
  })

  it('D113: a stage that completes is not restarted, and the group completes with its consumers', async () => {
    const seen: number[] = []
    const starts = { source: 0 }
    const running = group({
      source: {
        start: () => {
          starts.source += 1
          return from(range(0, 100))
        },
      },
      sink: { start: () => consumer<number>({ onEvents: (events) => void seen.push(...events) }), from: ['source'] },
    })
    await running.done
    deepEqual(seen, range(0, 100))
    equal(starts.source, 1)
  })

  it('D113: does not complete while a producer of a consumer is about to come back', async () => {
    const clock = new ManualClock()
    const seen: number[] = []
    let starts = 0
    const running = group(
      {
        steady: { start: () => from([1]) },
        shaky: {
          start: () => {
            starts += 1
            return starts === 1 ? from(failing) : from([2])
          },
        },
        sink: {
          start: () => consumer<number>({ onEvents: (events) => void seen.push(...events) }),
          from: ['steady', 'shaky'],
        },
      },
      { clock, backoff: BACKOFF },
    )
    await atRest()
    equal(running.stage('sink')?.ending, undefined)
    await clock.advance(10)
    await running.done
    deepEqual(seen, [1, 2])
  })

  it('D114: a signal ends it, and the wait for a restart', async () => {
    const clock = new ManualClock()
    const controller = new AbortController()
    const { running } = line({ clock, signal: controller.signal })
    await atRest()
    running.stage('middle')?.fail(BROKEN)
    await atRest()
    equal(clock.sleepers, 1)
    controller.abort(new Error('stop'))
    await rejects(running.done, /stop/)
    equal(clock.sleepers, 0)
  })

  it('D114: draining completes the sources, and lets through what they gave', async () => {
    const { running, seen, emit } = line({})
    await atRest()
    emit(1, 2, 3)
    await running.drain()
    deepEqual(seen, [1, 2, 3])
  })

  it('D114: an error in start fails the group', async () => {
    const clock = new ManualClock()
    let starts = 0
    const running = group(
      {
        source: {
          start: () => {
            starts += 1
            if (starts > 1) throw BROKEN
            return producer<number>({})
          },
        },
        sink: { start: () => consumer<number>({ onEvents: () => {} }), from: ['source'] },
      },
      { clock },
    )
    running.stage('source')?.fail(new Error('first'))
    await clock.advance(100)
    await rejects(running.done, (error) => error === BROKEN)
  })

  it('D74: warns of a failure that nobody waits for', async () => {
    const warnings: string[] = []
    const listen = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', listen)
    const { running } = line({ maxRestarts: 0 })
    running.stage('source')?.fail(BROKEN)
    await atRest()
    process.off('warning', listen)
    deepEqual(warnings, [
      'A group of stages failed and nobody awaits it: ' +
        'Cannot restart source: stages failed 1 times within 5000 ms, the last with: broken',
    ])
  })

  it('D86: refuses members that take from nobody, and options out of bounds', () => {
    const sink = { start: () => consumer<number>({ onEvents: () => {} }), from: ['nobody'] }
    throws(() => group({ sink }), /sink takes from nobody: there is no such member/)
    throws(() => group({}, { strategy: 'all' as never }), /strategy must be one of/)
    throws(() => group({}, { maxRestarts: -1 }), RangeError)
    throws(() => group({}, { withinMs: 0 }), RangeError)
  })
})

function* failing(): Generator<number> {
  yield* []
  throw BROKEN
}
