// Events whose fields lie side by side: an object is made of them only when somebody asks for it.

import { type Batch, batchOf, type Origins } from './batch.ts'
import type { Origin } from './origin.ts'
import type { Spans } from './spans.ts'
import { cutVector, pick, type Vector, valuesOf } from './vector.ts'

/** A field of many events. */
export interface FieldVector {
  /** Its values, as operators read them by name. */
  vector(): Vector
  /** Its values, as rows have them. */
  values(): ArrayLike<unknown>
  /** Where its texts lie, if they were only found so far. */
  spans?(): Spans | undefined
}

/** Makes rows of values: those from one index up to another, or, if there are indices, those at these of the indices. */
export type MakeRows<T> = (columns: readonly ArrayLike<unknown>[], from: number, to: number, rows?: Int32Array) => T[]

/** Events by their fields. */
export interface Fields<T> {
  readonly length: number
  /** By name, in the order that rows have them. */
  readonly fields: ReadonlyMap<string, FieldVector>
  readonly make: MakeRows<T>
  readonly origins: Origins | undefined
  /** See {@link Batch.maxStride}; 1 by default. */
  readonly maxStride?: number
  /** About how many bytes the rows take, all together. */
  readonly bytes: number
}

/** Which of some events: those from one index up to another, or those at some indices. */
type Which = { readonly from: number; readonly to: number } | Int32Array

/** A batch of events by their fields. Objects that were made stay the same ones, in all batches made of this one. */
export class ColumnBatch<T> implements Batch<T> {
  readonly #of: Fields<T>
  readonly #which: Which
  readonly length: number
  readonly hasOrigins: boolean
  readonly maxStride: number
  #values: readonly T[] | undefined

  constructor(
    of: Fields<T>,
    which: Which = { from: 0, to: of.length },
    hasOrigins: boolean = of.origins !== undefined,
  ) {
    this.#of = of
    this.#which = which
    this.length = which instanceof Int32Array ? which.length : which.to - which.from
    this.hasOrigins = hasOrigins
    this.maxStride = of.maxStride ?? 1
  }

  at(index: number): T {
    return this.values()[index] as T
  }

  values(): readonly T[] {
    if (this.#values !== undefined) return this.#values
    const { fields, make } = this.#of
    const columns = [...fields.values()].map((field) => field.values())
    const which = this.#which
    this.#values =
      which instanceof Int32Array ? make(columns, 0, which.length, which) : make(columns, which.from, which.to)
    return this.#values
  }

  get isByField(): boolean {
    return this.#values === undefined
  }

  /** About how many bytes the rows take. */
  get bytes(): number {
    const { bytes, length } = this.#of
    return Math.round((bytes * this.length) / Math.max(1, length))
  }

  /** The names of the fields that all events have. */
  get names(): Iterable<string> {
    return this.#of.fields.keys()
  }

  /** All that it is made of, unless it has only some of the events. */
  get whole(): Fields<T> | undefined {
    return this.length === this.#of.length && !(this.#which instanceof Int32Array) ? this.#of : undefined
  }

  /** A field of these events; undefined if they have no such field. */
  field(name: string): FieldVector | undefined {
    const field = this.#of.fields.get(name)
    const which = this.#which
    if (field === undefined || this.whole !== undefined) return field
    const vector = (): Vector =>
      which instanceof Int32Array ? pick(field.vector(), which) : cutVector(field.vector(), which.from, which.to)
    const spans = which instanceof Int32Array ? undefined : () => partOf(field.spans?.(), which.from, this.length)
    return { vector, values: () => valuesOf(vector()), ...(spans && { spans }) }
  }

  origin(index: number): Origin | undefined {
    const which = this.#which
    if (!this.hasOrigins) return undefined
    return this.#of.origins?.at(which instanceof Int32Array ? (which[index] as number) : which.from + index)
  }

  slice(from: number, to: number = this.length): Batch<T> {
    if (from === 0 && to >= this.length) return this
    const which = this.#which
    const end = Math.min(to, this.length)
    const own = which instanceof Int32Array ? which.slice(from, end) : { from: which.from + from, to: which.from + end }
    return this.#part(own, this.#values?.slice(from, end))
  }

  select(indices: readonly number[]): Batch<T> {
    if (indices.length === this.length && indices.every((at, index) => at === index)) return this
    const [which, values] = [this.#which, this.#values]
    const own = Int32Array.from(indices)
    for (let i = 0; i < own.length; i += 1) {
      const at = own[i] as number
      own[i] = which instanceof Int32Array ? (which[at] as number) : which.from + at
    }
    return this.#part(own, values && indices.map((at) => values[at] as T))
  }

  /** The same events with other fields. */
  with<U>(fields: ReadonlyMap<string, FieldVector>, make: MakeRows<U>): ColumnBatch<U> {
    const own = this.whole?.origins ?? { at: (index: number) => this.origin(index) as Origin }
    const origins = this.hasOrigins ? own : undefined
    return new ColumnBatch({ length: this.length, fields, make, origins, maxStride: this.maxStride, bytes: this.bytes })
  }

  withoutOrigins(): ColumnBatch<T> {
    return this.hasOrigins ? this.#part(this.#which, this.#values, false) : this
  }

  #part(which: Which, values: readonly T[] | undefined, hasOrigins = this.hasOrigins): ColumnBatch<T> {
    const part = new ColumnBatch(this.#of, which, hasOrigins)
    part.#values = values
    return part
  }
}

function partOf(spans: Spans | undefined, from: number, count: number): Spans | undefined {
  return spans && { ...spans, bounds: spans.bounds.subarray(from * spans.stride), count }
}

/** A field whose values are made when they are first asked for. */
export function lazyField(make: () => Vector): FieldVector {
  let made: Vector | undefined
  const vector = (): Vector => {
    made ??= make()
    return made
  }
  return { vector, values: () => valuesOf(vector()) }
}

/** A field whose values are there. */
export function fieldOf(vector: Vector): FieldVector {
  return { vector: () => vector, values: () => valuesOf(vector) }
}

/** Events that forget where they came from. */
export function withoutOrigins<T>(batch: Batch<T>): Batch<T> {
  return batch instanceof ColumnBatch ? batch.withoutOrigins() : batchOf(batch.values())
}
