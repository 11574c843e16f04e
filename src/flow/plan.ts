// A flow as data: operators, and which takes from which. A plan describes what to do and starts nothing.

import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { AnyAggregate } from '../aggregate/aggregate.ts'
import type { Key } from '../base/hash.ts'
import type { Batch } from '../connect/batch.ts'
import type { ColumnBatch } from '../connect/column-batch.ts'
import type { WindowSpec } from '../window/window.ts'

/** How an operator uses the fields of events, if it names them. */
export interface FieldUse {
  readonly reads: readonly string[]
  /** The fields that events have after it; absent: those that they had. */
  readonly only?: readonly string[]
  /** Fields that it adds, or puts in place of others. */
  readonly adds?: readonly string[]
}

/** What every operator may declare. */
interface Named {
  readonly name: string
  /** Absent where a function looks at whole events. */
  readonly fields?: FieldUse
  readonly byColumn?: ByColumn | undefined
}

/**
 * Does an operator's work on the fields of many events at once, for the same result; undefined where that takes the
 * events themselves.
 */
export type ByColumn = (batch: ColumnBatch<unknown>, counts: { filtered: number; derived: number }) => Batch | undefined

/** An operator that looks at one event at a time and remembers nothing. Functions are called with one event's value. */
export type Stateless =
  | ({ readonly kind: 'map'; readonly fn: (value: never) => unknown } & Named)
  | ({ readonly kind: 'filter'; readonly keep: (value: never) => boolean } & Named)
  | ({ readonly kind: 'flatMap'; readonly fn: (value: never) => Iterable<unknown> } & Named)
  | { readonly kind: 'validate'; readonly name: string; readonly schema: StandardSchemaV1 }

/** Where events come from. */
export type Origins =
  /** The input is not known yet: stands for a pipeline's source. */
  | { readonly kind: 'input'; readonly name: string }
  /** Iterables, async iterables, streams, stages, splittable sources: read in parallel. */
  | { readonly kind: 'source'; readonly name: string; readonly sources: readonly unknown[]; readonly stages: Stages }

/** An operator with state. */
export type Stateful =
  | Deduplicating
  | { readonly kind: 'take'; readonly name: string; readonly count: number }
  | TakingSorted
  | Reduce
  | Aggregating
  | {
      readonly kind: 'departition'
      readonly name: string
      readonly create: () => unknown
      readonly merge: (into: never, state: never) => unknown
      readonly done: (merged: never, window: unknown) => unknown
      /** How long after its end a window is held open. */
      readonly latenessMs: number
      /** The most windows that are waiting for more parts. */
      readonly maxOpen: number
    }
  | Joining

/** Pairs of events of two flows with equal keys. */
export interface Joining {
  readonly kind: 'join'
  readonly name: string
  readonly mode: JoinMode
  readonly left: (value: never) => Key
  readonly right: (value: never) => Key
  readonly window: Windowing
  readonly stages: Stages
  /** The most events kept of both sides together, in each stage. */
  readonly maxHeld: number
  /** The fields by which events meet, where results are rows. */
  readonly on: readonly string[] | undefined
  /** Makes a row from a pair; undefined to emit the pair itself. */
  readonly pair: ((left: unknown, right: unknown) => unknown) | undefined
}

/** The events that come first by an order, when all have been seen. */
export interface TakingSorted {
  readonly kind: 'takeSort'
  readonly name: string
  /** Infinity: all of them. */
  readonly count: number
  readonly compare: Compare
  /** The most events that a stage holds. */
  readonly maxHeld: number
  /** Whether they are emitted one by one, instead of as one array. */
  readonly isSpread: boolean
  /** Whether each run sorts what it has read itself. */
  readonly isOfRun: boolean
}

/** Passes the first event of each key. */
export interface Deduplicating {
  readonly kind: 'uniq'
  readonly name: string
  readonly by: (value: never) => Key
  readonly window: Windowing
  /** The most keys that a stage remembers, without a window. */
  readonly maxKeys: number
  readonly whenFull: 'fail' | 'forget'
}

/** An aggregation: one result for each key and window. */
export interface Aggregating {
  readonly kind: 'aggregate'
  readonly name: string
  /** Absent: one result for all events. */
  readonly key: ((value: never) => Key) | undefined
  readonly aggregate: AnyAggregate<never>
  /** The fields of the key, if results are rows: these have those fields, and those of the window. */
  readonly row: readonly string[] | undefined
  readonly window: Windowing
  /** The most keys that a stage holds, without a window. */
  readonly maxKeys: number
}

/** A reduction: one state for each stage and window. */
export interface Reduce {
  readonly kind: 'reduce'
  readonly name: string
  readonly create: () => unknown
  /** Returns the next state; with `emits`, the events to emit at once, and the next state. */
  readonly add: (state: never, value: never) => unknown
  readonly emits: boolean
  readonly window: Windowing
  /** What is emitted when a window fires. */
  readonly emit: EmitMode
  readonly onTrigger: ((fired: never) => unknown) | undefined
  /** Whether each window's final state is passed on with its window, to a departition. */
  readonly asParts: boolean
  /** Whether one state serves all events, because there is no partition. */
  readonly isGlobal: boolean
  /** The most items of a state that has items. */
  readonly maxKeys: number
  /** The key by which a state gathers events: events with equal keys must meet. */
  readonly by?: ((value: never) => Key) | undefined
}

/** An async operator: it has a stage of its own. */
export type Waiting =
  | {
      readonly kind: 'mapAsync'
      readonly name: string
      /** Makes the function, once per stage: it may have a cache. */
      readonly make: () => (value: never, context: never) => unknown
      readonly settings: WaitSettings
    }
  | {
      readonly kind: 'batch'
      readonly name: string
      readonly size: number
      readonly bytes: { readonly limit: number; readonly of: (value: never) => number } | undefined
      readonly waitMs: number | undefined
      readonly key: ((value: never) => Key) | undefined
      /** The most batches that a stage has open. */
      readonly maxKeys: number
    }
  /** Stages of the user's own: a function, so that each run has its own. */
  | { readonly kind: 'throughStages'; readonly name: string; readonly make: () => readonly unknown[] }

/** An operator that passes events to other stages. */
export type Exchanging =
  | {
      readonly kind: 'partition'
      readonly name: string
      readonly stages: Stages
      /** The key that groups events, or the partition itself. */
      readonly by: { readonly key: (value: never) => Key } | { readonly hash: (value: never) => number }
    }
  | { readonly kind: 'shuffle'; readonly name: string; readonly stages: Stages }
  | { readonly kind: 'merge'; readonly name: string }

/** One of several branches that the events of a node take in a pipeline. */
export interface Branching {
  readonly kind: 'branch'
  readonly name: string
  /** Which of them it is, of how many. */
  readonly at: number
  readonly ways: number
}

export type Operator = Origins | Stateless | Stateful | Waiting | Exchanging | Branching

/** How many stages a layer has; undefined: chosen by the executor. */
export type Stages = number | undefined
export type Windowing = WindowSpec<never> | undefined
export type Compare = (a: never, b: never) => number
export type EmitMode = 'events' | 'state' | 'nothing'
export type JoinMode = 'inner' | 'left' | 'right' | 'full'

/** Settings of an async operator. */
export interface WaitSettings {
  readonly concurrency: number
  readonly ordered: boolean
  readonly attempts: number
  readonly firstBackoffMs: number
  readonly ratePerSecond: number | undefined
  readonly timeoutMs: number | undefined
  /** Calls for equal keys run one after the other. */
  readonly key: ((value: never) => Key) | undefined
}

/** One operator in its place. Two flows may share a node: it is then computed once for both. */
export interface PlanNode {
  readonly operator: Operator
  readonly inputs: readonly PlanNode[]
}

const STATELESS: readonly string[] = ['map', 'filter', 'flatMap', 'validate'] satisfies Stateless['kind'][]

export function isStateless(operator: Operator): operator is Stateless {
  return STATELESS.includes(operator.kind)
}

/** Every node from the sources down to `last`, each once, inputs first: the order is the same in every process. */
export function nodesOf(last: PlanNode): PlanNode[] {
  const found = new Set<PlanNode>()
  const open: { readonly node: PlanNode; next: number }[] = [{ node: last, next: 0 }]
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    const input = top.node.inputs[top.next]
    top.next += 1
    if (input === undefined) {
      found.add(top.node)
      open.pop()
    } else if (!found.has(input)) open.push({ node: input, next: 0 })
  }
  return [...found]
}
