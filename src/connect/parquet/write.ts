// Writes rows as a Parquet file, through hyparquet-writer.

import type { Columns, ColumnType } from '../column.ts'
import { decimalText } from '../decimal.ts'
import { loadPackage } from '../packages.ts'

/** Gathers rows and makes one Parquet file of them. */
export interface ParquetEncoder {
  add(rows: readonly Record<string, unknown>[]): void
  finish(): Promise<Uint8Array> | Uint8Array
}

const TYPES = {
  text: 'STRING',
  integer: 'INT64',
  real: 'DOUBLE',
  decimal: 'STRING',
  boolean: 'BOOLEAN',
  time: 'TIMESTAMP',
  json: 'JSON',
  bytes: 'BYTE_ARRAY',
} as const satisfies Record<ColumnType, string>

/**
 * An encoder for rows of the given columns.
 *
 * @throws {SluiceError} CONFIG_INVALID if hyparquet-writer is not installed
 */
export async function parquetEncoder(columns: Columns): Promise<ParquetEncoder> {
  const { parquetWriteBuffer } = await loadPackage('hyparquet-writer', () => import('hyparquet-writer'))
  const gathered = Object.entries(columns).map(([name, type]) => ({ name, type, data: [] as unknown[] }))
  return {
    add: (rows) => {
      for (const row of rows) {
        for (const { name, type, data } of gathered) data.push(toParquet(type, row[name]))
      }
    },
    finish: () => {
      const columnData = gathered.map(({ name, type, data }) => ({ name, data, type: TYPES[type] }))
      return new Uint8Array(parquetWriteBuffer({ columnData }))
    },
  }
}

function toParquet(type: ColumnType, value: unknown): unknown {
  if (value === null || value === undefined) return null
  if (type === 'decimal') return decimalText(value)
  if (type === 'integer') return BigInt(value as number | bigint)
  return type === 'time' && typeof value === 'number' ? new Date(value) : value
}
