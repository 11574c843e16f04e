// Options of operators, and what their functions are given.

import type { Key } from '../base/hash.ts'
import type { StepOptions } from './name.ts'
import type { EmitMode, Stages } from './plan.ts'
import type { Emitted } from './reduce.ts'

export interface PartitionOptions<T> extends StepOptions {
  /** An integer, 1 or more; as many as the executor finds best by default. */
  readonly stages?: Stages
  /** The event itself by default. */
  readonly key?: (value: T) => Key
  /** The partition by number, from 0 to `stages` - 1, instead of a key. */
  readonly hash?: (value: T) => number
}

export interface UniqOptions extends StepOptions {
  /** The most keys that each stage remembers: an integer, 1 or more; no bound by default. */
  readonly maxKeys?: number
  /** What one more meets: the run fails (default), or the key that came first is forgotten, and would pass again. */
  readonly whenFull?: 'fail' | 'forget'
}

export interface BatchOptions<T> extends StepOptions {
  /** An integer, 1 or more. */
  readonly size: number
  /** A batch is full as well when its events come to `limit` by `of`. */
  readonly bytes?: { readonly limit: number; readonly of: (value: T) => number }
  /** The longest that an event waits for its batch, in clock milliseconds; for as long as it takes by default. */
  readonly waitMs?: number
  /** Batches hold events of one key each. */
  readonly key?: (value: T) => Key
}

/** What a reduction gives under a mode of `emit`. */
export type EmittedBy<M extends EmitMode, S> = M extends 'state' ? S : M extends 'events' ? Emitted<S> : never

/** What a call that waits gets beside its event. */
export interface CallContext {
  /** Aborted when the run ends first, and when the call has had its time. */
  readonly signal: AbortSignal
  /** 1 at the first attempt. */
  readonly attempt: number
}
