// What a sink must hold that one instance at a time holds: others are rejected, and a fenced instance commits nothing.

import { deepEqual, equal, ok } from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { isSluiceError } from '../../../base/errors.ts'
import { batchOfTracked } from '../../../connect/batch.ts'
import { newOwner } from '../../../connect/lease.ts'
import { newLetter, type SinkDesk } from './desk.ts'
import type { RuleOf, SinkRule } from './rule.ts'
import type { SinkSubject } from './subject.ts'

/** How long a lease holds if a check waits for it to expire, in milliseconds. */
const SHORT_MS = 100
/** And if a check waits for renewals to keep it. */
const LONGER_MS = 1000

export function holdingRules<Row>({ locksWhileWriting = false }: SinkSubject<Row>, rule: RuleOf<Row>): SinkRule[] {
  return [
    rule('C30: rejects a second instance, which continues once the first is closed', async (desk, another) => {
      await desk.commit({ positions: { a: 1 } })
      const second = another()
      ok(await second.isRefused(), 'a pipeline that is open is held')
      await desk.write(1)
      await desk.commit({ positions: { a: 2 } })
      ok(await second.isRefused(), 'a pipeline that is at work is held')
      await desk.close()
      equal((await second.writer()).checkpoint?.epoch, 2)
      await second.close()
      await desk.reopen()
      await desk.checkRows()
    }),

    rule('C31, C32: can be taken over once the lease was not renewed for long enough', async (desk, another) => {
      const zombie = another({ leaseMs: SHORT_MS })
      await zombie.write(1)
      await zombie.commit({ positions: { a: 1 } })
      const successor = another({ leaseMs: SHORT_MS })
      await takeOver(successor)
      equal((await successor.writer()).checkpoint?.epoch, 1)
      await isFenced(zombie, [2, ''])
      ok(await another().isRefused(), 'a fenced instance releases nothing when it closes')
      successor.inherit(zombie)
      await successor.write(3)
      await successor.commit({ positions: { a: 2 } })
      await successor.checkRows()
      await successor.close()
      equal((await desk.writer()).checkpoint?.epoch, 2)
    }),

    rule('C32: commits nothing of what was written before it was taken over from', async (desk, another) => {
      if (locksWhileWriting) return
      const zombie = another({ leaseMs: SHORT_MS })
      await zombie.write(1)
      await zombie.writeDeadLetters(newLetter())
      const successor = another({ leaseMs: SHORT_MS })
      await takeOver(successor)
      const writer = zombie.lose()
      const error = await outcome(async () => {
        await writer?.write(batchOfTracked([zombie.event(2)]))
        await writer?.commit({ ...zombie.kept, epoch: 1 })
      })
      ok(error !== undefined, 'a fenced instance is told so')
      await outcome(async () => await writer?.close())
      await successor.write(3)
      await successor.commit({ positions: { a: 1 } })
      await successor.checkRows()
      await successor.checkLetters()
      await successor.close()
      equal((await desk.writer()).checkpoint?.epoch, 1)
    }),

    rule('C34: can be taken from its holder, at once; that one commits nothing more', async (desk, another) => {
      const zombie = another()
      await zombie.write(1)
      await zombie.commit({ positions: { a: 1 } })
      const canBreak = await zombie.inspects(
        async ({ lease, breakLease }) => lease !== undefined && breakLease !== undefined,
      )
      if (canBreak !== true) return
      const leaseNow = () => zombie.inspects(async (inspector) => await inspector.lease?.())
      const breakOff = (token: number) => zombie.inspects(async (inspector) => await inspector.breakLease?.(token))
      const { token = 0, holder = '', silentMs = -1 } = (await leaseNow()) ?? {}
      ok(holder.startsWith(`process ${process.pid} on `) && silentMs >= 0, `the holder is named: ${holder}`)
      deepEqual([await breakOff(token - 1), await breakOff(token), await breakOff(token)], [false, true, false])
      equal(await leaseNow(), undefined)
      const successor = another()
      equal((await successor.writer()).checkpoint?.epoch, 1)
      await isFenced(zombie, [2, ''])
      equal(await breakOff(token), false, 'the lease of another is not taken by an old number')
      successor.inherit(zombie)
      await successor.write(3)
      await successor.commit({ positions: { a: 2 } })
      await successor.checkRows()
      await successor.close()
      equal((await desk.writer()).checkpoint?.epoch, 2)
    }),

    rule('C121, C122: takes copies in parallel, and another number once all have ended', async (_, another, place) => {
      if (place.sink.takesShards !== true) return
      const copy = (index: number, count: number) => another({ shard: { index, count } })
      const [one, two] = [copy(0, 2), copy(1, 2)]
      await one.write(1)
      await one.commit({ positions: { a: 1 } })
      for (const other of [copy(0, 2), copy(2, 3), another()]) ok(await other.isRefused(), 'what runs is held')
      equal((await two.writer()).checkpoint?.epoch, 0)
      await two.write(2)
      await two.commit({ positions: { b: 1 } })
      await one.commit({ positions: { a: 2 } })
      equal((await one.inspects(async (inspector) => await inspector.checkpoint()))?.shards?.length, 2)
      await one.close()
      ok(await copy(2, 3).isRefused(), 'another number waits for all copies')
      await two.close()
      for (const next of [copy(2, 3), copy(0, 3), copy(1, 3), another()]) {
        const { checkpoint } = await next.writer()
        deepEqual(checkpoint?.positions, new Map(Object.entries({ a: 2, b: 1 })))
        await next.close()
      }
      const again = copy(0, 2)
      equal((await again.writer()).checkpoint?.epoch, 2)
    }),

    rule('C31: is held for as long as there are signs of life', async (_, another) => {
      const first = another({ leaseMs: LONGER_MS })
      const writer = await first.writer()
      if (writer.renewLease === undefined) return
      await first.commit({ positions: { a: 1 } })
      // If this machine was too slow to renew in time, that says nothing about the sink.
      for (let tries = 0, renewed = 0; renewed < 2 && tries < 20; tries += 1) {
        await sleep(LONGER_MS * 0.6)
        const renewedAt = performance.now()
        await writer.renewLease()
        const second = another({ leaseMs: LONGER_MS })
        const isRefused = await second.isRefused()
        await second.close()
        if (performance.now() - renewedAt > LONGER_MS) continue
        ok(isRefused, 'a lease that was renewed holds')
        renewed += 1
      }
      await first.write(1)
      await first.commit({ positions: { a: 2 } })
      await first.checkRows()
    }),

    rule('lets its owner open it again, and fences what that had open before', async (_, another) => {
      const owner = newOwner()
      const before = another({ owner })
      await before.write(1)
      await before.commit({ positions: { a: 1 } })
      const again = another({ owner })
      equal((await again.writer()).checkpoint?.epoch, 1)
      await isFenced(before, [2, ''])
      ok(await another().isRefused(), 'another owner is rejected')
      again.inherit(before)
      await again.write(3)
      await again.commit({ positions: { a: 2 } })
      await again.checkRows()
    }),
  ]
}

/** Opens what is held until the lease has expired. */
async function takeOver<Row>(successor: SinkDesk<Row>): Promise<void> {
  for (let tries = 0; tries < 200; tries += 1) {
    if (!(await successor.isRefused())) return
    await sleep(SHORT_MS / 4)
  }
  ok(false, 'a lease that is not renewed expires')
}

/**
 * What a fenced instance writes is rejected, at the latest with the commit; then it is closed. A sink that ends the
 * connection of a fenced instance reports a loss: opening it again reports the rest.
 */
async function isFenced<Row>(desk: SinkDesk<Row>, row: readonly [number, string]): Promise<void> {
  const error = await outcome(async () => {
    await desk.write(row)
    await desk.commit({ positions: { a: 'fenced' } })
  })
  const isTold = isSluiceError(error, 'PIPELINE_HELD') || isSluiceError(error, 'SINK_LOST')
  ok(isTold, `a fenced instance gets PIPELINE_HELD, or SINK_LOST: ${error}`)
  await outcome(() => desk.close())
}

/** What it threw; undefined if it did not. */
async function outcome(work: () => Promise<void>): Promise<unknown> {
  try {
    await work()
    return undefined
  } catch (error) {
    return error
  }
}
