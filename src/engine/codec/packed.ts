// A packed batch: what it is, what of it is transferred, and about how large it is.

import type { Transferable } from 'node:worker_threads'
import { unreachable } from '../../base/invariant.ts'
import { bytesOfSample } from '../size.ts'
import type { Column } from './column.ts'

/** A batch in a form that can be posted: `port.postMessage(packed, transferablesOf(packed))`. */
export type Packed =
  | { readonly kind: 'cloned'; readonly events: readonly unknown[] }
  | { readonly kind: 'columns'; readonly events: Column }
  /** Events with their origins: both apart from each other. */
  | { readonly kind: 'traced'; readonly values: Packed; readonly origins: Packed; readonly maxStride: number }

/** What of a packed batch is to be transferred, not copied: it is gone from this side once posted. */
export function transferablesOf(packed: Packed): Transferable[] {
  const buffers: Transferable[] = []
  addPacked(packed, buffers)
  return buffers
}

function addPacked(packed: Packed, buffers: Transferable[]): void {
  if (packed.kind === 'columns') addBuffers(packed.events, buffers)
  if (packed.kind !== 'traced') return
  addPacked(packed.values, buffers)
  addPacked(packed.origins, buffers)
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
  if (packed.kind === 'traced') return bytesOf(packed.values) + bytesOf(packed.origins)
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
