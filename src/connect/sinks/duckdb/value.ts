// Values of JavaScript to values of DuckDB, by what their column holds: exactly, or not at all.

import type { DuckDBType, DuckDBValue } from '@duckdb/node-api'
import type { ColumnType } from '../../column.ts'
import type { Duckdb } from '../../duckdb/packages.ts'
import { REFUSED, toSqlite } from '../sqlite/value.ts'

export { faultOfValue, REFUSED } from '../sqlite/value.ts'

export function typeOf({ BIGINT, BOOLEAN, DOUBLE, TIMESTAMP, VARCHAR }: Duckdb, type: ColumnType): DuckDBType {
  const types = { text: VARCHAR, json: VARCHAR, integer: BIGINT, real: DOUBLE, boolean: BOOLEAN, time: TIMESTAMP }
  return types[type]
}

/** Makes what gives the value to be stored for a value of a row: null for null and undefined. */
export function encoderOf(
  { DuckDBTimestampValue }: Duckdb,
  type: ColumnType,
): (value: unknown) => DuckDBValue | typeof REFUSED {
  const encode = (value: unknown): DuckDBValue | typeof REFUSED => toSqlite(type, value)
  switch (type) {
    case 'integer':
      return (value) => {
        const stored = encode(value)
        return typeof stored === 'number' ? BigInt(stored) : stored
      }
    case 'boolean':
      return (value) => (value === null || value === undefined ? null : typeof value === 'boolean' ? value : REFUSED)
    case 'time':
      return (value) => {
        const stored = encode(value)
        return typeof stored === 'number' ? new DuckDBTimestampValue(BigInt(stored) * 1000n) : stored
      }
    default:
      return encode
  }
}
