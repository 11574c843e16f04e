import { equal, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isSluiceError } from '../../base/errors.ts'
import { openError } from './connection.ts'

describe('a DuckDB file that another process has open', () => {
  it('F35: is told with who that is, also where DuckDB does not know the program', () => {
    for (const holder of ['/usr/bin/node (PID 42)', 'PID 42']) {
      const found = new Error(
        `IO Error: Could not set lock on file "a.duckdb": Conflicting lock is held in ${holder}. See`,
      )
      const trouble = openError('a.duckdb', found)
      ok(isSluiceError(trouble, 'PIPELINE_HELD'))
      equal(trouble.message, 'Cannot open "a.duckdb": process 42 has it open, and DuckDB allows one process')
    }
  })
})
