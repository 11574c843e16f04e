// A plan laid out: layers of stages, and how events get from one layer to the next. Plain data; runs nothing.

import type { Key } from '../base/hash.ts'
import type { Operator, PlanNode } from './plan.ts'
import type { MakeStep } from './step.ts'

/** How events are shared out among the stages of a layer. */
export type Exchange =
  /** Stage n takes from stage n above: nothing is re-distributed. */
  | { readonly kind: 'forward' }
  /** Whoever is free takes the next events. */
  | { readonly kind: 'free' }
  /** Equal keys meet, in order. */
  | { readonly kind: 'key'; readonly key: (event: never) => Key }
  /** The event names its stage. */
  | { readonly kind: 'hash'; readonly hash: (event: never) => number }

/** What a layer takes from another one. */
export interface Edge {
  readonly from: Layer
  readonly exchange: Exchange
}

/** An operator in a layer, with the way in which it works there. */
export interface Placed {
  readonly name: string
  /** Its work in words, for `explain`: `reduce`, `aggregate (partial results)`. */
  readonly does: string
  readonly make: MakeStep
}

/** Stages side by side that do the same: a run of operators with no exchange inside. */
export interface Layer {
  /** Its place in the topology: `layer 2`. */
  readonly name: string
  readonly work: LayerWork
  readonly stages: number
  readonly inputs: readonly Edge[]
}

export type LayerWork =
  /** One stage for each source. */
  | { readonly kind: 'sources'; readonly name: string; readonly sources: readonly unknown[] }
  | { readonly kind: 'steps'; readonly steps: readonly Placed[] }
  | Extract<Operator, { kind: 'mapAsync' | 'batch' | 'throughStages' }>

/** Layers, inputs first; the last one gives what the flow gives. */
export interface Topology {
  readonly layers: readonly Layer[]
  readonly last: Layer
}

export interface LayoutOptions {
  /** Stages of a layer that says nothing of it. */
  readonly stages: number
}

/** A node's inputs are laid out before it; `Layout` in layout.ts decides how. */
export type LayOut = (last: PlanNode, options: LayoutOptions) => Topology
