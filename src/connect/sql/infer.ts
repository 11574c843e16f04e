// Columns out of rows, for tables whose columns nobody has named.

import type { ColumnType } from '../column.ts'

/** Column name → type, or undefined where the rows do not tell one: all null, or of several types. */
export type InferredColumns = ReadonlyMap<string, ColumnType | undefined>

/**
 * The columns of rows: every own key of any of them, in the order in which they first come.
 *
 * Strings are `text`, whole numbers and bigints `integer`, other numbers `real`, also where both come; dates are
 * `time`, other objects `json`. What is no object has no columns.
 *
 * @example
 * inferColumns([{ id: 1, tags: ['a'] }, { id: 2.5, note: null }])
 * // => new Map([['id', 'real'], ['tags', 'json'], ['note', undefined]])
 */
export function inferColumns(rows: Iterable<unknown>): InferredColumns {
  const found = new Map<string, ColumnType | 'mixed' | undefined>()
  for (const row of rows) {
    if (typeof row !== 'object' || row === null || Array.isArray(row)) continue
    for (const [name, value] of Object.entries(row)) {
      const known = found.get(name)
      found.set(name, common(known, typeOf(value)))
    }
  }
  return new Map([...found].map(([name, type]) => [name, type === 'mixed' ? undefined : type]))
}

function typeOf(value: unknown): ColumnType | undefined {
  switch (typeof value) {
    case 'string':
      return 'text'
    case 'number':
      return Number.isSafeInteger(value) ? 'integer' : 'real'
    case 'bigint':
      return 'integer'
    case 'boolean':
      return 'boolean'
    case 'object':
      return value === null ? undefined : value instanceof Date ? 'time' : 'json'
    default:
      return undefined
  }
}

function common(a: ColumnType | 'mixed' | undefined, b: ColumnType | undefined): ColumnType | 'mixed' | undefined {
  if (a === undefined || a === b) return b ?? a
  if (b === undefined) return a
  const areNumbers = (a === 'integer' || a === 'real') && (b === 'integer' || b === 'real')
  return areNumbers ? 'real' : 'mixed'
}
