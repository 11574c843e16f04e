import { deepEqual, ok } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT, readTree } from './support/project.ts'

const page = readFileSync(join(ROOT, 'docs', 'specs', 'faults.md'), 'utf8')

/** Row → the test files that the table names for it. */
const table = new Map(
  [...page.matchAll(/^\| \*\*(F\d+)\*\* \|.*\|([^|]*)\|$/gm)].map(([, row = '', cell = '']) => [
    row,
    [...cell.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
  ]),
)

/** The rows that titles of tests begin with: `F7, F34: …`. */
function rowsHeldBy(text: string): Set<string> {
  const heads = text.matchAll(/['"`]((?:[A-Z]\d+(?:, )?)+)(?:: |['"`])/g)
  return new Set([...heads].flatMap(([, head = '']) => head.split(', ')))
}

describe('the table of faults', () => {
  it('names for each row a test whose title begins with it', () => {
    ok(table.size >= 37, `${table.size} rows were found`)
    const missing = [...table].flatMap(([row, files]) => {
      if (files.length === 0) return [`${row}: no test`]
      return files
        .filter((file) => !existsSync(join(ROOT, file)) || !rowsHeldBy(readFileSync(join(ROOT, file), 'utf8')).has(row))
        .map((file) => `${row}: ${file}`)
    })
    deepEqual(missing, [])
  })

  it('has each row that a test names', () => {
    const unknown = ['test', 'src'].flatMap((folder) =>
      [...readTree(folder, '.test.ts')].flatMap(([path, text]) => {
        const rows = [...rowsHeldBy(text)].filter((row) => /^F\d/.test(row) && !table.has(row))
        return rows.map((row) => `${row}: ${folder}/${path}`)
      }),
    )
    deepEqual(unknown, [])
  })
})

describe('the test of the table of faults', () => {
  it('finds rows in titles, and nowhere else', () => {
    const text =
      "it('F7, F34: goes on'); it(`F12: of a kind`); rows = { a: 'F3, F6' }; // F99: a comment\nit('about F98')"
    deepEqual([...rowsHeldBy(text)], ['F7', 'F34', 'F12', 'F3', 'F6'])
  })
})
