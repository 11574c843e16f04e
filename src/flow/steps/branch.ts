// branch: one of several branches that events take. What they become on one has other parts than on another.

import { type Batch, batchOf } from '../../connect/batch.ts'
import { faultOfParts, type Origin, partOf } from '../../connect/origin.ts'
import { give, type MakeStep, passing } from '../step.ts'

/**
 * @param at - which of the branches it is
 * @param ways - how many there are
 */
export function branch(name: string, at: number, ways: number): MakeStep {
  return (next, context) =>
    passing(next, (batch) => {
      if (!batch.hasOrigins) return next.events(batch)
      const maxStride = batch.maxStride * (ways + 1)
      const own: Batch = batchOf(
        batch.values(),
        { at: (index) => partOf(batch.origin(index) as Origin, at, ways) as Origin },
        maxStride,
      )
      if (!context.isReplay && maxStride <= Number.MAX_SAFE_INTEGER) return next.events(own)
      const kept: number[] = []
      for (let index = 0; index < batch.length; index += 1) {
        const fault = faultOfParts(batch.origin(index) as Origin, ways)
        // One branch counts for all of them.
        if (fault !== undefined && at === 0) context.dead(name, batch, index, fault)
        if (fault === undefined && own.origin(index) !== undefined) kept.push(index)
      }
      give(next, own.select(kept))
    })
}
