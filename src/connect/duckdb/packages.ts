// The engine of DuckDB: a package that only who uses it needs, loaded when the first database is opened.

import type * as duckdb from '@duckdb/node-api'
import { messageOf, SluiceError } from '../../base/errors.ts'

export type Duckdb = typeof duckdb

/** @throws {SluiceError} CONFIG_INVALID if it is not installed */
export async function loadDuckdb(): Promise<Duckdb> {
  try {
    return await import('@duckdb/node-api')
  } catch (error) {
    const allowed = 'npm install @duckdb/node-api'
    const found = messageOf(error).split('\n', 1)[0] ?? ''
    const details = { key: '@duckdb/node-api', value: undefined, allowed }
    throw new SluiceError('CONFIG_INVALID', `Cannot load DuckDB: run "${allowed}" (${found})`, details, {
      cause: error,
    })
  }
}
