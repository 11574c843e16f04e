// Time that passes whenever a run under test does nothing but wait for it.

import { systemClock } from '../../base/clock.ts'
import { atRest, type ManualClock } from '../manual-clock.ts'

/** How long what is outside may take before time passes all the same, in real milliseconds. */
const PATIENCE_MS = 1000

/** What time waits for. */
export interface Quiet {
  /** How many things outside are under way: reads, calls of the user's functions. */
  readonly waiting: () => number
  /** Changes whenever something has happened. */
  readonly progress: () => string
}

/**
 * Moves a clock to the next time that is waited for, whenever nothing else can happen, until `work` has settled. Files
 * and the user's own calls take real time: the clock stands still meanwhile.
 */
export async function passTime<T>(clock: ManualClock, work: Promise<T>, { waiting, progress }: Quiet): Promise<T> {
  let isDone = false
  const settled = (): void => {
    isDone = true
  }
  work.then(settled, settled)
  let [before, sinceMs] = ['', systemClock.nowMs()]
  for (;;) {
    await atRest()
    if (isDone) return await work
    const now = progress()
    if (now !== before) {
      before = now
      sinceMs = systemClock.nowMs()
      continue
    }
    const { dueMs } = clock
    const isOutside = dueMs === undefined || (waiting() > 0 && systemClock.nowMs() - sinceMs < PATIENCE_MS)
    if (isOutside) await systemClock.sleep(1)
    else await clock.advance(dueMs - clock.nowMs())
  }
}
