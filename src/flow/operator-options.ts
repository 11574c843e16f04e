// Options of operators, checked; and what their functions receive.

import type { NamesOf } from '../aggregate/record.ts'
import { checkChoice, checkInteger, checkKeys, checkMs } from '../base/check.ts'
import type { Key } from '../base/hash.ts'
import { keyFrom, numberBy } from './by-name.ts'
import type { KeyBy } from './field-types.ts'
import { MOST_HELD, MOST_KEYS } from './limit.ts'
import type { StepOptions } from './name.ts'
import type { EmitMode, Operator, Stages, TakingSorted, Windowing } from './plan.ts'
import type { Emitted } from './reduce.ts'

export interface PartitionOptions<T> extends StepOptions {
  /** An integer, 1 or more; chosen by the executor by default. */
  readonly stages?: Stages
  /** A function, or the name of a field, or several; the event itself by default. */
  readonly key?: KeyBy<T>
  /** The partition by number, from 0 to `stages` - 1, instead of a key. */
  readonly hash?: (value: T) => number
}

export interface UniqOptions extends StepOptions {
  /** The most keys that each stage remembers: an integer, 1 or more; 1,000,000 by default. */
  readonly maxKeys?: number
  /** What happens at the limit: the run fails (default), or the oldest key is forgotten, and would pass again. */
  readonly whenFull?: 'fail' | 'forget'
}

export interface SortOptions extends StepOptions {
  /** `ascending` for `sort`, `descending` for `top` by default. */
  readonly order?: 'ascending' | 'descending'
  /** The most events that are held before the run fails: an integer, 1 or more; 1,000,000 by default. */
  readonly maxHeld?: number
}

export interface BatchOptions<T> extends StepOptions {
  /** An integer, 1 or more. */
  readonly size: number
  /** A batch is full as well when its events come to `limit` by `of`. */
  readonly bytes?: { readonly limit: number; readonly of: ((value: T) => number) | NamesOf<T, number> }
  /** The longest that an event waits for its batch, in clock milliseconds; for as long as it takes by default. */
  readonly waitMs?: number
  /** Batches hold events of one key each: a function, or the name of a field, or several. */
  readonly key?: KeyBy<T>
  /** The most keys with an open batch, in each stage, before the run fails: an integer, 1 or more; 1,000,000 by default. */
  readonly maxKeys?: number
}

/** The output of a reduction under a mode of `emit`. */
export type EmittedBy<M extends EmitMode, S> = M extends 'state' ? S : M extends 'events' ? Emitted<S> : never

/** What an async call gets beside its event. */
export interface CallContext {
  /** Aborted when the run ends first, and when the call times out. */
  readonly signal: AbortSignal
  /** 1 at the first attempt. */
  readonly attempt: number
}

export function batching<T>(name: string, options: BatchOptions<T>): Operator {
  checkKeys('batch', options, ['size', 'bytes', 'waitMs', 'key', 'maxKeys', 'name'])
  const { size, bytes, waitMs, key, maxKeys = MOST_KEYS } = options
  checkInteger('maxKeys of batch', maxKeys, 1)
  checkInteger('size of batch', size, 1)
  if (waitMs !== undefined) checkMs('waitMs of batch', waitMs, 1)
  if (bytes !== undefined) {
    checkKeys('bytes of batch', bytes, ['limit', 'of'])
    checkInteger('limit of batch bytes', bytes.limit, 1)
  }
  const by = key === undefined ? undefined : keyFrom('key of batch', key)
  const counted = bytes === undefined ? undefined : { limit: bytes.limit, of: numberBy('of of batch bytes', bytes.of) }
  return { kind: 'batch', name, size, bytes: counted, waitMs, key: by, maxKeys }
}

export function deduplicating(
  name: string,
  by: (value: never) => Key,
  options: UniqOptions,
  window?: Windowing,
): Operator {
  checkKeys(name, options, ['maxKeys', 'whenFull', 'name'])
  const { maxKeys = MOST_KEYS, whenFull = 'fail' } = options
  checkInteger(`maxKeys of ${name}`, maxKeys, 1)
  checkChoice(`whenFull of ${name}`, whenFull, ['fail', 'forget'])
  return { kind: 'uniq', name, by, window, maxKeys, whenFull }
}

/** The options of `sort` and `top`, checked. */
export function sortOf(
  kind: string,
  field: string,
  options: SortOptions,
): Omit<TakingSorted, 'count' | 'compare' | 'isOfRun'> & Pick<Required<SortOptions>, 'order'> {
  checkKeys(kind, options, ['order', 'maxHeld', 'name'])
  const { order = 'ascending', maxHeld = MOST_HELD, name = `${kind} ${field}` } = options
  checkChoice(`order of ${kind}`, order, ['ascending', 'descending'])
  checkInteger(`maxHeld of ${kind}`, maxHeld, 1)
  return { kind: 'takeSort', name, order, maxHeld, isSpread: true }
}

export function partitioning<T>(name: string, options: PartitionOptions<T>): Operator {
  checkKeys('partition', options, ['stages', 'key', 'hash', 'name'])
  const { stages, key, hash } = options
  if (stages !== undefined) checkInteger('stages of partition', stages, 1)
  if (key !== undefined && hash !== undefined) throw new TypeError('partition takes a key or a hash: found both')
  // Without either, an event is its own key.
  const by = hash === undefined ? { key: key === undefined ? itself : keyFrom('key of partition', key) } : { hash }
  return { kind: 'partition', name, stages, by }
}

function itself(event: never): Key {
  return event
}
