// A flow as data: one union of nodes. A plan says what is to be done and starts nothing.

import type { StandardSchemaV1 } from '@standard-schema/spec'

/** One operator of a flow. Functions are called with one event's value. */
export type PlanNode =
  | { readonly kind: 'map'; readonly name: string; readonly fn: (value: never) => unknown }
  | { readonly kind: 'filter'; readonly name: string; readonly keep: (value: never) => boolean }
  | { readonly kind: 'flatMap'; readonly name: string; readonly fn: (value: never) => Iterable<unknown> }
  | { readonly kind: 'validate'; readonly name: string; readonly schema: StandardSchemaV1 }

export type Plan = readonly PlanNode[]
