import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { appendFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { readEntries } from '../../testing/conformance/reading.ts'
import { times } from '../../testing/times.ts'
import type { SourceRecord } from '../origin.ts'
import type { Position } from '../source.ts'
import { type JsonArraySourceOptions, jsonArraySource } from './json-array.ts'

const FOLDER = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-json-array-')))
const FILE = join(FOLDER, 'some.json')

/** Reads a file on from a position; `into` takes what comes, and the place behind it, even if reading fails then. */
async function readOn(options: JsonArraySourceOptions, from?: Position, into: SourceRecord<unknown>[] = []) {
  const source = jsonArraySource(FILE, options)
  const [split] = await source.splits()
  const reader = await source.open(split!, from)
  try {
    for (let some = await readEntries(reader, 3); some !== undefined; some = await readEntries(reader, 3))
      into.push(...some)
  } finally {
    await reader.close()
  }
  return reader.position()
}

async function read(content: string, options: JsonArraySourceOptions = {}): Promise<unknown[]> {
  writeFileSync(FILE, content)
  const entries: SourceRecord<unknown>[] = []
  await readOn(options, undefined, entries)
  return entries.map((entry) => (entry.kind === 'event' ? entry.value : entry.reason))
}

describe('json-array', () => {
  after(() => rmSync(FOLDER, { recursive: true }))

  it('gives each element with the place of its first byte', async () => {
    writeFileSync(FILE, '\ufeff [ {"a":\n1},\n\n  "é,]" ]\n')
    const entries: SourceRecord<unknown>[] = []
    await readOn({}, undefined, entries)
    deepEqual(entries, [
      { kind: 'event', value: { a: 1 }, origin: { source: FILE, line: 1, offset: 6, raw: '{"a":\n1}' } },
      { kind: 'event', value: 'é,]', origin: { source: FILE, line: 4, offset: 19, raw: '"é,]"' } },
    ])
  })

  it('gives the elements of any array, at any path', async () => {
    const value = fc.json({ maxDepth: 3 }).map((text) => JSON.parse(text))
    await fc.assert(
      fc.asyncProperty(
        fc.array(value),
        fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 3 }),
        value,
        fc.nat(3),
        async (array, path, other, space) => {
          const whole = path.reduceRight<unknown>(
            (inner, key) => ({ [`not ${key}`]: other, [key]: inner, after: 1 }),
            array,
          )
          if (path.includes('after') || path.includes('__proto__')) return
          deepEqual(
            await read(JSON.stringify(whole, undefined, space), { path, bigints: 'number' }),
            JSON.parse(JSON.stringify(array)),
          )
        },
      ),
      { numRuns: times(300) },
    )
  })

  it('makes a dead letter of each invalid element, and goes on', async () => {
    deepEqual(await read('[1,,tru,{"a":},2,]'), [
      1,
      'not valid JSON: Unexpected end of JSON input',
      'not valid JSON: Unexpected end of JSON input',
      'not valid JSON: Unexpected token \'}\', "{"a":}" is not valid JSON',
      2,
      'not valid JSON: Unexpected end of JSON input',
    ])
  })

  it('S5: refuses an element over the limit, and goes on', async () => {
    deepEqual(await read(`["${'x'.repeat(2_000_000)}", 1]`), ['element of 2,000,002 bytes, limit 1,048,576', 1])
  })

  it('fails at a text that is no array, and says what it is', async () => {
    await rejects(
      read('{"data": [1]}'),
      /from byte 0 on: the value is an object, not an array: name the array within it with path$/,
    )
    await rejects(read('12'), /the value is another value, not an array$/)
    await rejects(read(''), /there is no array$/)
    await rejects(read('{"a": {"b": 1}}', { path: 'a.b' }), /"a\.b" is another value, not an array$/)
    await rejects(read('{"a": {}}', { path: 'a.b' }), /there is no "a\.b"$/)
    await rejects(read('[1] [2]'), /from byte 4 on: something follows the end of its array$/)
  })

  it('gives what is whole of an array that is not, and goes on behind it once it is', async () => {
    writeFileSync(FILE, '[1, {"a": 2}, {"a": ')
    const source = jsonArraySource(FILE)
    const [split] = await source.splits()
    const reader = await source.open(split!, undefined)
    equal((await readEntries(reader, 10))?.length, 2)
    const position = reader.position()
    await rejects(async () => reader.read(10), /from byte 20 on: its array is not closed$/)
    await reader.close()
    appendFileSync(FILE, '3}, 4]')
    const entries: SourceRecord<unknown>[] = []
    await readOn({}, JSON.parse(JSON.stringify(position)), entries)
    deepEqual(
      entries.map((entry) => entry.kind === 'event' && entry.value),
      [{ a: 3 }, 4],
    )
  })

  it('reads nothing behind an array at a path', async () => {
    deepEqual(await read('{"a": [1, 2]  this is not valid JSON', { path: ['a'] }), [1, 2])
  })

  it('refuses options that it cannot use', () => {
    throws(
      () => jsonArraySource('a', { splitBytes: 1 } as JsonArraySourceOptions),
      /^TypeError: jsonArraySource has no option splitBytes/,
    )
    throws(() => jsonArraySource('a', { path: 1 } as unknown as JsonArraySourceOptions), TypeError)
  })
})
