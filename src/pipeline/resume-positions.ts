// Where the splits of a run start: where an earlier one left them, even under other names and in other parts.

import { isDeepStrictEqual } from 'node:util'
import type { Checkpoint } from '../connect/sink.ts'
import type { OpenOptions, Position } from '../connect/source.ts'
import type { PipelineSource } from '../engine/pipeline-source.ts'

type Positions = ReadonlyMap<string, Position>

const NONE: Positions = new Map()

/** Where splits start, as of a commit. */
export interface ResumePositions {
  readonly positions: Positions
  /** Those that the commit has under another name, or not as far. */
  readonly moved: Positions
}

/** Where splits start as of a commit of this run; what it has committed of a split stands. */
export type ResumePositionsAt = (checkpoint: Checkpoint | undefined) => ResumePositions

/** Lists the splits of sources that continue from a checkpoint, and finds where each of them starts. */
export async function resumePositions(
  sources: readonly PipelineSource[],
  committed: Checkpoint | undefined,
  options: OpenOptions,
): Promise<ResumePositionsAt> {
  const before = committed?.positions ?? NONE
  /** Splits that do not continue from the position stored under their name. */
  const elsewhere: [string, Position][] = []
  for (const source of sources) elsewhere.push(...(await source.goOn(before, options)))
  return (checkpoint) => {
    const { positions = NONE } = checkpoint ?? {}
    const moved = new Map(elsewhere.filter(([name]) => isDeepStrictEqual(positions.get(name), before.get(name))))
    return { positions: moved.size === 0 ? positions : new Map([...positions, ...moved]), moved }
  }
}
