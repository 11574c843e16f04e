// A plan laid out: layers of stages, and how events get from one layer to the next. Plain data; runs nothing.

import { createHash } from 'node:crypto'
import type { Key } from '../base/hash.ts'
import type { FieldUse, Operator, Stateless } from './plan.ts'
import type { MakeStep } from './step.ts'

/** How events are shared out among the stages of a layer. */
export type Exchange =
  /** Stage n takes from stage n above: nothing is re-distributed. */
  | { readonly kind: 'forward' }
  /** Whoever is free takes the next events. */
  | { readonly kind: 'free' }
  /** Equal keys meet, in order; `of` is what the key is called, where that is known. */
  | { readonly kind: 'key'; readonly key: (event: never) => Key; readonly of?: string }
  /** The event names its stage. */
  | { readonly kind: 'hash'; readonly hash: (event: never) => number }

/** What a layer takes from another one. */
export interface Edge {
  readonly from: Layer
  readonly exchange: Exchange
  /** Whether events go along it with their origins, as somebody below may need them. */
  readonly isTracked?: boolean
}

/** An operator in a layer, with the way in which it works there. */
export interface Placed {
  readonly name: string
  /** Its work in words, for people and fingerprints: `reduce`, `aggregate (partial results)`. */
  readonly does: string
  /** Under which its states are kept, the same in every layout of a plan; absent where it remembers nothing. */
  readonly id?: string
  /** What its states are of: those of another description are none that it can go on from. */
  readonly keeps?: string
  /** Whether what it gives at the end is given once and for all: it then remembers nothing of it. */
  readonly forgetsAtEnd?: boolean
  /** Whether it gives results at the end, out of what it has gathered. */
  readonly givesAtEnd?: boolean
  /** Whether it counts what it drops, and what it makes of an event beyond the first: all others absorb events. */
  readonly isCounted?: boolean
  /** What it does to the fields of events; `all` where a function looks at whole events. */
  readonly fields?: FieldUse | 'all' | undefined
  /** Looks at one event at a time: runs of these are one loop. */
  readonly each?: Exclude<Stateless, { kind: 'flatMap' }>
  readonly make: MakeStep
}

/** Stages side by side that do the same: a run of operators with no exchange inside. */
export interface Layer {
  /** Its place in the topology, from 1. */
  readonly number: number
  readonly work: LayerWork
  readonly stages: number
  readonly inputs: readonly Edge[]
}

export type LayerWork =
  /** Several stages share the splits of a source that has them; each hands what it reads to its steps. */
  | {
      readonly kind: 'source'
      readonly name: string
      readonly source: unknown
      readonly steps?: readonly Placed[]
    }
  | { readonly kind: 'steps'; readonly steps: readonly Placed[] }
  | Extract<Operator, { kind: 'mapAsync' | 'throughStages' }>

/** Layers, inputs first; what the flow gives comes from the last ones. */
export interface Topology {
  readonly layers: readonly Layer[]
  readonly last: readonly Layer[]
  /** Whether what comes from the last ones has its origins. */
  readonly isTracked?: boolean
}

export interface LayoutOptions {
  /** Stages of a layer that says nothing of it. */
  readonly stages: number
  /** The source of a pipeline, for a plan that continues one: its stages also do what follows their reading. */
  readonly input?: unknown
}

/** The operators that share the stages of a layer. */
export function stepsOf({ work }: Layer): readonly Placed[] {
  return work.kind === 'steps' || work.kind === 'source' ? (work.steps ?? []) : []
}

/** What a layer does, in the words of its operators. */
export function worksOf({ work }: Layer): string[] {
  // One without operators only hands on what comes together in it.
  if (work.kind === 'steps') return work.steps.length === 0 ? ['merge'] : work.steps.map(({ does }) => does)
  if (work.kind === 'source') return [work.name, ...(work.steps ?? []).map(({ does }) => does)]
  return [`${work.kind} ${work.name}`]
}

/**
 * A digest of all that can be told of a topology: two processes that laid out the same plan have the same one.
 *
 * @example
 * const { node } = flow([1, 2]).map((n) => n + 1)
 * fingerprintOf(layOut(node, { stages: 2 })) === fingerprintOf(layOut(node, { stages: 2 })) // => true
 */
export function fingerprintOf({ layers, last }: Topology): string {
  const told = layers.map((layer) => ({
    number: layer.number,
    stages: layer.stages,
    kind: layer.work.kind,
    works: worksOf(layer),
    fields: stepsOf(layer).map(({ fields, keeps }) => [fields, keeps]),
    inputs: layer.inputs.map(({ from, exchange }) => [from.number, exchange.kind]),
  }))
  const text = JSON.stringify([told, last.map(({ number }) => number)])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** Whether events become others on the way, so that what is not counted otherwise was absorbed. */
export function foldsIn({ layers }: Topology): boolean {
  return layers.some(({ work }) => work.kind === 'steps' && work.steps.some(({ isCounted }) => isCounted !== true))
}

/** What an operator remembers. */
export interface Kept {
  /** What its states are of. */
  readonly keeps: string
  readonly forgetsAtEnd: boolean
}

/** What the operators of a topology remember, by their names, which are the same in every layout of a plan. */
export function keptBy({ layers }: Topology): Map<string, Kept> {
  const kept = new Map<string, Kept>()
  for (const { work } of layers) {
    if (work.kind !== 'steps') continue
    for (const { id, keeps = '', forgetsAtEnd = false } of work.steps) {
      if (id !== undefined) kept.set(id, { keeps, forgetsAtEnd })
    }
  }
  return kept
}
