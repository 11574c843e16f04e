// The engine of DuckDB, loaded when the first database is opened.

import type * as duckdb from '@duckdb/node-api'
import { loadPackage, unusable } from '../kits/package.ts'

export type Duckdb = typeof duckdb

/** @throws {SluiceError} CONFIG_INVALID if it is not installed, or too old */
export async function loadDuckdb(): Promise<Duckdb> {
  const engine = await loadPackage('@duckdb/node-api', () => import('@duckdb/node-api'))
  checkEngine(engine.version())
  return engine
}

/** The package asks npm for any release, as no range matches its prereleases: so the release is looked at here. */
export function checkEngine(version: string): void {
  const [, major = 0, minor = 0] = /^v(\d+)\.(\d+)/.exec(version)?.map(Number) ?? []
  if (major > 1 || (major === 1 && minor >= 5)) return
  throw unusable('@duckdb/node-api', `DuckDB 1.5 or newer is needed: found ${version}`)
}
