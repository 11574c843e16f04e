// Turns values into columns, and columns into values.

import { unreachable } from '../../base/invariant.ts'
import type { Column } from './column.ts'
import { generatedGather, generatedScatter, mayGenerate } from './generated.ts'
import { type Gather, isPlainArray, isRecord, plainGather, plainScatter, type Scatter, type Shape } from './shape.ts'
import { packTexts, unpackBlocks, unpackDictionary } from './texts.ts'

/** Nested objects are taken apart to this depth. */
const DEEPEST = 6
/** Events with more keys or items than this, and nested values with more than that, are not taken apart. */
const WIDEST = 100
const WIDEST_WITHIN = 16
/** Shapes whose generated code is kept; the oldest is dropped first. */
const MOST_SHAPES = 64

const NUMBER = 1
const TEXT = 2
const BOOLEAN = 4
const OBJECT = 8
const NOTHING = 16
const OTHER = 32

/** Keeps what was made for a shape, as long as few others came since. */
class Made<Code> {
  /** By the name of the shape, oldest first. */
  readonly #code = new Map<string, Code>()
  readonly #make: (shape: Shape) => Code

  constructor(make: (shape: Shape) => Code) {
    this.#make = make
  }

  for(name: string, shape: () => Shape): Code {
    const known = this.#code.get(name)
    if (known !== undefined) return known
    const made = this.#make(shape())
    this.#code.set(name, made)
    if (this.#code.size > MOST_SHAPES) this.#code.delete(this.#code.keys().next().value as string)
    return made
  }
}

/** Turns values into columns. */
export class ColumnPacker {
  /** Objects that the other side creates, one list for each column of them. */
  rebuilt: (readonly unknown[])[] = []
  /** Columns with objects that are cloned. */
  cloned: (readonly unknown[])[] = []
  readonly #gathers: Made<Gather>

  constructor(isGenerating: boolean) {
    this.#gathers = new Made(isGenerating && mayGenerate ? generatedGather : plainGather)
  }

  /** Drops the objects of the last batch. */
  forget(): void {
    this.rebuilt = []
    this.cloned = []
  }

  pack(values: readonly unknown[], depth = 0): Column {
    const numbers = values.length === 0 ? undefined : packNumbers(values)
    if (numbers !== undefined) return { kind: 'numbers', values: numbers }
    const kinds = kindsOf(values)
    switch (kinds) {
      case TEXT:
        return packTexts(values as string[])
      case BOOLEAN:
        return { kind: 'booleans', values: packBooleans(values as boolean[]) }
      case OBJECT:
        return this.#packObjects(values, depth) ?? this.#clone(values)
      case NOTHING:
      case NOTHING | NUMBER:
      case NOTHING | TEXT:
      case NOTHING | BOOLEAN:
      case NOTHING | OBJECT:
        return this.#packSparse(values, depth)
    }
    if ((kinds & OBJECT) !== 0) return this.#clone(values)
    return { kind: 'cloned', values }
  }

  #clone(values: readonly unknown[]): Column {
    this.cloned.push(values)
    return { kind: 'cloned', values }
  }

  #packSparse(values: readonly unknown[], depth: number): Column {
    const tags = new Uint8Array(values.length)
    const there: unknown[] = []
    for (let i = 0; i < values.length; i += 1) {
      const value = values[i]
      if (value === null) tags[i] = 1
      else if (value === undefined) tags[i] = 2
      else there.push(value)
    }
    return { kind: 'sparse', tags, there: this.pack(there, depth) }
  }

  #packObjects(values: readonly unknown[], depth: number): Column | undefined {
    const first = values[0]
    if (depth >= DEEPEST) return undefined
    if (Array.isArray(first)) return this.#packTuples(values, first.length, depth) ?? this.#packLists(values, depth)
    if (isRecord(first)) return this.#packRecords(values, Object.keys(first), depth)
    const times = timesOf(values)
    if (times === undefined) return undefined
    this.rebuilt.push(values)
    return { kind: 'dates', values: times }
  }

  #packRecords(values: readonly unknown[], found: readonly string[], depth: number): Column | undefined {
    if (found.length > WIDEST) return undefined
    const keys = JSON.stringify(found)
    const gather = this.#gathers.for(keys, () => ({ kind: 'record', keys: found }))
    const parts = found.map((): unknown[] => [])
    if (!gather(values, parts)) return undefined
    this.rebuilt.push(values)
    return { kind: 'records', length: values.length, keys, columns: parts.map((part) => this.pack(part, depth + 1)) }
  }

  #packTuples(values: readonly unknown[], length: number, depth: number): Column | undefined {
    if (length > (depth === 0 ? WIDEST : WIDEST_WITHIN)) return undefined
    const gather = this.#gathers.for(`${length}`, () => ({ kind: 'tuple', length }))
    const parts = Array.from({ length }, (): unknown[] => [])
    if (!gather(values, parts)) return undefined
    this.rebuilt.push(values)
    return { kind: 'tuples', length: values.length, columns: parts.map((part) => this.pack(part, depth + 1)) }
  }

  #packLists(values: readonly unknown[], depth: number): Column | undefined {
    const lengths = new Uint32Array(values.length)
    const items: unknown[] = []
    for (let i = 0; i < values.length; i += 1) {
      const list = values[i]
      if (!isPlainArray(list)) return undefined
      lengths[i] = list.length
      for (const item of list) items.push(item)
    }
    this.rebuilt.push(values)
    return { kind: 'lists', lengths, items: this.pack(items, depth + 1) }
  }
}

/** Turns columns into values. */
export class ColumnUnpacker {
  readonly #scatters: Made<Scatter>

  constructor(isGenerating: boolean) {
    this.#scatters = new Made(isGenerating && mayGenerate ? generatedScatter : plainScatter)
  }

  /** The values of a column. For numbers, this is the column's own array: do not change it. */
  unpack(column: Column): ArrayLike<unknown> {
    switch (column.kind) {
      case 'numbers':
      case 'cloned':
        return column.values
      case 'dates':
        return Array.from(column.values, (time) => new Date(time))
      case 'booleans':
        return Array.from(column.values, (bit) => bit === 1)
      case 'dictionary':
        return unpackDictionary(column.codes, column.distinct)
      case 'texts':
        return unpackBlocks(column.lengths, column.blocks)
      case 'sparse':
        return unpackSparse(column.tags, this.unpack(column.there))
      case 'lists':
        return unpackLists(column.lengths, this.unpack(column.items))
      case 'records': {
        const shape = (): Shape => ({ kind: 'record', keys: JSON.parse(column.keys) })
        return this.#scatter(this.#scatters.for(column.keys, shape), column)
      }
      case 'tuples': {
        const { length } = column.columns
        return this.#scatter(
          this.#scatters.for(`${length}`, () => ({ kind: 'tuple', length })),
          column,
        )
      }
      default:
        return unreachable(column)
    }
  }

  #scatter(scatter: Scatter, { length, columns }: { length: number; columns: readonly Column[] }): unknown[] {
    const parts: ArrayLike<unknown>[] = []
    for (const column of columns) parts.push(this.unpack(column))
    return scatter(length, parts)
  }
}

/** The numbers, if there is nothing else. This common case has a loop of its own, in which nothing is boxed. */
function packNumbers(values: readonly unknown[]): Float64Array<ArrayBuffer> | undefined {
  if (typeof values[0] !== 'number') return undefined
  const numbers = new Float64Array(values.length)
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]
    if (typeof value !== 'number') return undefined
    numbers[i] = value
  }
  return numbers
}

/** Which kinds of values there are, as bits. */
function kindsOf(values: readonly unknown[]): number {
  let kinds = 0
  for (let i = 0; i < values.length; i += 1) kinds |= kindOf(values[i])
  return kinds
}

function kindOf(value: unknown): number {
  switch (typeof value) {
    case 'number':
      return NUMBER
    case 'string':
      return TEXT
    case 'boolean':
      return BOOLEAN
    case 'object':
      return value === null ? NOTHING : OBJECT
    case 'undefined':
      return NOTHING
    default:
      return OTHER
  }
}

function packBooleans(values: readonly boolean[]): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array(values.length)
  for (let i = 0; i < values.length; i += 1) bits[i] = values[i] ? 1 : 0
  return bits
}

/** The times of Dates; undefined if there is anything else. */
function timesOf(values: readonly unknown[]): Float64Array<ArrayBuffer> | undefined {
  const times = new Float64Array(values.length)
  for (let i = 0; i < values.length; i += 1) {
    const value = values[i]
    if (Object.getPrototypeOf(value) !== Date.prototype) return undefined
    try {
      times[i] = Date.prototype.getTime.call(value)
    } catch {
      // It only looks like a Date: cloning it reports that.
      return undefined
    }
  }
  return times
}

function unpackSparse(tags: Uint8Array, there: ArrayLike<unknown>): unknown[] {
  const values: unknown[] = []
  let next = 0
  for (let i = 0; i < tags.length; i += 1) {
    if (tags[i] === 0) {
      values.push(there[next])
      next += 1
    } else values.push(tags[i] === 1 ? null : undefined)
  }
  return values
}

function unpackLists(lengths: Uint32Array, items: ArrayLike<unknown>): unknown[][] {
  const values: unknown[][] = []
  let next = 0
  for (let i = 0; i < lengths.length; i += 1) {
    const list: unknown[] = []
    for (let left = lengths[i] as number; left > 0; left -= 1, next += 1) list.push(items[next])
    values.push(list)
  }
  return values
}
