// What is told of a stage from outside: sums of its two sides, worked out when somebody asks.

import type { Intake } from './intake.ts'
import type { Outlet } from './outlet.ts'
import type { StageStats } from './stage.ts'
import type { WorkTime } from './work-time.ts'

/** What a stage did since it began, and what it has in hand. Counts events. */
export interface StageWork {
  /** Events that it took, and that it gave. Where events enter, `received` is what was read. */
  readonly received: number
  readonly emitted: number
  /** Asked for by those below it, and not given yet. */
  readonly demand: number
  /** Events that wait in it: come and not handled, or made and not asked for. */
  readonly buffered: number
  /** How long it was at work, in clock milliseconds. */
  readonly busyMs: number
  /** Epoch milliseconds of the last watermark it handed on; absent where there was none. */
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

/** @param time - undefined where its time is not measured */
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
