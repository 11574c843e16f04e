// A plan laid out: layers of stages, and how events get from one layer to the next. Plain data; runs nothing.

import { createHash } from 'node:crypto'
import type { Key } from '../base/hash.ts'
import type { FieldUse, Operator, Stateless } from './plan.ts'
import type { MakeStep } from './step.ts'

/** How events are divided among the stages of a layer. */
export type Exchange =
  /** Stage n takes from stage n above: nothing is re-distributed. */
  | { readonly kind: 'forward' }
  /** The next free stage takes the next events. */
  | { readonly kind: 'free' }
  /** Equal keys meet, in order; `of` is the name of the key, if known. */
  | { readonly kind: 'key'; readonly key: (event: never) => Key; readonly of?: string }
  /** The event chooses its stage. */
  | { readonly kind: 'hash'; readonly hash: (event: never) => number }

/** An input of a layer. */
export interface Edge {
  readonly from: Layer
  readonly exchange: Exchange
  /** Whether events carry their origins on it, because something below may need them. */
  readonly isTracked?: boolean
}

/** An operator in a layer, in the form in which it works there. */
export interface Placed {
  readonly name: string
  /** Its work in words, for people and fingerprints: `reduce`, `aggregate (partial results)`. */
  readonly does: string
  /** The name under which its state is stored, the same in every layout of a plan; absent for stateless operators. */
  readonly id?: string
  /** Describes the shape of the state; state saved under another description cannot be restored. */
  readonly keeps?: string
  /** Whether its final results are emitted once and for all: its state is dropped then. */
  readonly forgetsAtEnd?: boolean
  /** Whether it emits results at the end, from its state. */
  readonly givesAtEnd?: boolean
  /** Whether it counts what it drops, and what it makes of an event beyond the first: all others absorb events. */
  readonly isCounted?: boolean
  /** What it does to the fields of events; `all` where a function looks at whole events. */
  readonly fields?: FieldUse | 'all' | undefined
  /** Looks at one event at a time: runs of these are one loop. */
  readonly each?: Exclude<Stateless, { kind: 'flatMap' }>
  readonly make: MakeStep
}

/** Parallel stages that do the same: a run of operators without an exchange inside. */
export interface Layer {
  /** Its number in the topology, from 1. */
  readonly number: number
  readonly work: LayerWork
  readonly stages: number
  readonly inputs: readonly Edge[]
}

export type LayerWork =
  /** Several stages share the splits of a source that has them; each passes what it reads to its steps. */
  | {
      readonly kind: 'source'
      readonly name: string
      readonly source: unknown
      readonly steps?: readonly Placed[]
    }
  | { readonly kind: 'steps'; readonly steps: readonly Placed[] }
  | Extract<Operator, { kind: 'mapAsync' | 'throughStages' }>

/** Layers, inputs first; the output of the flow comes from the last ones. */
export interface Topology {
  readonly layers: readonly Layer[]
  readonly last: readonly Layer[]
  /** Whether the output has origins. */
  readonly isTracked?: boolean
}

export interface LayoutOptions {
  /** Stages of a layer that does not set their number. */
  readonly stages: number
  /** The source of a pipeline, for a plan that continues one: its stages also run what follows the reading. */
  readonly input?: unknown
}

/** The operators that share the stages of a layer. */
export function stepsOf({ work }: Layer): readonly Placed[] {
  return work.kind === 'steps' || work.kind === 'source' ? (work.steps ?? []) : []
}

/** What a layer does, in the words of its operators. */
export function worksOf({ work }: Layer): string[] {
  // One without operators only merges its inputs.
  if (work.kind === 'steps') return work.steps.length === 0 ? ['merge'] : work.steps.map(({ does }) => does)
  if (work.kind === 'source') return [work.name, ...(work.steps ?? []).map(({ does }) => does)]
  return [`${work.kind} ${work.name}`]
}

/**
 * A digest of everything describable of a topology: two processes that laid out the same plan have the same one.
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

/** Whether events become others on the way, so that whatever is not counted otherwise was absorbed. */
export function foldsIn({ layers }: Topology): boolean {
  return layers.some(({ work }) => work.kind === 'steps' && work.steps.some(({ isCounted }) => isCounted !== true))
}

/** The state that an operator has. */
export interface Kept {
  /** Describes the shape of the state. */
  readonly keeps: string
  readonly forgetsAtEnd: boolean
}

/** The stateful operators of a topology, by their names, which are the same in every layout of a plan. */
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
