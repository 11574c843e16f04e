import { deepEqual } from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT, readTree } from '../support/project.ts'

const ROW = /^\| (S\d+) \|(.*)\|$/
const ALL = Array.from({ length: 24 }, (_, at) => `S${at + 1}`)

/** Row → the files that its table says hold it; none for what is listed as not held yet. */
function rowsOf(page: string): Map<string, readonly string[]> {
  const rows = new Map<string, readonly string[]>()
  for (const line of page.split('\n')) {
    const [, row = '', rest = ''] = ROW.exec(line) ?? []
    if (row !== '') rows.set(row, rest.match(/\b(?:src|test)\/[\w/.-]+\.test\.ts/g) ?? [])
  }
  return rows
}

/** The rows that titles of tests in a file begin with: `S2, S3: …`. */
function heldIn(text: string): Set<string> {
  const titles = text.matchAll(/\bit\(\s*['"`]((?:S\d+(?:, )?)+):/g)
  return new Set([...titles].flatMap(([, rows = '']) => rows.split(', ')))
}

describe('docs/specs/security.md', () => {
  const rows = rowsOf(readFileSync(join(ROOT, 'docs', 'specs', 'security.md'), 'utf8'))

  it('has every row', () => {
    deepEqual(
      ALL.filter((row) => !rows.has(row)),
      [],
    )
  })

  it('names only files that hold the row, by the title of a test', () => {
    const missing: string[] = []
    for (const [row, files] of rows) {
      for (const file of files) {
        const path = join(ROOT, file)
        if (!existsSync(path) || !heldIn(readFileSync(path, 'utf8')).has(row)) missing.push(`${row}: ${file}`)
      }
    }
    deepEqual(missing, [])
  })

  it('says of no row that nothing holds it when a test does', () => {
    const held: string[] = []
    for (const folder of ['src', 'test']) {
      for (const [path, text] of readTree(folder, '.test.ts')) {
        for (const row of heldIn(text)) if ((rows.get(row) ?? []).length === 0) held.push(`${row}: ${folder}/${path}`)
      }
    }
    deepEqual(held, [])
  })
})
