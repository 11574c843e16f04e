// What is known of one column: types, nulls, distinct and commonest values, range.

import { emptyRegisters, estimate, register } from '../aggregate/hyperloglog.ts'
import type { ColumnType } from '../connect/column.ts'
import { typeOfValue, widened } from '../connect/kits/sql/infer.ts'
import { TopCounter } from '../observe/top.ts'

/** A column, as it was found. */
export interface ColumnFound {
  readonly name: string
  /** The type of all its values; undefined if it has none, or of types that no column holds together. */
  readonly type: ColumnType | undefined
  /** Type → how many values are of it. */
  readonly types: Readonly<Record<string, number>>
  /** How many rows have null, or lack the field. */
  readonly nulls: number
  readonly missing: number
  /** How many different values there are; an estimate if `isDistinctExact` is false. */
  readonly distinct: number
  readonly isDistinctExact: boolean
  /** The commonest values; counts may be too low if there are many distinct values. */
  readonly top: readonly (readonly [value: string, count: number])[]
  /** The least and the greatest value, of numbers, times and texts. */
  readonly min: number | string | undefined
  readonly max: number | string | undefined
}

/** How many values each column keeps at most. */
const KEPT = 200
const SHOWN = 5
/** The most characters of the least and the greatest text. */
const LONGEST_END = 60

/** Looks at the values of a column, in bounded memory, however many and long they are. */
export class ColumnProfile {
  readonly #name: string
  readonly #declared: ColumnType | undefined
  readonly #types = new Map<string, number>()
  readonly #top = new TopCounter({ size: KEPT })
  readonly #registers = emptyRegisters()
  /** How many rows had the field, and how many of these null. */
  #seen = 0
  #nulls = 0
  /** The ends of numbers, and of texts. */
  #least = Number.POSITIVE_INFINITY
  #most = Number.NEGATIVE_INFINITY
  #first: string | undefined
  #last: string | undefined

  constructor(name: string, declared: ColumnType | undefined) {
    this.#name = name
    this.#declared = declared
  }

  add(value: unknown): void {
    this.#seen += 1
    const type = typeOfValue(value)
    if (type === undefined) {
      this.#nulls += 1
      return
    }
    const named = type === 'long' ? 'integer' : type
    this.#types.set(named, (this.#types.get(named) ?? 0) + 1)
    const text = textOf(value)
    this.#top.add(text)
    register(this.#registers, text)
    if (typeof value === 'number' || typeof value === 'bigint') this.#addNumber(Number(value))
    else if (typeof value === 'string') this.#addText(value)
  }

  #addNumber(value: number): void {
    if (value < this.#least) this.#least = value
    if (value > this.#most) this.#most = value
  }

  #addText(value: string): void {
    if (this.#first === undefined || value < this.#first) this.#first = endOf(value)
    if (this.#last === undefined || value > this.#last) this.#last = endOf(value)
  }

  /** @param rows - how many rows there were */
  found(rows: number): ColumnFound {
    const top = this.#top.top(SHOWN)
    const isNumeric = this.#least <= this.#most
    const ends = isNumeric ? [this.#least, this.#most] : [this.#first, this.#last]
    return {
      name: this.#name,
      type: this.#declared ?? this.#widest(),
      types: Object.fromEntries([...this.#types].sort(([, a], [, b]) => b - a)),
      nulls: this.#nulls,
      missing: rows - this.#seen,
      distinct: top.exact ? top.distinct : Math.min(this.#seen - this.#nulls, Math.round(estimate(this.#registers))),
      isDistinctExact: top.exact,
      top: top.values,
      // Of numbers and texts together, no one is the least.
      min: isNumeric && this.#first !== undefined ? undefined : ends[0],
      max: isNumeric && this.#first !== undefined ? undefined : ends[1],
    }
  }

  #widest(): ColumnType | undefined {
    let widest: ColumnType | undefined
    for (const type of this.#types.keys() as Iterable<ColumnType>) {
      const wider = widest === undefined ? type : widened(widest, type)
      if (wider === undefined || (wider === 'text' && widest !== undefined && widest !== type)) return undefined
      widest = wider === 'long' ? 'integer' : wider
    }
    return widest
  }
}

/** A copy, cut: a text may be a slice of a block, and would keep all of it. */
function endOf(text: string): string {
  return Buffer.from(text.slice(0, LONGEST_END), 'utf16le').toString('utf16le')
}

/** A value as text, for counting and for people. */
function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return `${value.length} bytes`
  if (typeof value !== 'object' || value === null) return String(value)
  return JSON.stringify(value, (_key, one) => (typeof one === 'bigint' ? `${one}` : one)).slice(0, 1000)
}
