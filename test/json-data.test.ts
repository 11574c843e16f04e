import { deepEqual, equal, ok } from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { jsonArraySource } from '../src/connect/files/json-array.ts'
import { ndjsonSource } from '../src/connect/files/ndjson.ts'
import type { Source } from '../src/connect/source.ts'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { DATA, missingData } from './support/project.ts'

const skip = missingData('json-suite')
const FOLDER = mkdtempSync(join(tmpdir(), 'sluice-json-data-'))
const FILE = join(FOLDER, 'some.json')

/** What a source becomes: values, and reasons; or the code that it failed with, behind what came before. */
async function read(source: Source<unknown>): Promise<{ values: unknown[]; dead: string[]; failed?: string }> {
  const values: unknown[] = []
  const dead: string[] = []
  const [split] = await source.splits()
  const reader = await source.open(split!, undefined).catch((error: { code: string }) => error.code)
  if (typeof reader === 'string') return { values, dead, failed: reader }
  try {
    for (let some = await readEntries(reader, 10); some !== undefined; some = await readEntries(reader, 10)) {
      for (const entry of some) {
        if (entry.kind === 'event') values.push(entry.value)
        else dead.push(entry.reason)
      }
    }
    return { values, dead }
  } catch (error) {
    return { values, dead, failed: (error as { code: string }).code }
  } finally {
    await reader.close()
  }
}

/** Whether a text is JSON by the letter of JSON.parse, within our limits. */
function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

describe('JSON of the test suite', () => {
  let names: string[] = []
  before(() => {
    if (skip !== false) return
    execFileSync('tar', ['xzf', join(DATA, 'json-suite', 'test_parsing.tar.gz'), '-C', FOLDER])
    names = readdirSync(join(FOLDER, 'test_parsing')).sort()
    equal(names.length, 318)
  })
  after(() => rmSync(FOLDER, { recursive: true }))

  const content = (name: string) => readFileSync(join(FOLDER, 'test_parsing', name))

  it('as lines: takes what is JSON, refuses what is not, and goes on behind it', { skip }, async () => {
    for (const name of names) {
      const bytes = content(name)
      // Line ends are no part of a line of JSON, but inside of strings they are not part of JSON either.
      if (bytes.includes(0x0a) || bytes.includes(0x0d)) continue
      writeFileSync(FILE, Buffer.concat([Buffer.from('"before"\n'), bytes, Buffer.from('\n"behind"\n')]))
      const { values, dead } = await read(ndjsonSource(FILE))
      equal(values[0], 'before', name)
      equal(values.at(-1), 'behind', name)
      if (name.startsWith('y_')) deepEqual([values.length, dead], [3, []], name)
      const isBlank = bytes.toString('latin1').trim() === ''
      if (name.startsWith('n_') && !isBlank) deepEqual([values.length, dead.length], [2, 1], name)
      ok(values.length + dead.length === 3 || isBlank, name)
    }
  })

  it('as an element: takes what is JSON, refuses what is not', { skip }, async () => {
    for (const name of names) {
      const bytes = content(name)
      writeFileSync(FILE, Buffer.concat([Buffer.from('["before",'), bytes, Buffer.from(',"behind"]')]))
      const { values, dead, failed } = await read(jsonArraySource(FILE))
      equal(values[0], 'before', name)
      if (name.startsWith('y_')) deepEqual([values.length, dead, failed], [3, [], undefined], name)
      // What is not valid JSON may open what nothing closes, or close more than it opened; some is JSON once it is in an array.
      const isOther = parsed(`["before",${bytes.toString('utf8')},"behind"]`) !== undefined
      if (name.startsWith('n_') && !isOther) ok(dead.length > 0 || failed === 'SOURCE_CORRUPT', name)
    }
  })

  it('as a file: gives the elements of every array, and never what is no part of one', { skip }, async () => {
    for (const name of names) {
      const bytes = content(name)
      writeFileSync(FILE, bytes)
      const { values, dead, failed } = await read(jsonArraySource(FILE))
      const whole = parsed(bytes.toString('utf8').replace(/^\ufeff/, ''))
      if (name.startsWith('y_')) {
        if (Array.isArray(whole?.value))
          deepEqual({ values, dead, failed }, { values: whole.value, dead: [], failed: undefined }, name)
        else equal(failed, 'SOURCE_CORRUPT', name)
      } else if (name.startsWith('n_')) {
        ok(dead.length > 0 || failed === 'SOURCE_CORRUPT', name)
      }
    }
  })
})
