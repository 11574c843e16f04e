import { deepEqual, throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { InvariantError } from '../base/invariant.ts'
import { batchOf } from '../connect/batch.ts'
import type { Sink } from '../connect/sink.ts'
import { NO_TOTALS } from '../connect/totals.ts'
import { oneAtATime } from './one-at-a-time.ts'

const CHECKPOINT = { epoch: 1, positions: new Map(), states: new Map(), totals: NO_TOTALS }

/** A sink of which every call ends when it is told to. */
function slowSink(): { readonly sink: Sink<number>; readonly end: () => void } {
  let under = Promise.withResolvers<void>()
  const wait = async (): Promise<void> => await under.promise
  const open = async () => ({
    checkpoint: undefined,
    write: async () => wait().then(() => []),
    writeDeadLetters: wait,
    deleteDeadLetters: wait,
    commit: wait,
    renewLease: wait,
    close: wait,
  })
  const end = (): void => {
    under.resolve()
    under = Promise.withResolvers()
  }
  return { sink: { kind: 'slow', title: 'slow', deadLetters: 'slow', guarantee: 'exactly-once', open }, end }
}

describe('oneAtATime', () => {
  const calls = ['write', 'writeDeadLetters', 'deleteDeadLetters', 'commit', 'close'] as const
  for (const first of calls) {
    it(`C70: fails every call that comes during ${first}, and none after it`, async () => {
      const { sink, end } = slowSink()
      const writer = await oneAtATime(sink).open({ pipeline: 'test' })
      const call = {
        write: () => writer.write(batchOf([1])),
        writeDeadLetters: () => writer.writeDeadLetters([]),
        deleteDeadLetters: () => writer.deleteDeadLetters?.([]),
        commit: () => writer.commit(CHECKPOINT),
        close: () => writer.close(),
      }
      const under = call[first]()
      for (const second of calls) throws(() => void call[second](), InvariantError, `${second} during ${first}`)
      const renewing = writer.renewLease?.()
      end()
      await Promise.all([under, renewing])
      const again = call.write()
      end()
      deepEqual(await again, [])
    })
  }
})
