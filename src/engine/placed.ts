// A stage of a layer as figures see it: all the stages that it is made of, as one.

import type { StageCore } from '../stage/core.ts'
import type { StageWork } from '../stage/counts.ts'

/** What a stage counts by itself, as its core cannot know it. */
export interface Tally {
  /** Events that entered there. */
  received: number
  /** Its time at work, where that is not the time of its hooks. */
  busyMs(): number
}

export class PlacedStage {
  readonly layer: number
  readonly stage: number
  readonly #cores: readonly StageCore[]
  readonly #tally: Tally | undefined

  /** @param cores - in the order in which events go through them */
  constructor(layer: number, stage: number, cores: readonly StageCore[], tally: Tally | undefined) {
    this.layer = layer
    this.stage = stage
    this.#cores = cores
    this.#tally = tally
  }

  work(): StageWork {
    const all = this.#cores.map((core) => core.work())
    const [first, last] = [all[0], all.at(-1)]
    const { watermarkMs } = last ?? {}
    return {
      received: (first?.received ?? 0) + (this.#tally?.received ?? 0),
      emitted: last?.emitted ?? 0,
      demand: last?.demand ?? 0,
      buffered: all.reduce((sum, { buffered }) => sum + buffered, 0),
      busyMs: Math.max(
        all.reduce((sum, { busyMs }) => sum + busyMs, 0),
        this.#tally?.busyMs() ?? 0,
      ),
      ...(watermarkMs === undefined ? {} : { watermarkMs }),
    }
  }
}
