// Parquet files for tests: made by DuckDB, read by our source.

import { DuckDBInstance } from '@duckdb/node-api'
import { type ParquetSourceOptions, parquetSource } from 'sluice'
import { recordsOf } from '../../src/connect/batch.ts'

/** Runs SQL in a database of its own, in one thread, so that files come out the same. */
export async function duckdbRows(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' })
  const connection = await instance.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJS()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

/** Writes what a query gives into a Parquet file. */
export async function writeParquet(path: string, query: string, options = ''): Promise<void> {
  await duckdbRows(`copy (${query}) to '${path}' (format parquet${options === '' ? '' : `, ${options}`})`)
}

export interface ReadRows {
  readonly rows: Record<string, unknown>[]
  /** Why rows were refused. */
  readonly reasons: string[]
}

/** Reads all row groups of a file. */
export async function readParquet(path: string, options: ParquetSourceOptions = {}): Promise<ReadRows> {
  const source = parquetSource(path, options)
  const found: ReadRows = { rows: [], reasons: [] }
  for (const split of await source.splits()) {
    const reader = await source.open(split, undefined)
    try {
      for (let read = await reader.read(1000); read !== undefined; read = await reader.read(1000)) {
        for (const entry of recordsOf(read)) {
          if (entry.kind === 'dead') found.reasons.push(entry.reason)
          else found.rows.push(entry.value)
        }
      }
    } finally {
      await reader.close()
    }
  }
  return found
}
