// take, takeSort: the first events, by arrival or by an order.

import { overLimit } from '../../base/over-limit.ts'
import type { TakingSorted } from '../plan.ts'
import { give, giveResults, type MakeStep } from '../step.ts'

/** Events beyond `count` that are kept before they are sorted. */
const SORTED_AT_ONCE = 1024
const OUT_AT_ONCE = 4096

/** The first `count` events; then nothing more is wanted from above. */
export function take(count: number): MakeStep {
  return (next, context) => {
    let left = count
    context.isStopped ||= left === 0
    return {
      events(batch) {
        if (left === 0) return
        const taken = batch.slice(0, Math.min(left, batch.length))
        left -= taken.length
        // Set before they are passed on: put-off work above must not continue for their sake.
        context.isStopped ||= left === 0
        give(next, taken)
      },
      watermark: (time) => next.watermark(time),
    }
  }
}

/**
 * The `count` events that come first by `compare`, at the end. Where there are several stages, each sorts its own and
 * gives an array (`first`), and one stage merges these (`merging`).
 */
export function takeSort(operator: TakingSorted, part: 'whole' | 'first' | 'merging' = 'whole'): MakeStep {
  const { name, count, compare, maxHeld, isSpread } = operator
  return (next, context) => {
    let best: unknown[] = []
    const sorted = (): unknown[] => best.sort(compare as (a: unknown, b: unknown) => number).slice(0, count)
    const keep = (events: readonly unknown[]): void => {
      for (const event of events) best.push(event)
      if (best.length > maxHeld && count > maxHeld) {
        throw overLimit({ what: 'event', operator: name, option: 'maxHeld', limit: maxHeld })
      }
      // Sorting many now and then costs less than a heap for each, and keeps the order of equals.
      if (best.length >= 2 * count + SORTED_AT_ONCE) best = sorted()
    }
    return {
      events: (batch) => keep(part === 'merging' ? batch.values().flat() : batch.values()),
      watermark: (time) => next.watermark(time),
      snapshot: () => (best.length === 0 ? undefined : sorted()),
      // Any stage may hold any of them: they meet at the end.
      restore: (saved) => (context.partition.index === 0 ? keep(saved.flat()) : undefined),
      end() {
        const found = sorted()
        if (!isSpread || part === 'first') return giveResults(next, [found])
        for (let at = 0; at < found.length; at += OUT_AT_ONCE) giveResults(next, found.slice(at, at + OUT_AT_ONCE))
      },
    }
  }
}
