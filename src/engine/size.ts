// Approximate sizes of values, estimated from a sample.

import type { Batch } from '../connect/batch.ts'
import { ColumnBatch } from '../connect/column-batch.ts'

/** Values in the sample. */
const SAMPLE = 16
/** The size of an empty object. */
const OBJECT_BYTES = 16
/** Nested objects are visited to this depth. */
const DEEPEST = 4

/**
 * About how many bytes values take: accurate enough for limits, at the same cost for few and for many.
 *
 * @example
 * bytesOfSample(Array.from({ length: 1000 }, (_, n) => n)) // => 8000
 */
export function bytesOfSample(values: readonly unknown[], depth = 0): number {
  const step = Math.max(1, Math.ceil(values.length / SAMPLE))
  let bytes = 0
  let looked = 0
  for (let i = 0; i < values.length; i += step, looked += 1) bytes += bytesOfValue(values[i], depth)
  return looked === 0 ? 0 : Math.round((bytes / looked) * values.length)
}

/** The same of a batch, without making objects for it. */
export function bytesOfBatch(batch: Batch): number {
  return batch instanceof ColumnBatch && batch.isByField ? batch.bytes : bytesOfSample(batch.values())
}

function bytesOfValue(value: unknown, depth: number): number {
  if (typeof value === 'string') return 8 + 2 * value.length
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return OBJECT_BYTES + value.byteLength
  if (depth === DEEPEST) return OBJECT_BYTES
  if (Array.isArray(value)) return OBJECT_BYTES + bytesOfSample(value, depth + 1)
  if (value instanceof Set || value instanceof Map) return OBJECT_BYTES + bytesOfEntries(value, depth + 1)
  return Object.values(value).reduce<number>((sum, inner) => sum + 8 + bytesOfValue(inner, depth + 1), OBJECT_BYTES)
}

/** Of the first entries, for all of them: there may be very many. */
function bytesOfEntries(entries: ReadonlyMap<unknown, unknown> | ReadonlySet<unknown>, depth: number): number {
  const first: unknown[] = []
  for (const entry of entries) if (first.push(entry) === SAMPLE) break
  return (bytesOfSample(first, depth) / Math.max(1, first.length)) * entries.size
}
