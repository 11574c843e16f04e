import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { readEntries } from '../../testing/conformance/reading.ts'
import { times } from '../../testing/times.ts'
import { json } from '../formats/json/format.ts'
import { elementRecords } from '../formats/json/records.ts'
import { charsetOf } from '../kits/files/characters/charset.ts'
import { textRecords } from '../kits/files/characters/encoded-records.ts'
import type { SourceRecord } from '../origin.ts'
import { type JsonArraySourceOptions, jsonArraySource } from './json-array.ts'

const folder = mkdtempSync(join(tmpdir(), 'sluice-json-encodings-'))
const file = join(folder, 'some.json')
after(() => rmSync(folder, { recursive: true }))

/** Characters of several bytes in each encoding; the second byte of some is a backslash, a bracket, or half of a surrogate pair. */
const CHARACTERS: Record<string, Record<string, Buffer>> = {
  'utf-16le': Object.fromEntries(['ソ', 'é', '😀', '\u5b5d'].map((one) => [one, Buffer.from(one, 'utf16le')])),
  'utf-16be': Object.fromEntries(['ソ', 'é', '😀', '\u5b5d'].map((one) => [one, Buffer.from(one, 'utf16le').swap16()])),
  'windows-1252': { é: Buffer.from([0xe9]), '€': Buffer.from([0x80]) },
  shift_jis: {
    ソ: Buffer.from([0x83, 0x5c]),
    ボ: Buffer.from([0x83, 0x7b]),
    ア: Buffer.from([0x83, 0x41]),
    ｱ: Buffer.from([0xb1]),
  },
  gb18030: { 中: Buffer.from([0xd6, 0xd0]), '\u0080': Buffer.from('81308130', 'hex') },
  'euc-jp': { 中: Buffer.from([0xc3, 0xe6]), ｱ: Buffer.from([0x8e, 0xb1]) },
}

function encoded(text: string, encoding: string): Buffer {
  const wide = encoding.startsWith('utf-16')
  const bytes = [...text].map((one) => {
    const own = CHARACTERS[encoding]?.[one]
    if (own !== undefined) return own
    const ascii = wide ? Buffer.from(one, 'utf16le') : Buffer.from(one, 'latin1')
    return encoding === 'utf-16be' ? ascii.swap16() : ascii
  })
  return Buffer.concat(bytes)
}

async function read(bytes: Buffer, options: JsonArraySourceOptions): Promise<SourceRecord<unknown>[]> {
  writeFileSync(file, bytes)
  const source = jsonArraySource(file, options)
  const [split] = await source.splits()
  const entries: SourceRecord<unknown>[] = []
  // Each element by a run of its own, which goes on where the one before has ended.
  let reader = await source.open(split!, undefined)
  for (let some = await readEntries(reader, 1); some !== undefined; some = await readEntries(reader, 1)) {
    entries.push(...some)
    const position = JSON.parse(JSON.stringify(reader.position()))
    await reader.close()
    reader = await source.open(split!, position)
  }
  await reader.close()
  return entries
}

describe('jsonArraySource in other encodings', () => {
  for (const encoding of Object.keys(CHARACTERS)) {
    const characters = Object.keys(CHARACTERS[encoding] ?? {})
    const strings = fc.array(fc.constantFrom(...characters, 'a', '"', '\\', '[', '}', ','), { maxLength: 6 })
    const text = strings.map((all) => JSON.stringify(all.join('')))
    const blank = fc.constantFrom('', ' ', '\n', '\r\n', '\t')
    const element = fc.tuple(
      blank,
      fc.oneof(
        text,
        text.map((one) => `{"k":\n${one}}`),
        fc.constant('{x}'),
      ),
      blank,
    )
    const whole = fc.array(element, { maxLength: 6 }).map((all) => `[${all.map((one) => one.join('')).join(',')}]`)

    it(`X36: gives each element with the place of its first byte, however the bytes come: ${encoding}`, () => {
      const charset = charsetOf(encoding)
      const of = (others: typeof charset) =>
        textRecords(elementRecords({ format: json(), path: [], maxRecordBytes: 1000, malformed: 'reject' }), others)
      const cutAll = (bytes: Buffer, size: number, others: typeof charset) => {
        const cutter = of(others)
          .open({ path: 'a', start: bytes, bytes: () => bytes, isWhole: true })
          .cut({ isFileStart: true })
        const found: unknown[] = []
        const take = (): void => {
          for (let line = cutter.next(); line !== undefined; line = cutter.next())
            found.push({ ...line, to: cutter.offset, end: cutter.line })
        }
        for (let at = 0; at < bytes.length; at += size) {
          // Memory that is another's afterwards.
          const block = Buffer.from(bytes.subarray(at, at + size))
          cutter.push(block)
          take()
          block.fill(0)
        }
        cutter.end()
        take()
        return found
      }
      fc.assert(
        fc.property(whole, fc.integer({ min: 1, max: 40 }), (content, size) => {
          const utf8 = Buffer.from(content)
          const placed = (at: number) => encoded(utf8.toString('utf8', 0, at), encoding).length
          const expected = cutAll(utf8, utf8.length, undefined).map((one) => {
            const { offset, to, ...rest } = one as { offset: number; to: number }
            return { ...rest, offset: placed(offset), to: placed(to) }
          })
          deepEqual(cutAll(encoded(content, encoding), size, charset), expected)
        }),
        { numRuns: times(200) },
      )
    })

    it(`X36: goes on behind any element: ${encoding}`, async () => {
      const all = [...characters, ...characters.map((one) => `${one}\\${one}]`)]
      const content = `[${all.map((one) => JSON.stringify(one)).join(', ')}]`
      const entries = await read(encoded(content, encoding), { encoding })
      deepEqual(
        entries.map((entry) => entry.kind === 'event' && entry.value),
        all,
      )
    })
  }

  it('X36: rejects, or writes otherwise, the elements with bytes that are not text, and no others of their line', async () => {
    const bytes = Buffer.concat([Buffer.from('["a", "'), Buffer.from('82ff82ff', 'hex'), Buffer.from('", "\\\\x82"]')])
    const of = async (malformed: 'reject' | 'replace') =>
      (await read(bytes, { encoding: 'shift_jis', malformed })).map((one) => (one.kind === 'event' ? one.value : one))
    const [a, letter, literal] = await of('reject')
    deepEqual([a, literal], ['a', '\\x82'])
    const { reason, origin } = letter as { reason: string; origin: { raw: string; offset: number } }
    deepEqual([reason, origin.offset], ['not shift_jis: found the byte \\x82', 6])
    equal(origin.raw, '"\\x82\\xff\\x82\\xff"')
    deepEqual(await of('replace'), ['a', '\ufffd', '\\x82'])
  })

  it('X36: names the byte of the file where nothing can be read on', async () => {
    await rejects(
      read(Buffer.from('["é"] 1', 'utf16le'), { encoding: 'utf-16le' }),
      /from byte 12 on: something follows the end of its array/,
    )
    await rejects(
      read(Buffer.from('["é"', 'utf16le'), { encoding: 'utf-16le' }),
      /from byte 8 on: its array is not closed/,
    )
  })

  it('X13: learns of the option from a text in UTF-16, and takes it', async () => {
    const bytes = Buffer.from('\ufeff[1, "é"]', 'utf16le')
    const error = await read(bytes, {}).catch((thrown: Error) => thrown.message)
    match(String(error), /read it with encoding: 'utf-16le'$/)
    const entries = await read(bytes, { encoding: 'utf-16le' })
    deepEqual(
      entries.map((entry) => entry.kind === 'event' && [entry.value, entry.origin.offset]),
      [
        [1, 4],
        ['é', 10],
      ],
    )
  })
})
