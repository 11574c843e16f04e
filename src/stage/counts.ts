// Statistics of a stage: sums of its two sides, computed on request.

import type { Intake } from './intake.ts'
import type { Outlet } from './outlet.ts'
import type { StageStats } from './stage.ts'
import type { WorkTime } from './work-time.ts'

/** What a stage did since it started, and what it has in hand. Counts events. */
export interface StageWork {
  /** Events that it received, and that it emitted. For a source, `received` is what was read. */
  readonly received: number
  readonly emitted: number
  /** Asked for by those below it, and not yet emitted. */
  readonly demand: number
  /** Events waiting in it: received and not handled, or made and not asked for. */
  readonly buffered: number
  /** Its busy time, in clock milliseconds. */
  readonly busyMs: number
  /** Epoch milliseconds of the last watermark it passed on; absent if there was none. */
  readonly watermarkMs?: number
}

export function statsOf(intake: Intake, outlet?: Outlet<unknown>): Omit<StageStats, 'name' | 'state'> {
  return {
    received: intake.received,
    emitted: outlet?.emitted ?? 0,
    buffered: outlet?.buffered ?? 0,
    waiting: intake.waiting,
    discarded: outlet?.discarded ?? 0,
    surplus: [...intake.links].reduce((sum, { surplus }) => sum + surplus, 0),
    producers: intake.links.size,
    consumers: outlet?.links.size ?? 0,
  }
}

/**
 * @param time - undefined if its time is not measured
 */
export function workOf({ received, waiting }: Intake, outlet?: Outlet<unknown>, time?: WorkTime): StageWork {
  const { emitted = 0, buffered = 0, room = 0, watermark } = outlet ?? {}
  return {
    received,
    emitted,
    demand: Math.max(0, room),
    buffered: waiting + buffered,
    busyMs: time?.ms ?? 0,
    ...(watermark === undefined ? {} : { watermarkMs: watermark }),
  }
}
