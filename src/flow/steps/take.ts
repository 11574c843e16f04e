// take, takeSort: the first events, by their coming or by an order.

import type { Compare } from '../plan.ts'
import { give, giveResults, type MakeStep } from '../step.ts'

/** Events beyond `count` that are kept before they are sorted. */
const SORTED_AT_ONCE = 1024

/** The first `count` events; then nothing more is wanted of anybody above. */
export function take(count: number): MakeStep {
  return (next, context) => {
    let left = count
    context.isStopped ||= left === 0
    return {
      events(batch) {
        if (left === 0) return
        const taken = batch.slice(0, Math.min(left, batch.length))
        left -= taken.length
        // Before they go on: what is put off above must not go on for their sake.
        context.isStopped ||= left === 0
        give(next, taken)
      },
      watermark: (time) => next.watermark(time),
    }
  }
}

/**
 * The `count` events that come first by `compare`, as one array at the end. `isFinal` takes such arrays and makes one of
 * them: each stage sorts its own, and one merges.
 */
export function takeSort(count: number, compare: Compare, isFinal = false): MakeStep {
  return (next, context) => {
    let best: unknown[] = []
    const sorted = (): unknown[] => best.sort(compare as (a: unknown, b: unknown) => number).slice(0, count)
    const keep = (events: readonly unknown[]): void => {
      for (const event of events) best.push(event)
      // Sorting many now and then costs less than a heap for each, and keeps the order of equals.
      if (best.length >= 2 * count + SORTED_AT_ONCE) best = sorted()
    }
    return {
      events: (batch) => keep(isFinal ? batch.values().flat() : batch.values()),
      watermark: (time) => next.watermark(time),
      snapshot: () => (best.length === 0 ? undefined : sorted()),
      // Any stage may hold any of them: they meet at the end.
      restore: (saved) => (context.partition.index === 0 ? keep(saved.flat()) : undefined),
      end: () => giveResults(next, [sorted()]),
    }
  }
}
