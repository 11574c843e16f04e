// Identifies, in a row itself, the event it was made from: for readers of sinks that may write it twice.

import type { Batch } from './batch.ts'
import type { Origin } from './origin.ts'

/**
 * The place of the record that a row was made from, and which of its rows it is: the same at every replay. A row made
 * of many records has an empty `_source`, and a number of its own as `_offset`.
 */
export interface RowIdentity {
  readonly _source: string
  readonly _offset: number
  readonly _part: number
}

/** The identity of the row at an index. */
export function identityAt(rows: Batch, at: number): RowIdentity {
  const { source, offset, part = 0 } = rows.origin(at) as Origin
  return { _source: source, _offset: offset, _part: part }
}

/** A row with its identity in front: in the row if it is an object, else beside it, as `value`. */
export function identified(value: unknown, identity: RowIdentity): object {
  const isRow = typeof value === 'object' && value !== null && !Array.isArray(value) && !('toJSON' in value)
  return isRow ? { ...identity, ...value } : { ...identity, value }
}
