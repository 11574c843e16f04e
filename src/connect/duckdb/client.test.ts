import { throws } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { checkEngine } from './client.ts'

describe('the engine of DuckDB', () => {
  it('L64: is refused where it is too old, with the command that brings a newer one', () => {
    for (const version of ['v1.5.0', 'v1.10.2', 'v2.0.0']) checkEngine(version)
    for (const version of ['v1.4.9', 'v0.10.0', 'a build of somebody']) {
      throws(() => checkEngine(version), {
        code: 'CONFIG_INVALID',
        message: `Cannot load @duckdb/node-api: run "npm install @duckdb/node-api@latest" (DuckDB 1.5 or newer is needed: found ${version})`,
      })
    }
  })
})
