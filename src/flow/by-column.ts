// Operators that take fields by their names, on the fields of many events at once.

import { type ColumnBatch, type FieldVector, fieldOf } from '../connect/column-batch.ts'
import { rowsMaker } from '../connect/kits/rows/rows-maker.ts'
import type { Vector } from '../connect/vector.ts'
import type { ByColumn } from './plan.ts'

/**
 * Keeps the events whose field passes; undefined for fields of other kinds than the value, which `test` refuses one by one.
 *
 * @param test - of a value that is not null
 */
export function columnWhere(name: string, kind: 'number' | 'string', test: (value: unknown) => boolean): ByColumn {
  return (batch) => {
    const vector = batch.field(name)?.vector()
    if (vector?.kind === 'numbers' && kind === 'number') return batch.select(numbersThat(vector, test))
    if (vector?.kind === 'values') return batch.select(valuesThat(vector.values, kind, test))
    if (vector?.kind !== 'symbols' || kind !== 'string') return undefined
    const { symbols, texts } = vector
    // 1 for a text that passes, 2 for one that does not.
    const known = new Uint8Array(texts.length)
    const kept: number[] = []
    for (let i = 0; i < symbols.length; i += 1) {
      const symbol = symbols[i] as number
      if (symbol < 0) continue
      if (known[symbol] === 0) known[symbol] = test(texts[symbol]) ? 1 : 2
      if (known[symbol] === 1) kept.push(i)
    }
    return batch.select(kept)
  }
}

/** A value of another kind is refused by itself. */
function valuesThat(values: readonly unknown[], kind: string, test: (value: unknown) => boolean): number[] {
  const kept: number[] = []
  for (const [i, value] of values.entries()) {
    if (value === null) continue
    if (typeof value !== kind || Number.isNaN(value)) throw new TypeError(`not of kind ${kind}`)
    if (test(value)) kept.push(i)
  }
  return kept
}

function numbersThat(
  { values, nulls }: Extract<Vector, { kind: 'numbers' }>,
  test: (value: unknown) => boolean,
): number[] {
  const kept: number[] = []
  for (let i = 0; i < values.length; i += 1) {
    if (nulls?.[i] !== 1 && test(values[i])) kept.push(i)
  }
  return kept
}

/** Keeps the events whose field is null, or not. */
export function columnNull(name: string, isNull: boolean): ByColumn {
  return (batch) => {
    const vector = batch.field(name)?.vector()
    if (vector === undefined) return undefined
    const nullAt = nullOf(vector)
    const kept: number[] = []
    for (let i = 0; i < batch.length; i += 1) if (nullAt(i) === isNull) kept.push(i)
    return batch.select(kept)
  }
}

function nullOf(vector: Vector): (index: number) => boolean {
  if (vector.kind === 'symbols') return (index) => (vector.symbols[index] as number) < 0
  if (vector.kind === 'numbers') return (index) => vector.nulls?.[index] === 1
  return (index) => (vector.values[index] ?? null) === null
}

/** Passes events whose fields can all be a key. */
export function columnKeyCheck(names: readonly string[]): ByColumn {
  return (batch) => (names.every((name) => isKey(batch.field(name)?.vector())) ? batch : undefined)
}

function isKey(vector: Vector | undefined): boolean {
  if (vector?.kind === 'numbers') return vector.nulls === undefined || !vector.nulls.includes(1)
  return vector?.kind === 'symbols' && !vector.symbols.includes(-1)
}

/** Events of these fields, each by its new name. */
export function columnSelect(pairs: readonly (readonly [name: string, of: string])[]): ByColumn {
  const make = rowsMaker(pairs.map(([name]) => name))
  return (batch) => {
    const fields = new Map<string, FieldVector>()
    for (const [name, of] of pairs) {
      const field = batch.field(of)
      if (field === undefined) return undefined
      fields.set(name, field)
    }
    return batch.with(fields, make)
  }
}

/** Events with one field more, or another in the place of one. */
export function columnDerive(name: string, from: readonly string[], fn: (...values: never[]) => unknown): ByColumn {
  const call = fn as (...values: unknown[]) => unknown
  return (batch) => {
    const columns = from.map((one) => batch.field(one)?.values())
    if (columns.includes(undefined)) return undefined
    const derived = derivedOf(call, columns as ArrayLike<unknown>[], batch.length)
    const fields = fieldsOf(batch).set(name, fieldOf(derived))
    return batch.with(fields, rowsMaker([...fields.keys()]))
  }
}

function derivedOf(fn: (...values: unknown[]) => unknown, columns: ArrayLike<unknown>[], count: number): Vector {
  const [first, second] = columns
  const values: unknown[] = []
  let areNumbers = true
  for (let i = 0; i < count; i += 1) {
    const value =
      columns.length === 1
        ? fn(first?.[i])
        : columns.length === 2
          ? fn(first?.[i], second?.[i])
          : fn(...columns.map((column) => column[i]))
    values.push(value)
    if (typeof value !== 'number' || Number.isNaN(value)) areNumbers = false
  }
  return areNumbers
    ? { kind: 'numbers', values: Float64Array.from(values as number[]), nulls: undefined }
    : { kind: 'values', values }
}

function fieldsOf(batch: ColumnBatch<unknown>): Map<string, FieldVector> {
  return new Map([...batch.names].map((name) => [name, batch.field(name) as FieldVector]))
}
