// Packs batches of events for a MessagePort, so that they cross to another thread much faster than by cloning.

import { unreachable } from '../../base/invariant.ts'
import { type Batch, batchFrom, batchOf } from '../../connect/batch.ts'
import { ColumnBatch } from '../../connect/column-batch.ts'
import { type Origin, plainOrigin } from '../../connect/origin.ts'
import type { Column } from './column.ts'
import { ColumnPacker, ColumnUnpacker } from './columns.ts'
import { packFields, unpackFields } from './fields.ts'
import type { Packed } from './packed.ts'
import { hasTwice, leadsTo } from './sharing.ts'

export { bytesOf, type Packed, transferablesOf } from './packed.ts'

/** Smaller batches are cloned: a message costs more than its contents. */
const SMALLEST = 16

/** How a batch is packed and unpacked. */
export interface CodecOptions {
  /** Whether code may be made for shapes of events; it never is where the process forbids it. */
  readonly isGenerating?: boolean
}

/**
 * Packs batches. What comes out at the other side is what a structured clone of the batch gives.
 *
 * - **Numbers, texts, booleans, Dates, null and undefined** become columns, and so do records of the same keys in the
 *   same order, arrays of them, and what is within them. The objects must be of Object's or Array's own.
 * - **All else is cloned**: a place in the events whose values differ in shape, as a column; the batch as a whole if
 *   its events do, if there are fewer than 16, or if an object is found at two places.
 * - **What cannot be cloned** is found by `postMessage`, which throws a DataCloneError; `pack` does not look for it.
 * - **An object that several events hold** may arrive as several; within an event, one object stays one. Getters may
 *   be read more than once.
 *
 * Keeps the code made for the last 64 shapes.
 *
 * @example
 * const packed = new Packer().pack(Array.from({ length: 20 }, (_, n) => ({ n, path: '/' })))
 * packed.kind // => 'columns'
 * new Unpacker().unpack(packed).at(-1) // => { n: 19, path: '/' }
 */
export class Packer {
  readonly #columns: ColumnPacker

  constructor({ isGenerating = true }: CodecOptions = {}) {
    this.#columns = new ColumnPacker(isGenerating)
  }

  /** @param isTracked - whether origins are packed, too, where events have them */
  pack(chunk: readonly unknown[] | Batch, isTracked = false): Packed {
    const batch = batchFrom(chunk)
    if (batch instanceof ColumnBatch && batch.isByField) {
      const fields = this.#packFields(batch, isTracked)
      if (fields !== undefined) return fields
    }
    const values = this.#pack(batch.values())
    if (!isTracked || !batch.hasOrigins) return values
    const origins: Origin[] = []
    for (let index = 0; index < batch.length; index += 1) origins.push(plainOrigin(batch.origin(index) as Origin))
    return { kind: 'traced', values, origins: this.#pack(origins), maxStride: batch.maxStride }
  }

  #packFields(batch: ColumnBatch<unknown>, isTracked: boolean): Packed | undefined {
    try {
      const pack = (values: ArrayLike<unknown>): Column => this.#columns.pack(asArray(values))
      const packed = packFields(batch, isTracked, pack)
      // An object that two rows hold would arrive twice.
      return this.#columns.rebuilt.length + this.#columns.cloned.length === 0 ? packed : undefined
    } finally {
      this.#columns.forget()
    }
  }

  #pack(batch: readonly unknown[]): Packed {
    if (batch.length < SMALLEST || hasHole(batch)) return { kind: 'cloned', events: batch }
    try {
      const events = this.#columns.pack(batch)
      // Texts that differ gain nothing by being joined where they are all there is.
      if (events.kind === 'cloned' || events.kind === 'texts' || this.#isSharing(batch, events))
        return { kind: 'cloned', events: gapless(batch) }
      return { kind: 'columns', events }
    } finally {
      this.#columns.forget()
    }
  }

  /** Whether an event holds an object at two places, one of which is copied: or might. */
  #isSharing(batch: readonly unknown[], events: Column): boolean {
    const { rebuilt, cloned } = this.#columns
    // The events themselves are one list of objects. With no more than one place for others, none can be at two.
    const places = events.kind === 'records' || events.kind === 'tuples' ? rebuilt.length - 1 : rebuilt.length
    if (places <= 1 && cloned.length === 0) return false
    if (hasTwice(rebuilt)) return true
    return cloned.length > 0 && leadsTo(new Set([batch, ...rebuilt.flat()]), cloned)
  }
}

/**
 * Unpacks what a {@link Packer} packed, before or after its trip. The events are new, and the caller's own.
 *
 * @example
 * new Unpacker().unpack(new Packer().pack([1, 'two', null])) // => [1, 'two', null]
 */
export class Unpacker {
  readonly #columns: ColumnUnpacker

  constructor({ isGenerating = true }: CodecOptions = {}) {
    this.#columns = new ColumnUnpacker(isGenerating)
  }

  unpack(packed: Packed): unknown[] | Batch {
    if (packed.kind === 'fields') return unpackFields(packed, (column) => this.#columns.unpack(column))
    if (packed.kind !== 'traced') return this.#unpack(packed)
    let origins: unknown[] | undefined
    const at = (index: number): Origin => {
      origins ??= this.#unpack(packed.origins)
      return origins[index] as Origin
    }
    return batchOf(this.#unpack(packed.values), { at }, packed.maxStride)
  }

  #unpack(packed: Packed): unknown[] {
    switch (packed.kind) {
      case 'cloned':
        return packed.events as unknown[]
      case 'columns':
        return asArray(this.#columns.unpack(packed.events))
      case 'fields':
      case 'traced':
        throw new TypeError('origins are packed once')
      default:
        return unreachable(packed)
    }
  }
}

function hasHole(batch: readonly unknown[]): boolean {
  for (let i = 0; i < batch.length; i += 1) if (batch[i] === undefined && !Object.hasOwn(batch, i)) return true
  return false
}

/** A copy that V8 knows to have no holes: an array made as `new Array(n)` is cloned at twice the cost. */
function gapless(batch: readonly unknown[]): unknown[] {
  const events: unknown[] = []
  for (let i = 0; i < batch.length; i += 1) events.push(batch[i])
  return events
}

function asArray(values: ArrayLike<unknown>): unknown[] {
  return Array.isArray(values) ? values : Array.from(values)
}
