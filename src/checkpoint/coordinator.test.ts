import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deadLetter } from '../connect/origin.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { Coordinator } from './coordinator.ts'
import { Epochs } from './epochs.ts'
import type { SourceCommand, SourceProgress } from './ledger.ts'
import { StateParts } from './state-parts.ts'

function setUp({ sources = 1, reporters = 1, hasMemory = false } = {}) {
  const said: SourceCommand[] = []
  const clock = new ManualClock()
  const epochs = new Epochs(undefined)
  const kept = new Map(hasMemory ? [['reduce', { keeps: 'reduce', forgetsAtEnd: false }]] : [])
  const coordinator = new Coordinator({
    epochs,
    parts: new StateParts('test', kept, undefined),
    sources,
    reporters,
    enders: 0,
    hasMemory,
    epochMs: 1000,
    epochEvents: 100,
    clock,
    tell: (command) => said.push(command),
    onOpened: () => {},
    onNote: () => {},
    onLetters: () => {},
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
  return { coordinator, epochs, clock, said, progress }
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
    const { said, progress } = setUp({ sources: 2, reporters: 2 })
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

  it('C4: an epoch is complete once every stage has reported', async () => {
    const { coordinator, progress } = setUp({ reporters: 2 })
    progress({ hasMoved: true, inEpoch: 100, read: 100 })
    let isComplete = false
    const complete = coordinator.complete(1).then(() => {
      isComplete = true
    })
    coordinator.source({ epoch: 1, stage: '1/0', positions: new Map([['a', 1]]), counts: { read: 100 } })
    await Promise.resolve()
    equal(isComplete, false)
    coordinator.stage({ epoch: 1, stage: '2/0', states: new Map(), tookMs: 0 })
    await complete
    equal(isComplete, true)
  })

  it('C5: has two epochs at most on their way', async () => {
    const { said, progress, clock } = setUp()
    for (const epoch of [1, 2, 3]) progress({ epoch, hasMoved: true, inEpoch: 100, read: 100 * epoch })
    await clock.advance(5000)
    deepEqual(said, [barrier(1), barrier(2)])
  })

  it('C5: lets nothing more be read while too many dead letters wait, and ends their epoch', () => {
    const { coordinator, said, epochs } = setUp()
    const raw = 'x'.repeat(1024 * 1024)
    const letter = (offset: number) => deadLetter({ source: 'a', line: 1, offset, raw }, 'map', 'no')
    coordinator.letters(1, [letter(1), letter(2), letter(3)])
    deepEqual(said, [])
    coordinator.letters(1, [letter(4)])
    deepEqual(said, [{ kind: 'hold', isHeld: true }, barrier(1)])
    coordinator.source({ epoch: 1, stage: '1/0', positions: new Map([['a', 4]]), counts: { read: 4 } })
    epochs.book(1, { dead: coordinator.lettersOf(1).length })
    coordinator.checkpoint(1)
    coordinator.committed(1, 0)
    deepEqual(said.slice(2), [
      { kind: 'hold', isHeld: false },
      { kind: 'committed', epoch: 1 },
    ])
  })

  it('C5: reads go on only when nothing holds them any more, whichever came first', () => {
    const { coordinator, said, epochs } = setUp()
    const letter = deadLetter({ source: 'a', line: 1, offset: 1, raw: 'x'.repeat(5 * 1024 * 1024) }, 'map', 'no')
    coordinator.pause()
    coordinator.pause()
    coordinator.letters(1, [letter])
    coordinator.source({ epoch: 1, stage: '1/0', positions: new Map(), counts: { read: 1 } })
    epochs.book(1, { dead: coordinator.lettersOf(1).length })
    coordinator.checkpoint(1)
    coordinator.committed(1, 0)
    const holds = (): SourceCommand[] => said.filter(({ kind }) => kind === 'hold')
    deepEqual(holds(), [{ kind: 'hold', isHeld: true }])
    coordinator.resume()
    coordinator.resume()
    deepEqual(holds(), [
      { kind: 'hold', isHeld: true },
      { kind: 'hold', isHeld: false },
    ])
  })

  it('C5: a pause ends the epoch that is open, and begins none', () => {
    const { coordinator, said, progress } = setUp()
    coordinator.pause()
    deepEqual(said, [{ kind: 'hold', isHeld: true }])
    coordinator.resume()
    progress({ hasMoved: true, inEpoch: 1, read: 1 })
    coordinator.pause()
    deepEqual(said.slice(2), [{ kind: 'hold', isHeld: true }, barrier(1)])
  })

  it('C7: makes epochs longer where snapshots and their commits take long, however many records come', async () => {
    const { coordinator, epochs, said, progress, clock } = setUp({ reporters: 3, hasMemory: true })
    progress({ hasMoved: true, inEpoch: 100, read: 100 })
    coordinator.stage({ epoch: 1, stage: '2/0', states: new Map(), tookMs: 30 })
    coordinator.stage({ epoch: 1, stage: '2/1', states: new Map(), tookMs: 20 })
    coordinator.source({ epoch: 1, stage: '1/0', positions: new Map([['a', 100]]), counts: { read: 100 } })
    epochs.book(1, { loaded: 100 })
    coordinator.checkpoint(1)
    coordinator.committed(1, 50)
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
    equal(memory.coordinator.endOf(1), 'last')
    const plain = setUp()
    plain.progress({ isExhausted: true, read: 5 })
    deepEqual(plain.said, [barrier(1), { kind: 'end' }])
    equal(plain.coordinator.endOf(1), 'stop')
  })

  it('C22: does not let results go out again with an epoch for which nothing was read', () => {
    const { coordinator, progress, epochs } = setUp({ hasMemory: true })
    progress({ isExhausted: true, read: 5 })
    coordinator.source({ epoch: 1, stage: '1/0', positions: new Map([['a', 5]]), counts: { read: 5 } })
    epochs.book(1, { loaded: 5 })
    const { states } = coordinator.checkpoint(1)
    const parts = new StateParts('test', new Map([['reduce', { keeps: 'reduce', forgetsAtEnd: false }]]), states)
    equal(parts.hasFired, true)
    parts.stayFired(2)
    deepEqual([...parts.changed(2)], [])
  })

  it('C23: told to stop, lets nothing that is held give results', () => {
    const { coordinator, said } = setUp({ hasMemory: true })
    coordinator.stop()
    deepEqual(said, [{ kind: 'stop' }, barrier(1)])
    equal(coordinator.endOf(1), 'stop')
  })
})
