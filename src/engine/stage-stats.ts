// The statistics of a stage of a layer: of all the actors it consists of, as one.

import type { StepCounts } from '../flow/step.ts'
import type { StageCore } from '../stage/core.ts'
import type { StageWork } from '../stage/counts.ts'

/** What a stage counts itself, as its core cannot know it. */
export interface OwnCounts {
  /** Events that entered there. */
  received: number
  /** What its stateless operators dropped, and events they made beyond the first. */
  readonly counts: StepCounts
  /** Its busy time, if that is not the time of its hooks. */
  busyMs(): number
}

/** What a stage of a layer did, with the events that were not passed on as they came. */
export interface StageCounts extends StageWork, Readonly<StepCounts> {}

export class StageStats {
  readonly layer: number
  readonly stage: number
  readonly #cores: readonly StageCore[]
  readonly #ownCounts: OwnCounts

  /**
   * @param cores - in the order in which events pass through them
   */
  constructor(layer: number, stage: number, cores: readonly StageCore[], ownCounts: OwnCounts) {
    this.layer = layer
    this.stage = stage
    this.#cores = cores
    this.#ownCounts = ownCounts
  }

  work(): StageCounts {
    const all = this.#cores.map((core) => core.work())
    const [first, last] = [all[0], all.at(-1)]
    const { watermarkMs } = last ?? {}
    return {
      received: (first?.received ?? 0) + this.#ownCounts.received,
      emitted: last?.emitted ?? 0,
      ...this.#ownCounts.counts,
      demand: last?.demand ?? 0,
      buffered: all.reduce((sum, { buffered }) => sum + buffered, 0),
      busyMs: Math.max(
        all.reduce((sum, { busyMs }) => sum + busyMs, 0),
        this.#ownCounts.busyMs(),
      ),
      ...(watermarkMs === undefined ? {} : { watermarkMs }),
    }
  }
}
