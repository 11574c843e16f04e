// Groups that exist even without events: a total over nothing is still a total.

import type { Topology } from '../../flow/topology.ts'
import type { Crossing, EngineStage } from './engine-stages.ts'

/**
 * Crossings to stages whose number of groups the plan says: all of them are at work in a local run, whatever comes.
 * Those that are only shards of a key have nothing to emit without events.
 */
export function opened(stages: readonly EngineStage[], { layers }: Topology, shards: number): readonly Crossing[] {
  const known = new Set(layers.filter((layer) => layer.stages !== shards))
  return stages.flatMap(({ inputs, layers: [first] }) => {
    const [crossing] = inputs
    return crossing === undefined || first === undefined || !known.has(first) ? [] : [crossing]
  })
}

/** The output on which a list task opens the groups of a stage. */
export function openOutput({ id }: Crossing): string {
  return `open ${id}`
}

/** The output on which a crossing's elements go. */
export function crossingOutput({ id }: Crossing): string {
  return `to ${id}`
}

/** The output on which splits go to the stage that reads them. */
export const SPLITS = 'splits'
