// Infers columns from rows, for tables without declared columns, and how a column changes when other values come.

import type { ColumnType } from '../../column.ts'

/** The type of a value: a column's, or `long` for an integer that floating point may not hold. */
export type ValueType = ColumnType | 'long'

/** Column name → type: `mixed` if rows have several without a common wider one, undefined if they have nulls only. */
export type InferredColumns = ReadonlyMap<string, ColumnType | 'mixed' | undefined>

/** The limit on columns that rows may add to a table; a first row may have more. */
export const MAX_COLUMNS = 1000

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/**
 * The columns of rows: every own key of any of them, in the order in which they first occur. Rows add none beyond
 * {@link MAX_COLUMNS}: each might bring others.
 *
 * Strings are `text`, integers and bigints `integer` (`decimal` beyond 64 bits), other numbers `real`, also if both
 * occur and floating point holds all of them; dates are `time`, Uint8Arrays `bytes`, other objects `json`. Values that
 * are not objects have no columns.
 *
 * @example
 * inferColumns([{ id: 1, tags: ['a'] }, { id: 2.5, note: null }])
 * // => new Map([['id', 'real'], ['tags', 'json'], ['note', undefined]])
 */
export function inferColumns(rows: Iterable<unknown>): InferredColumns {
  const found = new Map<string, ValueType | 'mixed' | undefined>()
  let most = Number.POSITIVE_INFINITY
  for (const row of rows) {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) continue
    for (const [name, value] of Object.entries(row)) {
      if (found.size >= most && !found.has(name)) continue
      const known = found.get(name)
      const type = typeOfValue(value)
      found.set(name, known === undefined ? type : type === undefined ? known : common(known, type))
    }
    most = MAX_COLUMNS
  }
  return new Map([...found].map(([name, type]) => [name, type === 'long' ? 'integer' : type]))
}

/** The type of a value; undefined for null, undefined and what no column holds. */
export function typeOfValue(value: unknown): ValueType | undefined {
  switch (typeof value) {
    case 'string':
      return 'text'
    case 'number':
      return Number.isSafeInteger(value) ? 'integer' : 'real'
    case 'bigint':
      if (value >= -MAX_SAFE && value <= MAX_SAFE) return 'integer'
      return BigInt.asIntN(64, value) === value ? 'long' : 'decimal'
    case 'boolean':
      return 'boolean'
    case 'object':
      if (value === null) return undefined
      if (value instanceof Date) return 'time'
      return value instanceof Uint8Array ? 'bytes' : 'json'
    default:
      return undefined
  }
}

/**
 * The type that holds the values of two types, unchanged: integers become `real` or `decimal`, everything else `text`.
 * Undefined if there is no such type: bytes are not text.
 *
 * @example
 * widened('integer', 'real') // => 'real'
 * widened('real', 'long') // => 'text'
 * widened('bytes', 'text') // => undefined
 */
export function widened(a: ValueType, b: ValueType): ValueType | undefined {
  if (a === b) return a
  if (a === 'bytes' || b === 'bytes') return undefined
  const both = new Set<ValueType>([a, b])
  const has = (...types: readonly ValueType[]): boolean => types.every((type) => both.has(type))
  if (has('integer', 'long')) return 'long'
  if (has('integer', 'real')) return 'real'
  if (has('integer', 'decimal') || has('long', 'decimal')) return 'decimal'
  return 'text'
}

function common(a: ValueType | 'mixed', b: ValueType): ValueType | 'mixed' {
  if (a === 'mixed') return a
  const type = widened(a, b)
  return type === undefined || (type === 'text' && a !== b) ? 'mixed' : type
}
