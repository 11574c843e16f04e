import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import type { EpochEnd } from './committer.ts'
import { Coordinator } from './coordinator.ts'
import type { SourceCommand, SourceProgress } from './epoch-reports.ts'

function setUp({ sources = 1, hasMemory = false } = {}) {
  const said: SourceCommand[] = []
  const ends: EpochEnd[] = []
  const clock = new ManualClock()
  const coordinator = new Coordinator({
    epoch: 0,
    sources,
    hasMemory,
    epochMs: 1000,
    epochEvents: 100,
    clock,
    areResultsDue: () => false,
    onBarrier: (_, end) => ends.push(end),
    tell: (command) => said.push(command),
  })
  const progress = (given: Partial<SourceProgress>): void => {
    coordinator.progress({
      stage: '1/0',
      epoch: 1,
      inEpoch: 0,
      read: 0,
      doneBytes: 0,
      skippedBytes: 0,
      split: undefined,
      hasMoved: false,
      isExhausted: false,
      ...given,
    })
  }
  return { coordinator, clock, said, ends, progress }
}

const barrier = (epoch: number): SourceCommand => ({ kind: 'barrier', epoch })

describe('Coordinator', () => {
  it('C1: ends an epoch some time after its first record', async () => {
    const { clock, said, progress } = setUp()
    progress({ hasMoved: true, inEpoch: 1, read: 1 })
    await clock.advance(999)
    deepEqual(said, [])
    await clock.advance(1)
    deepEqual(said, [barrier(1)])
  })

  it('C1: ends an epoch after so many records, of all stages together', () => {
    const { said, progress } = setUp({ sources: 2 })
    progress({ stage: '1/0', hasMoved: true, inEpoch: 60, read: 60 })
    deepEqual(said, [])
    progress({ stage: '1/1', hasMoved: true, inEpoch: 40, read: 40 })
    deepEqual(said, [barrier(1)])
  })

  it('C1: does not count what was told before the last barrier came', () => {
    const { said, progress } = setUp()
    progress({ hasMoved: true, inEpoch: 100, read: 100 })
    progress({ hasMoved: true, inEpoch: 150, read: 150 })
    deepEqual(said, [barrier(1)])
  })

  it('C5: has two epochs at most on their way', async () => {
    const { said, progress, clock } = setUp()
    for (const epoch of [1, 2, 3]) progress({ epoch, hasMoved: true, inEpoch: 100, read: 100 * epoch })
    await clock.advance(5000)
    deepEqual(said, [barrier(1), barrier(2)])
  })

  it('C5: reads go on only when nothing holds them any more, whichever came first', () => {
    const { coordinator, said } = setUp()
    coordinator.hold('person')
    coordinator.hold('person')
    coordinator.hold('letters')
    coordinator.letGo('letters')
    const holds = (): SourceCommand[] => said.filter(({ kind }) => kind === 'hold')
    deepEqual(holds(), [{ kind: 'hold', isHeld: true }])
    coordinator.letGo('person')
    coordinator.letGo('person')
    deepEqual(holds(), [
      { kind: 'hold', isHeld: true },
      { kind: 'hold', isHeld: false },
    ])
  })

  it('C5: dead letters that wait hold the sources, and end their epoch', () => {
    const { coordinator, said } = setUp()
    coordinator.hold('letters')
    deepEqual(said, [{ kind: 'hold', isHeld: true }, barrier(1)])
  })

  it('C5: a pause ends the epoch that is open, and begins none', () => {
    const { coordinator, said, progress } = setUp()
    coordinator.hold('person')
    deepEqual(said, [{ kind: 'hold', isHeld: true }])
    coordinator.letGo('person')
    progress({ hasMoved: true, inEpoch: 1, read: 1 })
    coordinator.hold('person')
    deepEqual(said.slice(2), [{ kind: 'hold', isHeld: true }, barrier(1)])
  })

  it('C7: makes epochs longer where snapshots and their commits take long, however many records come', async () => {
    const { coordinator, said, progress, clock } = setUp({ hasMemory: true })
    progress({ hasMoved: true, inEpoch: 100, read: 100 })
    coordinator.committed({ epoch: 1, tookMs: 50, snapshotMs: 50 })
    progress({ epoch: 2, hasMoved: true, inEpoch: 200, read: 300 })
    await clock.advance(1999)
    deepEqual(said, [barrier(1), { kind: 'committed', epoch: 1 }])
    await clock.advance(1)
    deepEqual(said.at(-1), barrier(2))
  })

  it('C22: when all is read, lets what is held give its results; when nothing is held, just ends', () => {
    const memory = setUp({ hasMemory: true })
    memory.progress({ isExhausted: true, read: 5 })
    deepEqual(memory.said, [barrier(1), { kind: 'end' }])
    deepEqual(memory.ends, ['last'])
    const plain = setUp()
    plain.progress({ isExhausted: true, read: 5 })
    deepEqual(plain.said, [barrier(1), { kind: 'end' }])
    deepEqual(plain.ends, ['stop'])
  })

  it('C23: told to stop, lets nothing that is held give results', () => {
    const { coordinator, said, ends } = setUp({ hasMemory: true })
    coordinator.stop()
    deepEqual(said, [{ kind: 'stop' }, barrier(1)])
    deepEqual(ends, ['stop'])
  })
})
