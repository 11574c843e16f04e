import { deepEqual, equal, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InvariantError } from '../base/invariant.ts'
import { type DeadLetter, deadLetter } from '../connect/origin.ts'
import type { StoredDeadLetter } from '../connect/sink.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { Committer, type EpochEnd, type Retried } from './committer.ts'
import { Epochs } from './epochs.ts'
import { StateParts } from './state-parts.ts'

const letter = (offset: number, raw = 'x'): DeadLetter => deadLetter({ source: 'a', line: 1, offset, raw }, 'map', 'no')

function setUp({ reporters = 1, enders = 0, hasMemory = false, retried = undefined as Retried | undefined } = {}) {
  /** What happens, in its order. */
  const log: string[] = []
  const clock = new ManualClock()
  const epochs = new Epochs(undefined)
  const kept = new Map(hasMemory ? [['reduce', { keeps: 'reduce', forgetsAtEnd: false }]] : [])
  const parts = new StateParts('test', kept, undefined)
  const told = (name: string, letters: readonly DeadLetter[]): void => {
    log.push(`${name} ${letters.map(({ origin }) => origin.offset)}`)
  }
  const committer = new Committer({
    writer: {
      writeDeadLetters: (letters) => told('write', letters),
      deleteDeadLetters: (letters) => told('delete', letters),
      commit: ({ epoch, totals }) => {
        log.push(`commit ${epoch}: ${totals.read} read, ${totals.loaded} loaded, ${totals.dead} dead`)
        return clock.sleep(50)
      },
    },
    epochs,
    parts,
    reporters,
    enders,
    clock,
    retried,
    onFull: () => log.push('full'),
    onRoom: () => log.push('room'),
    onLetters: () => {},
    onBuried: () => {},
    onCommitted: ({ epoch, tookMs, snapshotMs }) => log.push(`committed ${epoch}, ${tookMs} ms, ${snapshotMs} ms`),
    onStopped: () => log.push('stopped'),
  })
  const begin = (epoch: number, read: number, end: EpochEnd = 'epoch'): void => {
    committer.open(epoch, end)
    committer.source({ epoch, stage: '1/0', positions: new Map([['a', read]]), counts: { read } })
  }
  const barrier = async (epoch: number): Promise<void> => {
    const done = committer.barrier(epoch)
    await clock.advance(50)
    await done
  }
  return { committer, epochs, parts, log, clock, begin, barrier }
}

describe('Committer', () => {
  it('C4: commits an epoch once every stage has reported', async () => {
    const { committer, log, clock } = setUp({ reporters: 2 })
    committer.open(1, 'epoch')
    committer.wrote(100, [])
    const done = committer.barrier(1)
    committer.source({ epoch: 1, stage: '1/0', positions: new Map([['a', 1]]), counts: { read: 100 } })
    await clock.advance(100)
    deepEqual(log, [])
    committer.stage({ epoch: 1, stage: '2/0', counts: {}, states: new Map(), tookMs: 7 })
    await clock.advance(50)
    await done
    deepEqual(log, ['commit 1: 100 read, 100 loaded, 0 dead', 'committed 1, 50 ms, 7 ms'])
  })

  it('C70: takes letters out, puts others in, and commits, in this order', async () => {
    const kept = { ...letter(7), part: 0, epoch: 1, timeMs: 0 } as StoredDeadLetter
    const retried = { take: () => ({ letters: [kept], records: 1 }), committed: () => {} }
    const { committer, log, begin, barrier } = setUp({ retried })
    begin(1, 3)
    committer.letters(1, [letter(2)])
    committer.wrote(1, [letter(1)])
    await barrier(1)
    deepEqual(log.slice(0, 3), ['delete 7', 'write 2,1', 'commit 1: 2 read, 1 loaded, 1 dead'])
  })

  it('C6: commits nothing that does not add up', async () => {
    const { committer, log, begin } = setUp()
    begin(1, 3)
    committer.wrote(2, [])
    await rejects(committer.barrier(1), InvariantError)
    deepEqual(log, [])
  })

  it('C71: commits nothing of an epoch for which reports were missing when all was given up', async () => {
    const { committer, log, begin, clock } = setUp({ reporters: 2 })
    begin(1, 1)
    committer.wrote(1, [])
    const done = committer.barrier(1)
    committer.close()
    await clock.advance(50)
    await done
    await committer.idle()
    deepEqual(log, [])
  })

  it('C22: commits the last epoch when all results have come, with the letters of all stages', async () => {
    const { committer, log, clock, begin } = setUp({ enders: 1 })
    begin(1, 2, 'last')
    committer.wrote(1, [])
    await committer.barrier(1)
    const done = committer.end()
    await clock.advance(50)
    deepEqual(log, [])
    committer.letters(2, [letter(1)])
    committer.ended({})
    await clock.advance(50)
    await done
    deepEqual(log.slice(0, 2), ['write 1', 'commit 1: 2 read, 1 loaded, 1 dead'])
  })

  it('C22: does not let results go out again with an epoch for which nothing was read', async () => {
    const { committer, parts, begin, barrier, clock } = setUp({ hasMemory: true })
    begin(1, 5, 'last')
    committer.wrote(5, [])
    await barrier(1)
    const done = committer.end()
    await clock.advance(50)
    await done
    equal(parts.hasFired, true)
    committer.open(2, 'epoch')
    committer.source({ epoch: 2, stage: '1/0', positions: new Map(), counts: {} })
    await barrier(2)
    equal(parts.hasFired, true)
  })

  it('C23: an epoch in which nothing happened is not committed when the run stops', async () => {
    const { committer, log, barrier, epochs } = setUp()
    committer.open(1, 'stop')
    committer.source({ epoch: 1, stage: '1/0', positions: new Map(), counts: {} })
    await barrier(1)
    deepEqual([log, epochs.epoch], [['stopped'], 0])
  })

  it('C5: says when too many dead letters wait, of stages and of the sink, and when no longer', async () => {
    const { committer, log, begin, barrier } = setUp()
    const large = 'x'.repeat(1024 * 1024)
    begin(1, 4)
    committer.letters(1, [letter(1, large), letter(2, large)])
    committer.wrote(0, [letter(3, large)])
    deepEqual([log, committer.heldLetters], [[], 3])
    committer.wrote(0, [letter(4, large)])
    deepEqual(log, ['full'])
    await barrier(1)
    deepEqual(
      [log.slice(1, 4), committer.heldLetters],
      [['write 1,2,3,4', 'commit 1: 4 read, 0 loaded, 4 dead', 'room'], 0],
    )
  })

  it('C62: numbers the letters of events without a record, and not the rows of results that have a number', async () => {
    const { committer, parts, log, begin, barrier } = setUp()
    const noRecord = { source: '', line: 0, offset: 0, raw: 'x' }
    equal(parts.nextResults(3), 0)
    begin(1, 4)
    committer.letters(1, [deadLetter(noRecord, 'late', 'too late')])
    committer.wrote(2, [deadLetter({ ...noRecord, offset: 0 }, 'table', 'no')])
    await barrier(1)
    equal(log[0], 'write 3,0')
  })
})
