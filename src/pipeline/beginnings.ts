// Where the splits of a run begin: where an earlier one left them, also under other names and in other parts.

import { isDeepStrictEqual } from 'node:util'
import type { Checkpoint } from '../connect/sink.ts'
import type { OpenOptions, Position } from '../connect/source.ts'
import type { PipelineSource } from '../engine/pipeline-source.ts'

type Positions = ReadonlyMap<string, Position>

const NONE: Positions = new Map()

/** Where splits begin, as of a commit. */
export interface Beginning {
  readonly positions: Positions
  /** Those of them that the commit has under another name, or not so far. */
  readonly moved: Positions
}

export class Beginnings {
  /** What was committed when the run began. */
  readonly #committed: Positions
  /** Where splits go on that do not go on from the position under their name. */
  readonly #moved: Positions

  private constructor(committed: Positions, moved: Positions) {
    this.#committed = committed
    this.#moved = moved
  }

  /** Lists the splits of sources that go on from a checkpoint, and finds where each of them begins. */
  static async of(
    sources: readonly PipelineSource[],
    checkpoint: Checkpoint | undefined,
    options: OpenOptions,
  ): Promise<Beginnings> {
    const { positions = NONE } = checkpoint ?? {}
    const moved: [string, Position][] = []
    for (const source of sources) moved.push(...(await source.goOn(positions, options)))
    return new Beginnings(positions, new Map(moved))
  }

  /** As of a commit of this run; what it has committed of a split stands. */
  at(checkpoint: Checkpoint | undefined): Beginning {
    const { positions = NONE } = checkpoint ?? {}
    const moved = new Map<string, Position>()
    for (const [name, position] of this.#moved) {
      if (isDeepStrictEqual(positions.get(name), this.#committed.get(name))) moved.set(name, position)
    }
    return { positions: moved.size === 0 ? positions : new Map([...positions, ...moved]), moved }
  }
}
