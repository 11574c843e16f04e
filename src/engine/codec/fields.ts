// Batches of events by their fields: what lies in buffers is copied once and transferred, and no row is looked at.

import { BlockOrigins } from '../../connect/block-origins.ts'
import { ColumnBatch, type FieldVector, fieldOf, lazyField } from '../../connect/column-batch.ts'
import { rowsMaker } from '../../connect/kits/rows/rows-maker.ts'
import { TextField, wholeText } from '../../connect/text-field.ts'
import type { Column } from './column.ts'

/** A field: numbers, texts within the block of bytes, or values as any others. */
export type PackedField =
  | {
      readonly kind: 'numbers'
      readonly values: Float64Array<ArrayBuffer>
      readonly nulls: Uint8Array<ArrayBuffer> | undefined
    }
  | {
      readonly kind: 'spans'
      /** Which of the bounds. */
      readonly bounds: number
      readonly stride: number
      readonly place: number
      readonly gap: number
      readonly isEmptyNull: boolean
    }
  | { readonly kind: 'column'; readonly column: Column }

/** A batch by its fields. */
export interface PackedFields {
  readonly kind: 'fields'
  readonly length: number
  readonly names: readonly string[]
  readonly fields: readonly PackedField[]
  /** The lines that it was read from. */
  readonly bytes: Uint8Array<ArrayBuffer> | undefined
  readonly bounds: readonly Int32Array<ArrayBuffer>[]
  /** Where the lines are; absent if nobody asks. */
  readonly lines:
    | {
        readonly source: string
        readonly line: number
        readonly offset: number
        readonly lineGap: number
        readonly starts: Int32Array<ArrayBuffer>
      }
    | undefined
  readonly approximateBytes: number
}

/**
 * Packs a batch by its fields; undefined if its events have to be packed one by one.
 *
 * @param isTracked - whether origins are packed, too
 * @param pack - packs values of any kind
 */
export function packFields(
  batch: ColumnBatch<unknown>,
  isTracked: boolean,
  pack: (values: ArrayLike<unknown>) => Column,
): PackedFields | undefined {
  const { whole, length } = batch
  if (whole === undefined || !batch.isByField || (isTracked && batch.maxStride > 1)) return undefined
  const origins = isTracked && batch.hasOrigins ? whole.origins : undefined
  if (origins !== undefined && !(origins instanceof BlockOrigins)) return undefined
  const blocks = new Set<Buffer>(origins === undefined ? [] : [origins.lines.bytes])
  const bounds: Int32Array[] = []
  const fields = [...whole.fields.values()].map((field): PackedField => {
    const spans = field.spans?.()
    if (spans !== undefined) {
      blocks.add(spans.bytes)
      if (!bounds.includes(spans.bounds)) bounds.push(spans.bounds)
      const { stride, place, gap, isEmptyNull } = spans
      return { kind: 'spans', bounds: bounds.indexOf(spans.bounds), stride, place, gap, isEmptyNull }
    }
    const vector = field.vector()
    if (vector.kind === 'numbers')
      return { kind: 'numbers', values: vector.values.slice(), nulls: vector.nulls?.slice() }
    return { kind: 'column', column: pack(field.values()) }
  })
  if (blocks.size > 1) return undefined
  const [block] = blocks
  return {
    kind: 'fields',
    length,
    names: [...whole.fields.keys()],
    fields,
    bytes: block && new Uint8Array(block),
    bounds: bounds.map((one) => one.slice()),
    lines: origins && placesOf(origins, length),
    approximateBytes: whole.bytes,
  }
}

function placesOf({ lines }: BlockOrigins, length: number): PackedFields['lines'] {
  const { source, line, offset, startOf, lineGap } = lines
  return {
    source,
    line: typeof line === 'number' ? line : line(),
    offset,
    lineGap,
    starts: Int32Array.from({ length: length + 1 }, (_, i) => startOf(i)),
  }
}

/** Makes the batch again. @param unpack - unpacks values of any kind */
export function unpackFields(
  packed: PackedFields,
  unpack: (column: Column) => ArrayLike<unknown>,
): ColumnBatch<unknown> {
  const { length, names, lines, bounds, approximateBytes } = packed
  const bytes = packed.bytes === undefined ? Buffer.alloc(0) : Buffer.from(packed.bytes.buffer)
  const whole = wholeText(bytes)
  const fieldFrom = (field: PackedField): FieldVector => {
    switch (field.kind) {
      case 'numbers':
        return fieldOf(field)
      case 'column':
        return lazyField(() => ({ kind: 'values', values: Array.from(unpack(field.column)) }))
      case 'spans': {
        const spans = { ...field, bounds: bounds[field.bounds] as Int32Array, bytes, count: length }
        return new TextField(spans, undefined, whole)
      }
    }
  }
  const fields = new Map(names.map((name, at) => [name, fieldFrom(packed.fields[at] as PackedField)]))
  const startOf = (index: number): number => lines?.starts[index] as number
  const origins = lines && new BlockOrigins({ ...lines, bytes, startOf, whole })
  return new ColumnBatch({ length, fields, make: rowsMaker(names), origins, bytes: approximateBytes })
}

/** The buffers of a packed batch. */
export function buffersOfFields({ fields, bytes, bounds, lines }: PackedFields): ArrayBuffer[] {
  const views: (ArrayBufferView<ArrayBuffer> | undefined)[] = [bytes, ...bounds, lines?.starts]
  for (const field of fields) {
    if (field.kind === 'numbers') views.push(field.values, field.nulls)
  }
  return views.flatMap((view) => (view === undefined ? [] : [view.buffer]))
}
