// The layers of an attempt with the figures of their stages; the sink is the last one.

import type { Execution } from '../engine/executor.ts'
import type { StageCounts } from '../engine/stage-stats.ts'
import type { Exchange, Layer, Topology } from '../flow/topology.ts'
import { worksOf } from '../flow/topology.ts'
import { average, type BusyShares, bottleneckOf } from './busy-shares.ts'
import { shown } from './recent-events.ts'
import type { LayerFigures } from './snapshot.ts'

export interface LayersOptions {
  readonly topology: Topology
  /** The pipeline's own source, and what is done where it is read. */
  readonly source: unknown
  readonly sourceTitle: string
  readonly sinkTitle: string
  /** The stages of a layer; none while they are starting. */
  readonly figures: (layer: number) => readonly StageCounts[]
  readonly load: StageCounts
  /** Dead letters by step; those of the sink separately. */
  readonly dead: ReadonlyMap<string, number>
  readonly refused: number
  readonly placeOf: Execution['placeOf']
  readonly shares: BusyShares
  readonly nowMs: number
}

export interface Layers {
  readonly layers: readonly LayerFigures[]
  readonly bottleneck?: number
}

const NOTHING: StageCounts = { received: 0, emitted: 0, filtered: 0, derived: 0, demand: 0, buffered: 0, busyMs: 0 }

export function layersOf(options: LayersOptions): Layers {
  const { topology, sinkTitle, figures, load, refused, placeOf, shares, nowMs } = options
  const worked = topology.layers.map((layer) => {
    const found = figures(layer.number)
    return Array.from({ length: layer.stages }, (_, stage) => found[stage] ?? NOTHING)
  })
  worked.push([load])
  const busy = shares.update(
    worked.map((stages) => stages.map(({ busyMs }) => busyMs)),
    nowMs,
  )
  const dead = [...deadOf(options), refused]
  const last = Math.max(0, ...topology.layers.map(({ number }) => number))
  const described = [
    ...topology.layers.map((layer) => ({
      number: layer.number,
      kind: kindOf(layer),
      title: shown(titleOf(layer, options)),
      inputs: layer.inputs.map(({ from, exchange }) => ({ from: from.number, exchange: exchangeOf(exchange) })),
    })),
    {
      number: last + 1,
      kind: 'load' as const,
      title: shown(sinkTitle),
      inputs: topology.last.map(({ number }) => ({ from: number, exchange: 'forward' as const })),
    },
  ]
  const layers = described.map((layer, at) => ({
    ...layer,
    stages: (worked[at] ?? []).map((work, stage) => ({ stage, ...work })),
    dead: dead[at] ?? 0,
    busyShare: average(busy[at] ?? []),
  }))
  // The sink stage is a consumer.
  const found = bottleneckOf(busy, (at, stage) => {
    const layer = topology.layers[at]
    return layer === undefined ? 0 : placeOf(layer, stage)
  })
  const bottleneck = found === undefined ? undefined : layers[found]?.number
  return { layers, ...(bottleneck === undefined ? {} : { bottleneck }) }
}

function kindOf({ work }: Layer): LayerFigures['kind'] {
  if (work.kind === 'mapAsync') return 'calls'
  return work.kind === 'throughStages' ? 'stages' : work.kind
}

function exchangeOf({ kind }: Exchange): LayerFigures['inputs'][number]['exchange'] {
  if (kind === 'hash') return 'key'
  return kind === 'free' ? 'rebalance' : kind
}

function titleOf(layer: Layer, { source, sourceTitle }: LayersOptions): string {
  const [first, ...others] = worksOf(layer)
  return [isOf(layer, source) ? sourceTitle : first, ...others].join(', ')
}

function isOf({ work }: Layer, source: unknown): boolean {
  return work.kind === 'source' && work.source === source
}

/** Each dead letter belongs to the layer of its step; those of no step belong to the source. */
function deadOf({ topology, source, dead }: LayersOptions): number[] {
  const left = new Map(dead)
  const take = (step: string): number => {
    const count = left.get(step) ?? 0
    left.delete(step)
    return count
  }
  const counts = new Map<Layer, number>()
  for (const layer of topology.layers) {
    const { work } = layer
    const steps = 'steps' in work ? (work.steps ?? []).map(({ name }) => name) : [work.name]
    counts.set(
      layer,
      steps.reduce((sum, step) => sum + take(step), 0),
    )
  }
  const first = topology.layers.find((layer) => isOf(layer, source))
  if (first !== undefined)
    counts.set(
      first,
      [...left.values()].reduce((sum, count) => sum + count, counts.get(first) ?? 0),
    )
  return topology.layers.map((layer) => counts.get(layer) ?? 0)
}
