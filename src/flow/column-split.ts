// split, on texts that still lie in the bytes that they were read from.

import { type Batch, derivedOrigins } from '../connect/batch.ts'
import { ColumnBatch, type FieldVector, lazyField } from '../connect/column-batch.ts'
import { rowsMaker } from '../connect/kits/rows/rows-maker.ts'
import type { Spans } from '../connect/spans.ts'
import { TextField, wholeText } from '../connect/text-field.ts'
import { TextTable } from '../connect/text-table.ts'
import { pick } from '../connect/vector.ts'
import type { ByColumn } from './plan.ts'

/** The parts of texts. */
interface Parts {
  readonly count: number
  /** Where each begins, and after it the byte behind the one that ends it. */
  readonly bounds: Int32Array
  /** Where the parts of each text begin. */
  readonly starts: Int32Array
}

/** Makes events of the parts of a text; undefined for separators that are not one ASCII character. */
export function columnSplit(name: string, separator: string | RegExp): ByColumn | undefined {
  const code = typeof separator === 'string' && separator.length === 1 ? separator.charCodeAt(0) : 0x80
  if (code >= 0x80) return undefined
  const texts = new TextTable()
  const splitter = new Splitter(code)
  return (batch, counts) => {
    const field = batch.field(name)
    const spans = field?.spans?.()
    if (spans === undefined) return undefined
    const parts = splitter.split(spans)
    const made = spread(batch, parts)
    const own = { ...spans, bounds: parts.bounds, stride: 2, place: 0, gap: 1, count: parts.count, isEmptyNull: false }
    made.set(name, new TextField(own, texts, wholeText(spans.bytes)))
    count(parts, batch.length, counts)
    return batchOfParts(batch, made, parts)
  }
}

function count({ count: made, starts }: Parts, events: number, counts: { filtered: number; derived: number }): void {
  let empty = 0
  for (let i = 0; i < events; i += 1) if (starts[i] === (starts[i + 1] ?? made)) empty += 1
  counts.filtered += empty
  counts.derived += made - (events - empty)
}

/** The other fields of events, each repeated for all parts of one of its texts. */
function spread(batch: ColumnBatch<unknown>, parts: Parts): Map<string, FieldVector> {
  let of: Int32Array | undefined
  const spreadOf = (field: FieldVector): FieldVector =>
    lazyField(() => {
      of ??= eventsOf(parts)
      return pick(field.vector(), of)
    })
  return new Map([...batch.names].map((name) => [name, spreadOf(batch.field(name) as FieldVector)]))
}

/** For each part, the index of the event whose text it is a part of. */
function eventsOf({ count: made, starts }: Parts): Int32Array {
  const of = new Int32Array(made)
  for (let i = 0; i < starts.length; i += 1) of.fill(i, starts[i], starts[i + 1] ?? made)
  return of
}

function batchOfParts(batch: ColumnBatch<unknown>, fields: Map<string, FieldVector>, parts: Parts): Batch {
  const length = parts.count
  const bytes = Math.round((batch.bytes * length) / Math.max(1, batch.length))
  const made = { length, fields, make: rowsMaker([...fields.keys()]), bytes }
  if (!batch.hasOrigins) return new ColumnBatch({ ...made, origins: undefined })
  return new ColumnBatch({ ...made, ...derivedOrigins(batch, length, parts.starts) })
}

/** Finds the parts of texts. */
class Splitter {
  readonly #code: number
  /** Used again for each batch. */
  #room = new Int32Array(1024)

  constructor(code: number) {
    this.#code = code
  }

  split({ bytes, bounds, stride, place, gap, count: texts }: Spans): Parts {
    const code = this.#code
    const starts = new Int32Array(texts)
    let room = this.#room
    let made = 0
    for (let i = 0, at = place; i < texts; i += 1, at += stride) {
      starts[i] = made
      const from = bounds[at] as number
      const to = (bounds[at + 1] as number) - gap
      if (from < 0) continue
      // A text has at most so many parts.
      if ((made + ((to - from) >> 1) + 1) * 2 > room.length) room = this.#grow(made, to - from)
      let begin = from
      for (let end = from; end <= to; end += 1) {
        if (end < to && bytes[end] !== code) continue
        if (end > begin) {
          room[made * 2] = begin
          room[made * 2 + 1] = end + 1
          made += 1
        }
        begin = end + 1
      }
    }
    return { count: made, bounds: room.slice(0, made * 2), starts }
  }

  #grow(made: number, bytes: number): Int32Array<ArrayBuffer> {
    const room = new Int32Array(4 * made + bytes + 2)
    room.set(this.#room)
    this.#room = room
    return room
  }
}
