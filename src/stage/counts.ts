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

export class Counts {
  readonly #intake: Intake
  readonly #outlet: Outlet<unknown> | undefined
  /** Set where its time is measured. */
  time: WorkTime | undefined

  constructor(intake: Intake, outlet: Outlet<unknown> | undefined) {
    this.#intake = intake
    this.#outlet = outlet
  }

  stats(): Omit<StageStats, 'name' | 'state'> {
    let surplus = 0
    for (const link of this.#intake.links) surplus += link.surplus
    return {
      received: this.#intake.received,
      emitted: this.#outlet?.emitted ?? 0,
      buffered: this.#outlet?.buffered ?? 0,
      waiting: this.#intake.waiting,
      discarded: this.#outlet?.discarded ?? 0,
      surplus,
      producers: this.#intake.links.size,
      consumers: this.#outlet?.links.size ?? 0,
    }
  }

  work(): StageWork {
    const { received, waiting } = this.#intake
    const { emitted = 0, buffered = 0, room = 0, watermark } = this.#outlet ?? {}
    return {
      received,
      emitted,
      demand: Math.max(0, room),
      buffered: waiting + buffered,
      busyMs: this.time?.ms ?? 0,
      ...(watermark === undefined ? {} : { watermarkMs: watermark }),
    }
  }
}
