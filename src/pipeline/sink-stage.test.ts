import { deepEqual, rejects } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { systemClock } from '../base/clock.ts'
import { Committer } from '../checkpoint/committer.ts'
import { Epochs } from '../checkpoint/epochs.ts'
import { StateParts } from '../checkpoint/state-parts.ts'
import { batchOf } from '../connect/batch.ts'
import type { SinkWriter } from '../connect/sink.ts'
import { connect } from '../stage/connect.ts'
import { consumer, producer } from '../stage/make.ts'
import { SinkStage } from './sink-stage.ts'
import { TopCounters } from './top-counters.ts'

const nothing = (): void => {}

function setUp(batch?: SinkWriter<unknown>['batch']) {
  /** What the writer was asked for. */
  const calls: string[] = []
  const writer: SinkWriter<unknown> = {
    checkpoint: undefined,
    ...(batch === undefined ? {} : { batch }),
    async write(rows) {
      calls.push(`write ${rows.values()}`)
      return []
    },
    writeDeadLetters: nothing,
    commit: ({ epoch }) => void calls.push(`commit ${epoch}`),
    close: async () => {},
  }
  const parts = new StateParts('test', new Map(), undefined)
  const committer = new Committer({
    writer,
    epochs: new Epochs(undefined),
    parts,
    reporters: 1,
    enders: 0,
    clock: systemClock,
    onFull: nothing,
    onRoom: nothing,
    onLetters: nothing,
    onBuried: nothing,
    onCommitted: nothing,
    onStopped: nothing,
  })
  const load = new SinkStage({
    writer,
    committer,
    nextResults: (count) => parts.nextResults(count),
    tops: new TopCounters({}),
  })
  return { load, committer, calls }
}

const report = (committer: Committer, epoch: number, read: number): void => {
  committer.source({ epoch, stage: '1/0', positions: new Map([['a', read]]), counts: { read } })
}

describe('SinkStage', () => {
  it('C70: writes what it gathered before an epoch is committed, and nothing until it is', async () => {
    const { load, committer, calls } = setUp({ rows: 4, bytes: 1000 })
    await load.onEvents([1, 2])
    await load.onEvents(batchOf([3]))
    deepEqual(calls, [])
    committer.open(1, 'epoch')
    report(committer, 1, 3)
    await load.onBarrier(1)
    deepEqual(calls, ['write 1,2,3', 'commit 1'])
  })

  it('C71: waits for no report any more, and commits nothing, once its run is given up', async () => {
    const { load, committer, calls } = setUp()
    committer.open(1, 'epoch')
    const atBarrier = Promise.withResolvers<void>()
    const source = producer<number>({
      onDemand(_, self) {
        self.emit([1])
        self.barrier(1)
      },
    })
    const taking = consumer<unknown>({
      onSubscribe: (subscription, self) => load.onSubscribe(subscription, self),
      onEvents: (events) => load.onEvents(events),
      onBarrier(epoch) {
        atBarrier.resolve()
        return load.onBarrier(epoch)
      },
    })
    const run = await connect(source, taking)
    await atBarrier.promise
    await run.cancel(new Error('given up'))
    await rejects(run.done, /given up/)
    await load.idle()
    deepEqual(calls, ['write 1'])
  })
})
