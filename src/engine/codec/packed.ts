// A packed batch: its type, its transferable buffers, and its approximate size.

import type { Transferable } from 'node:worker_threads'
import { unreachable } from '../../base/invariant.ts'
import { bytesOfSample } from '../size.ts'
import type { Column } from './column.ts'
import { buffersOfFields, type PackedFields } from './fields.ts'

/** A batch in a form that can be posted: `port.postMessage(packed, transferablesOf(packed))`. */
export type Packed =
  | { readonly kind: 'cloned'; readonly events: readonly unknown[] }
  | { readonly kind: 'columns'; readonly events: Column }
  /** Events with their origins, packed separately. */
  | { readonly kind: 'traced'; readonly values: Packed; readonly origins: Packed; readonly maxStride: number }
  | PackedFields

/** What to transfer, not copy, of a packed batch: it is gone from this side once posted. */
export function transferablesOf(packed: Packed): Transferable[] {
  const buffers: Transferable[] = []
  addPacked(packed, buffers)
  return buffers
}

function addPacked(packed: Packed, buffers: Transferable[]): void {
  if (packed.kind === 'columns') addBuffers(packed.events, buffers)
  if (packed.kind === 'fields') {
    buffers.push(...buffersOfFields(packed))
    for (const field of packed.fields) if (field.kind === 'column') addBuffers(field.column, buffers)
  }
  if (packed.kind !== 'traced') return
  addPacked(packed.values, buffers)
  addPacked(packed.origins, buffers)
}

function addBuffers(column: Column, buffers: Transferable[]): void {
  const { buffer, inner = [] } = partsOf(column)
  if (buffer !== undefined) buffers.push(buffer.buffer)
  for (const one of inner) addBuffers(one, buffers)
}

/** What a column consists of, whatever its kind. */
interface Parts {
  readonly buffer?: { readonly buffer: ArrayBuffer; readonly byteLength: number }
  readonly inner?: readonly Column[]
  /** Cloned values, and joined texts. */
  readonly cloned?: readonly unknown[]
  readonly blocks?: readonly string[]
}

function partsOf(column: Column): Parts {
  switch (column.kind) {
    case 'numbers':
    case 'dates':
    case 'booleans':
      return { buffer: column.values }
    case 'dictionary':
      return { buffer: column.codes, cloned: column.distinct }
    case 'texts':
      return { buffer: column.lengths, blocks: column.blocks }
    case 'sparse':
      return { buffer: column.tags, inner: [column.there] }
    case 'lists':
      return { buffer: column.lengths, inner: [column.items] }
    case 'records':
    case 'tuples':
      return { inner: column.columns }
    case 'cloned':
      return { cloned: column.values }
    default:
      return unreachable(column)
  }
}

/**
 * The approximate size of a packed batch in bytes, for limits; cloned values are sampled. Zero for buffers that were
 * transferred: ask before posting.
 *
 * @example
 * bytesOf(new Packer().pack(Array.from({ length: 1000 }, (_, n) => n))) // => 8000
 */
export function bytesOf(packed: Packed): number {
  if (packed.kind === 'traced') return bytesOf(packed.values) + bytesOf(packed.origins)
  if (packed.kind === 'fields') return packed.approximateBytes
  return packed.kind === 'cloned' ? bytesOfSample(packed.events) : bytesOfColumn(packed.events)
}

function bytesOfColumn(column: Column): number {
  const { buffer, inner = [], cloned, blocks = [] } = partsOf(column)
  let bytes = (buffer?.byteLength ?? 0) + (cloned === undefined ? 0 : bytesOfSample(cloned))
  for (const block of blocks) bytes += 2 * block.length
  for (const one of inner) bytes += bytesOfColumn(one)
  return bytes
}
