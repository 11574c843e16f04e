// A packed batch: what it is, what of it is transferred, and about how large it is.

import type { Transferable } from 'node:worker_threads'
import { unreachable } from '../../base/invariant.ts'
import type { Column } from './column.ts'

/** Values that are looked at of a column that is cloned. */
const SAMPLE = 16
/** What an object takes by itself. */
const OBJECT_BYTES = 16
/** Objects within objects are looked at this deep. */
const DEEPEST = 4

/** A batch in a form that can be posted: `port.postMessage(packed, transferablesOf(packed))`. */
export type Packed =
  | { readonly kind: 'cloned'; readonly events: readonly unknown[] }
  | { readonly kind: 'columns'; readonly events: Column }

/** What of a packed batch is to be transferred, not copied: it is gone from this side once posted. */
export function transferablesOf(packed: Packed): Transferable[] {
  const buffers: Transferable[] = []
  if (packed.kind === 'columns') addBuffers(packed.events, buffers)
  return buffers
}

function addBuffers(column: Column, buffers: Transferable[]): void {
  switch (column.kind) {
    case 'numbers':
    case 'dates':
    case 'booleans':
      buffers.push(column.values.buffer)
      return
    case 'dictionary':
      buffers.push(column.codes.buffer)
      return
    case 'texts':
      buffers.push(column.lengths.buffer)
      return
    case 'sparse':
      buffers.push(column.tags.buffer)
      return addBuffers(column.there, buffers)
    case 'lists':
      buffers.push(column.lengths.buffer)
      return addBuffers(column.items, buffers)
    case 'records':
    case 'tuples':
      for (const inner of column.columns) addBuffers(inner, buffers)
      return
    case 'cloned':
      return
    default:
      unreachable(column)
  }
}

/**
 * About how many bytes a packed batch takes on its way, for limits; of what is cloned, a sample is looked at. Zero
 * for buffers that were transferred: ask before posting.
 *
 * @example
 * bytesOf(new Packer().pack(Array.from({ length: 1000 }, (_, n) => n))) // => 8000
 */
export function bytesOf(packed: Packed): number {
  return packed.kind === 'cloned' ? bytesOfSample(packed.events) : bytesOfColumn(packed.events)
}

function bytesOfColumn(column: Column): number {
  switch (column.kind) {
    case 'numbers':
    case 'dates':
    case 'booleans':
      return column.values.byteLength
    case 'dictionary':
      return column.codes.byteLength + bytesOfSample(column.distinct)
    case 'texts':
      return column.lengths.byteLength + column.blocks.reduce((sum, block) => sum + 2 * block.length, 0)
    case 'sparse':
      return column.tags.byteLength + bytesOfColumn(column.there)
    case 'lists':
      return column.lengths.byteLength + bytesOfColumn(column.items)
    case 'records':
    case 'tuples':
      return column.columns.reduce((sum, inner) => sum + bytesOfColumn(inner), 0)
    case 'cloned':
      return bytesOfSample(column.values)
    default:
      return unreachable(column)
  }
}

function bytesOfSample(values: readonly unknown[], depth = 0): number {
  const step = Math.max(1, Math.ceil(values.length / SAMPLE))
  let bytes = 0
  let looked = 0
  for (let i = 0; i < values.length; i += step, looked += 1) bytes += bytesOfValue(values[i], depth)
  return looked === 0 ? 0 : Math.round((bytes / looked) * values.length)
}

function bytesOfValue(value: unknown, depth: number): number {
  if (typeof value === 'string') return 8 + 2 * value.length
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return OBJECT_BYTES + value.byteLength
  if (depth === DEEPEST) return OBJECT_BYTES
  if (Array.isArray(value)) return OBJECT_BYTES + bytesOfSample(value, depth + 1)
  if (value instanceof Set) return OBJECT_BYTES + bytesOfSample([...value], depth + 1)
  if (value instanceof Map) return OBJECT_BYTES + bytesOfSample([...value].flat(), depth + 1)
  return Object.values(value).reduce<number>((sum, inner) => sum + 8 + bytesOfValue(inner, depth + 1), OBJECT_BYTES)
}
