import { deepEqual, ok } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT } from './support/project.ts'
import { rulesHeldBy } from './support/rules.ts'

const page = readFileSync(join(ROOT, 'docs', 'specs', 'faults.md'), 'utf8')

/** Row → the test files that the table names for it. */
const table = new Map(
  [...page.matchAll(/^\| \*\*(F\d+)\*\* \|.*\|([^|]*)\|$/gm)].map(([, row = '', cell = '']) => [
    row,
    [...cell.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
  ]),
)

describe('the table of faults', () => {
  it('names for each row a test whose title begins with it', () => {
    ok(table.size >= 37, `${table.size} rows were found`)
    const missing = [...table].flatMap(([row, files]) => {
      if (files.length === 0) return [`${row}: no test`]
      return files
        .filter(
          (file) => !existsSync(join(ROOT, file)) || !rulesHeldBy(readFileSync(join(ROOT, file), 'utf8')).has(row),
        )
        .map((file) => `${row}: ${file}`)
    })
    deepEqual(missing, [])
  })
})
