import { deepEqual, ok } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readTree } from './support/project.ts'
import { rulesHeldBy, rulesOn } from './support/rules.ts'

/** Rule → the pages that list it. */
const pages = new Map<string, string[]>()
for (const [page, text] of readTree('docs/specs', '.md')) {
  for (const rule of rulesOn(text)) pages.set(rule, [...(pages.get(rule) ?? []), page])
}
/** Rule → files with a title that begins with it: of tests, and of suites and tables of titles that they share. */
const files = new Map<string, string>()
for (const folder of ['src', 'test']) {
  for (const [path, text] of readTree(folder, '.ts')) {
    const isOfTests =
      path.endsWith('.test.ts') || path.startsWith('testing/conformance/') || path.startsWith('support/')
    if (isOfTests) for (const rule of rulesHeldBy(text)) files.set(rule, `${folder}/${path}`)
  }
}
const isOfSpecs = (rule: string): boolean => [...pages.keys()].some((known) => known[0] === rule[0])

describe('the rules of docs/specs', () => {
  it('are each on one page, once', () => {
    ok(pages.size > 380, `${pages.size} rules were found`)
    deepEqual(
      [...pages].filter(([, on]) => on.length > 1),
      [],
    )
  })

  it('are each held by a test whose title begins with its number', () => {
    deepEqual(
      [...pages].filter(([rule]) => !files.has(rule)),
      [],
    )
  })

  it('are all that titles of tests name', () => {
    deepEqual(
      [...files].filter(([rule]) => isOfSpecs(rule) && !pages.has(rule)),
      [],
    )
  })
})

describe('the test of the rules', () => {
  it('finds rules in titles, and nowhere else', () => {
    const text =
      "it('F7, F34: goes on'); it(`F12: of a kind`); it('D1 D2: both'); rows = { a: 'F3, F6' }; // F99: a comment\nit('about F98')"
    deepEqual([...rulesHeldBy(text)], ['F7', 'F34', 'F12', 'D1', 'D2', 'F3', 'F6'])
  })

  it('finds rules in lists and tables, and not among what no test holds', () => {
    const page =
      '- **C1** One.\n  See **C9** there.\n| **F2** | a |\n| S3 | b |\n\n## Held by no test yet\n\n- **C4** No.\n'
    deepEqual(rulesOn(page), ['C1', 'F2', 'S3'])
  })
})
