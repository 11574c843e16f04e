// A topology as an engine sees it: stages with nothing but exchanges between them.

import type { Edge, Layer, Topology } from '../../flow/topology.ts'

/** An edge on which events go to another stage: through the engine, which brings equal shards together. */
export interface Crossing {
  /** Unique in the plan, and the same wherever it is laid out. */
  readonly id: string
  readonly edge: Edge
  readonly to: Layer
  /** Which of the inputs of `to` it is. */
  readonly input: number
}

/**
 * Layers that forward to each other: what a worker does with one group of events in one go. It either reads sources or
 * takes from other stages, never both.
 */
export interface EngineStage {
  /** From 1, those above first. */
  readonly number: number
  /** Those above first. */
  readonly layers: readonly Layer[]
  /** Those of its layers that read. */
  readonly sources: readonly Layer[]
  readonly inputs: readonly Crossing[]
  readonly outputs: readonly Crossing[]
  /** How many groups there can be at most. */
  readonly shards: number
  /** Whether its events are rows. */
  readonly isLast: boolean
}

/** The stages of a topology, and which edges are within one. */
export function engineStagesOf(topology: Topology): readonly EngineStage[] {
  const crossings = crossingsOf(topology)
  const isCut = new Set(crossings.map(({ edge }) => edge))
  return groupsOf(topology, isCut).map((layers, index): EngineStage => {
    const own = new Set(layers)
    return {
      number: index + 1,
      layers,
      sources: layers.filter(isSource),
      inputs: crossings.filter(({ to }) => own.has(to)),
      outputs: crossings.filter(({ edge }) => own.has(edge.from)),
      shards: layers[0]?.stages ?? 1,
      isLast: layers.some((layer) => topology.last.includes(layer)),
    }
  })
}

/** Whoever takes from another stage takes everything from other stages: a group then has one beginning and one end. */
function crossingsOf({ layers }: Topology): readonly Crossing[] {
  const cut = new Set<Edge>()
  for (const { inputs } of layers) {
    if (inputs.some(({ exchange }) => exchange.kind !== 'forward')) for (const edge of inputs) cut.add(edge)
  }
  for (const group of groupsOf({ layers, last: [] }, cut)) {
    const takes = group.some(({ inputs }) => inputs.some((edge) => cut.has(edge)))
    if (!takes || !group.some(isSource)) continue
    for (const { inputs } of group) for (const edge of inputs) if (isSource(edge.from)) cut.add(edge)
  }
  return layers.flatMap((to) =>
    to.inputs.flatMap((edge, input): Crossing[] =>
      cut.has(edge) ? [{ id: `${to.number}-${input}`, edge, to, input }] : [],
    ),
  )
}

/** Layers that edges connect, without those that are cut; in the order of their first layers. */
function groupsOf({ layers }: Topology, cut: ReadonlySet<Edge>): readonly (readonly Layer[])[] {
  const groupOf = new Map<Layer, Set<Layer>>()
  for (const layer of layers) {
    const group = new Set([layer])
    groupOf.set(layer, group)
    for (const edge of layer.inputs) {
      if (cut.has(edge)) continue
      for (const other of groupOf.get(edge.from) ?? []) {
        group.add(other)
        groupOf.set(other, group)
      }
    }
  }
  return [...new Set(groupOf.values())].map((group) => [...group].sort((a, b) => a.number - b.number))
}

function isSource({ work }: Layer): boolean {
  return work.kind === 'source'
}
