// The splits of a source, handed out to the workers by a shared counter.

import type { Split } from '../../connect/source.ts'
import type { SplitQueue } from '../split-queue.ts'

/**
 * @param slot - the source's index in `taken`, which counts the splits that were handed out
 */
export function sharedQueue(splits: readonly Split[], taken: SharedArrayBuffer, slot: number): SplitQueue {
  const counters = new Int32Array(taken)
  return { take: () => splits[Atomics.add(counters, slot, 1)] }
}
