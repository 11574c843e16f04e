// Values of JavaScript to texts that DuckDB makes values of, by what their column holds: exactly, or not at all.

import { describeValue } from '../../../base/check.ts'
import type { ColumnType } from '../../column.ts'
import { parseDecimal } from '../../decimal.ts'
import { fieldOf, type Separators } from '../../duckdb/rows-text.ts'
import { REFUSED, faultOfValue as reasonOf, toSqlite } from '../sqlite/value.ts'

export { REFUSED } from '../sqlite/value.ts'

const TYPES: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  json: 'VARCHAR',
  integer: 'BIGINT',
  real: 'DOUBLE',
  decimal: 'DECIMAL(38,9)',
  boolean: 'BOOLEAN',
  time: 'TIMESTAMP',
  bytes: 'BLOB',
}

/** What DuckDB calls the type of a column. */
export function typeOf(type: ColumnType): string {
  return TYPES[type]
}

/** The text of a value of a row: null for null and undefined. */
export function toText(type: ColumnType, value: unknown): string | null | typeof REFUSED {
  const stored = toSqlite(type, value)
  if (type === 'json' && typeof stored === 'string' && hasHalf(stored)) return REFUSED
  if (type === 'decimal' && typeof stored === 'string' && !fits(stored)) return REFUSED
  if (stored instanceof Uint8Array) return Buffer.from(stored).toString('hex')
  if (stored === null || stored === REFUSED || typeof stored === 'string') return stored
  return Object.is(stored, -0) ? '-0' : String(stored)
}

/** Why a column does not take `value`, for a person to read. */
export function faultOfValue(column: string, type: ColumnType, value: unknown): string {
  const stored = toSqlite(type, value)
  if (type !== 'json' || typeof stored !== 'string') return reasonOf(column, type, value)
  return `column ${column} cannot hold the half of a surrogate pair in ${describeValue(value)}`
}

/** Whether DECIMAL(38,9) has room for all digits: DuckDB would round the rest. */
function fits(decimal: string): boolean {
  const { whole, fraction } = parseDecimal(decimal)
  return whole.length <= 29 && fraction.replace(/0+$/, '').length <= 9
}

/** Whether JSON has half of a surrogate pair in it, which is always escaped there: DuckDB takes it for no JSON. */
function hasHalf(json: string): boolean {
  return json.includes('\\ud') && /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(json)
}

/** The value of a column, counted from 0, out of the text that `toText` gave. */
export function fromText(type: ColumnType, at: number, separators: Separators): string {
  const text = fieldOf(at, separators)
  switch (type) {
    case 'text':
    case 'json':
      return text
    case 'bytes':
      return `unhex(${text})`
    case 'time':
      return `make_timestamp(${text}::bigint * 1000)`
    default:
      return `${text}::${typeOf(type)}`
  }
}
