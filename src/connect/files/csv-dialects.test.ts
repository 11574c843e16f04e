import { deepEqual, equal, match, rejects, throws } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import fc from 'fast-check'
import { readEntries } from '../../testing/conformance/reading.ts'
import type { SourceRecord } from '../origin.ts'
import type { Position } from '../source.ts'
import { type CsvSourceOptions, csvSource } from './csv.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'sluice-csv-dialects-'))
const FILE = join(FOLDER, 'some.csv')
after(() => rmSync(FOLDER, { recursive: true }))

/** All entries of the file, with the position behind each of them. */
async function recordsOf(
  options: CsvSourceOptions,
  from?: Position,
  max = 100,
): Promise<[SourceRecord<unknown>, Position][]> {
  const source = csvSource(FILE, options as CsvSourceOptions<undefined, 'reject'>)
  const [split] = await source.splits()
  const reader = await source.open(split!, from)
  const entries: [SourceRecord<unknown>, Position][] = []
  for (let some = await readEntries(reader, max); some !== undefined; some = await readEntries(reader, max))
    for (const one of some) entries.push([one, JSON.parse(JSON.stringify(reader.position()))])
  await reader.close()
  return entries
}

/** What a text becomes: rows, and reasons for what is rejected. */
async function read(content: string | Buffer, options: CsvSourceOptions = {}): Promise<unknown[]> {
  writeFileSync(FILE, content)
  return (await recordsOf(options)).map(([entry]) => (entry.kind === 'event' ? entry.value : entry.reason))
}

describe('csv, dialects', () => {
  it('X20: loses a malformed first record only, where nothing names the columns', async () => {
    const [first, ...others] = await read('"x" y,z\n1,2\n3,4\n', { header: false })
    match(first as string, /^text follows the closing quote of field 1/)
    deepEqual(others, [
      { column1: '1', column2: '2' },
      { column1: '3', column2: '4' },
    ])
    const rows = await read("'it's',1\n'a\n2,3\n4,5\n", { header: false, quote: "'", columns: { column2: 'integer' } })
    deepEqual(rows.slice(2), [{ column2: 3 }, { column2: 5 }])
  })

  for (const [name, content, options, rows] of [
    ['in quotes', 'a,b\n1,"say \\"hi\\", \\\\ bob"\n', {}, [{ a: '1', b: 'say "hi", \\ bob' }]],
    ['outside of quotes', 'a,b\nx\\,y,\\"z\\"\n', {}, [{ a: 'x,y', b: '"z"' }]],
    [
      'before a line end',
      'a,b\nx\\\ny,z\n1,2\n',
      {},
      [
        { a: 'x\ny', b: 'z' },
        { a: '1', b: '2' },
      ],
    ],
    [
      'for control characters',
      'a\tb\nx\\ty\\nz\t\\N\n',
      { delimiter: '\t', quote: false, nulls: ['\\N'] },
      [{ a: 'x\ty\nz', b: null }],
    ],
    ['beside doubled quotes', 'a,b\n"p ""q"" \\"r\\"",\n', {}, [{ a: 'p "q" "r"', b: '' }]],
    ['at the end of a quoted field', 'a,b\n"c:\\\\","\\""\n', {}, [{ a: 'c:\\', b: '"' }]],
  ] as const) {
    it(`X22: takes escapes off ${name}`, async () => {
      deepEqual(await read(content, { escape: '\\', ...options }), rows)
    })
  }

  it('X22: refuses escapes that programs read differently', async () => {
    const reasons = await read('a\n\\q\n"\\0"\nx\\\\\n', { escape: '\\' })
    deepEqual(reasons, ['\\q is not a known escape', '\\0 is not a known escape', { a: 'x\\' }])
  })

  it('X23: refuses a backslash before a quote outside of quotes, unless it is said what it is', async () => {
    const content = 'a,b\n1,x \\"y\\"\n2,c:\\\n'
    const [first, second] = await read(content)
    match(first as string, /^a backslash precedes a quote .* escape: '\\\\' .* escape: false/)
    deepEqual(second, { a: '2', b: 'c:\\' })
    deepEqual(await read(content, { escape: false }), [
      { a: '1', b: 'x \\"y\\"' },
      { a: '2', b: 'c:\\' },
    ])
  })

  it('X24: takes words for null where they stand without quotes', async () => {
    const content = 'id,v\n1,NULL\n2,\\N\n3,"NULL"\n4,\n5,""\n6,null\n'
    const nulls = ['NULL', '\\N']
    const values = async (options: CsvSourceOptions) =>
      (await read(content, options)).map((row) => (typeof row === 'string' ? row : (row as { v: unknown }).v))
    deepEqual(await values({ nulls }), [null, null, 'NULL', '', '', 'null'])
    deepEqual(await values({ nulls: [...nulls, ''] }), [null, null, 'NULL', null, '', 'null'])
    deepEqual(await values({ nulls, columns: { v: 'text' } }), [null, null, 'NULL', '', '', 'null'])
    const integers = await values({ nulls, columns: { v: 'integer' } })
    deepEqual([integers[0], integers[3], integers[4]], [null, null, null])
    match(integers[5] as string, /found "null"$/)
    match(integers[2] as string, /found "NULL"$/)
  })

  it('X25: reads numbers with a decimal comma, and marks between thousands', async () => {
    const options = { delimiter: ';', decimal: ',', thousands: '.' } as const
    const columns = { n: 'integer', r: 'real', d: 'decimal' } as const
    deepEqual(await read('n;r;d\n1.234;1.234,50;-1.234.567,10\n12;0,75;,5\n', { ...options, columns }), [
      { n: 1234, r: 1234.5, d: '-1234567.10' },
      'column "d" takes decimal numbers such as -12.50, written as 1.234,5: found ",5"',
    ])
    deepEqual(await read('n;r\n1.2;1\n1234;1.5\n12.34.567;1\n', { ...options, columns: { n: 'integer', r: 'real' } }), [
      'column "n" takes integers up to 2^53, written as 1.234,5: found "1.2"',
      'column "r" takes numbers, written as 1.234,5: found "1.5"',
      'column "n" takes integers up to 2^53, written as 1.234,5: found "12.34.567"',
    ])
    deepEqual(await read('n\n1\u202f234\n1 234\n', { thousands: ' ', columns: { n: 'integer' } }), [
      { n: 1234 },
      { n: 1234 },
    ])
  })

  it('X26: passes over lines before the header, and keeps places', async () => {
    const content = 'Report: "sales\nof May\n\nid,amount\n1,10\n'
    deepEqual(await read(content, { skip: 3 }), [{ id: '1', amount: '10' }])
    const [[entry] = []] = await recordsOf({ skip: 3 })
    deepEqual([entry?.origin.line, entry?.origin.offset], [5, content.indexOf('1,10')])
    deepEqual(await read(content, { skip: 4, header: false }), [{ column1: '1', column2: '10' }])
  })

  it('X26: takes the delimiter that a first line says, or refuses the file', async () => {
    for (const line of ['sep=;\r\n', '"sep=;"\n', '\ufeffSEP=;\n']) {
      deepEqual(await read(`${line}id;name\n1;ann\n`), [{ id: '1', name: 'ann' }])
    }
    deepEqual(await read('sep=;\nid;name\n1;ann\n', { delimiter: 'auto' }), [{ id: '1', name: 'ann' }])
    await rejects(read('sep=;\nid,name\n', { delimiter: ',' }), /says that the delimiter is ";", .* skip$/)
    deepEqual(await read('sep=;\nid,name\n1,2\n', { delimiter: ',', skip: 1 }), [{ id: '1', name: '2' }])
  })

  for (const delimiter of ['||', '§', '<|>', 'aab', '、']) {
    it(`X27: cuts fields at ${delimiter}`, async () => {
      const row = ['1', '"x\ny"', '"q""r"', '|'].join(delimiter)
      deepEqual(await read(`a${delimiter}b${delimiter}c${delimiter}d\n${row}\n`, { delimiter }), [
        { a: '1', b: 'x\ny', c: 'q"r', d: '|' },
      ])
      const [reason] = await read(`a${delimiter}b\n"x"y${delimiter}z\n`, { delimiter })
      match(reason as string, /^text follows the closing quote of field 1/)
    })
  }

  it('X28: fills up, cuts or refuses records of another length', async () => {
    const content = 'a,b\n1\n1,2,\n1,2,3\n'
    deepEqual(await read(content, { onRagged: 'cut' }), [
      { a: '1', b: '' },
      { a: '1', b: '2' },
      { a: '1', b: '2' },
    ])
    equal((await read(content, { onRagged: 'pad' }))[2], '3 fields, where there are 2 columns')
    equal((await read(content)).filter((row) => typeof row === 'string').length, 3)
  })

  it('X1, X2: reads the times of each column in its form, and refuses what is not one', async () => {
    const columns = { day: 'time', at: 'time', s: 'time' } as const
    const time = { day: 'dd/MM/yyyy', s: 's' }
    deepEqual(
      await read(
        'day,at,s\n29/02/2024,2024-02-29 12:00:00+01,1709208000\n2024-02-29,,\n,2024-02-29T12:00:00.000001Z,\n,,soon\n,,\n',
        { columns, time },
      ),
      [
        { day: Date.UTC(2024, 1, 29), at: Date.UTC(2024, 1, 29, 11), s: Date.UTC(2024, 1, 29, 12) },
        'column "day" takes times as dd/MM/yyyy: found "2024-02-29"',
        'column "at" takes times as 2024-02-29T23:59:59.999Z: found "2024-02-29T12:00:00.000001Z": ' +
          "digits finer than a millisecond, which would be lost: subMilliseconds: 'truncate' cuts them off",
        'column "s" takes times as seconds since 1970: found "soon"',
        { day: null, at: null, s: null },
      ],
    )
    const zone = { columns: { t: 'time' }, timeZone: 'Asia/Tokyo', subMilliseconds: 'truncate' } as const
    deepEqual(await read('t\n2024-02-29 12:00:00.000999\n', zone), [{ t: Date.UTC(2024, 1, 29, 3) }])
  })

  it('refuses options that cannot be', () => {
    const wrong = (options: object) => () => csvSource(FILE, options as CsvSourceOptions<undefined, 'reject'>)
    throws(wrong({ time: { t: 's' } }), /time names the column "t", which is not a time in columns/)
    throws(wrong({ decimal: ',', thousands: ',' }), /decimal and thousands must differ/)
    throws(wrong({ thousands: '0' }), TypeError)
    throws(wrong({ nulls: 'NULL' }), TypeError)
    throws(wrong({ escape: '""' }), TypeError)
    throws(wrong({ delimiter: 'a"b' }), /quote and delimiter must differ/)
    throws(wrong({ encoding: 'klingon' }), /encoding must be one such as utf-8, latin1/)
    throws(wrong({ encoding: 'iso-2022-jp' }), RangeError)
    throws(wrong({ malformed: 'drop' }), RangeError)
    throws(wrong({ escape: '\\', quote: false, splitBytes: 1000 }), /quotedNewlines: false/)
  })
})

describe('csv, encodings', () => {
  const text = 'id;näme\r\n1;"Müller ""x"""\r\n\r\n2;"Zoë\r\nand more"\r\n3;José\r\n'
  const utf16 = (bytes: Buffer) => Buffer.from(bytes).swap16()
  const files: readonly (readonly [encoding: string, mark: string, encode: (text: string) => Buffer])[] = [
    ['latin1', '', (one) => Buffer.from(one, 'latin1')],
    ['windows-1252', '', (one) => Buffer.from(one, 'latin1')],
    ['utf-16le', '', (one) => Buffer.from(one, 'utf16le')],
    ['utf-16le', '\ufeff', (one) => Buffer.from(one, 'utf16le')],
    ['utf-16', '\ufeff', (one) => Buffer.from(one, 'utf16le')],
    ['utf-16be', '', (one) => utf16(Buffer.from(one, 'utf16le'))],
    ['utf-16be', '\ufeff', (one) => utf16(Buffer.from(one, 'utf16le'))],
    ['utf-8', '\ufeff', (one) => Buffer.from(one)],
  ]
  for (const [encoding, mark, encode] of files) {
    it(`X12: reads ${encoding}${mark === '' ? '' : ' with a mark'}, and goes on at every place`, async () => {
      const options = { encoding, delimiter: ';' }
      deepEqual(await read(encode(mark + text), options), [
        { id: '1', näme: 'Müller "x"' },
        { id: '2', näme: 'Zoë\r\nand more' },
        { id: '3', näme: 'José' },
      ])
      const entries = await recordsOf(options, undefined, 1)
      deepEqual(
        entries.map(([{ origin }]) => [origin.line, origin.offset]),
        ['1;"', '2;"', '3;J'].map((part, at) => [
          [2, 4, 6][at],
          encode(mark + text.slice(0, text.indexOf(part))).length,
        ]),
      )
      for (const [at, [, position]] of entries.entries()) {
        const rest = await recordsOf(options, position)
        deepEqual(
          rest.map(([entry]) => entry),
          entries.slice(at + 1).map(([entry]) => entry),
        )
      }
    })
  }

  it('X12: takes no byte of a character for a delimiter, an escape or a quote', async () => {
    // ソ is 83 5C, ポ is 83 7C, ゼ is 83 5B in Shift-JIS.
    const sjis = (...hex: string[]) => Buffer.from(hex.join(''), 'hex')
    const bytes = Buffer.concat([
      Buffer.from('a|b\n'),
      sjis('835c837c'),
      Buffer.from('|"'),
      sjis('835c'),
      Buffer.from('"\n'),
    ])
    for (const extra of [{}, { escape: '\\' }]) {
      deepEqual(await read(bytes, { encoding: 'shift_jis', delimiter: '|', ...extra }), [{ a: 'ソポ', b: 'ソ' }])
    }
  })

  it('X10, X12: refuses, escapes or replaces what is not text in its encoding, record by record', async () => {
    const bytes = Buffer.concat([
      Buffer.from('a,b\n1,'),
      Buffer.from('82a0', 'hex'),
      Buffer.from('\n2,'),
      Buffer.from('82ff', 'hex'),
      Buffer.from('\n3,x\n'),
    ])
    const of = async (malformed: 'reject' | 'escape' | 'replace') =>
      await read(bytes, { encoding: 'shift_jis', malformed })
    deepEqual(await of('reject'), [{ a: '1', b: 'あ' }, 'not shift_jis: found the byte \\x82', { a: '3', b: 'x' }])
    deepEqual((await of('escape'))[1], { a: '2', b: '\\x82\\xff' })
    deepEqual((await of('replace'))[1], { a: '2', b: '\ufffd' })
  })

  it('X10: keeps two names apart that are not UTF-8, or neither', async () => {
    const bytes = Buffer.from('name\nJos\xe9\nJos\xe8\nAnn\n', 'latin1')
    deepEqual(await read(bytes), [
      'not UTF-8: found the byte \\xe9',
      'not UTF-8: found the byte \\xe8',
      { name: 'Ann' },
    ])
    const [[letter] = []] = await recordsOf({})
    equal(letter?.origin.raw, 'Jos\\xe9')
    const source = csvSource(FILE)
    const again = source.reparse?.(letter!.origin)
    equal(again?.kind, 'dead')
    deepEqual(await read(bytes, { encoding: 'latin1' }), [{ name: 'José' }, { name: 'Josè' }, { name: 'Ann' }])
  })

  it('X13: refuses UTF-16 with a mark, with the option that reads it', async () => {
    await rejects(
      read(Buffer.from('\ufeffa\n1\n', 'utf16le')),
      /its text is UTF-16, little endian: read it with encoding: 'utf-16le'$/,
    )
    await rejects(read(Buffer.from('\ufeffa\n1\n', 'utf16le'), { encoding: 'utf-16be' }), /encoding: 'utf-16le'$/)
  })

  it('X12: gives the same records whatever the bytes come in', async () => {
    const { textRecords } = await import('../kits/files/characters/encoded-records.ts')
    const { lineRecords } = await import('../kits/files/records/records.ts')
    const { charsetOf } = await import('../kits/files/characters/charset.ts')
    const { textLines } = await import('../formats/text.ts')
    const pieces = fc.constantFrom('a', '\n', '\r\n', '\uD83D\uDE00', 'é', 'Ċ', '\u0a0a', '\ufeff', ' ')
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 30 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 7 }),
        (all, isBig, size) => {
          const bytes = isBig ? utf16(Buffer.from(all.join(''), 'utf16le')) : Buffer.from(all.join(''), 'utf16le')
          const charset = charsetOf(isBig ? 'utf-16be' : 'utf-16le')
          if (
            bytes.readUInt16LE === undefined ||
            (bytes.length > 1 && [0xfffe, 0xfeff].includes(bytes.readUInt16BE(0)))
          )
            return
          const records = textRecords(lineRecords(textLines(), 1000), charset)
          const opened = records.open({ path: 'x', start: bytes, bytes: () => bytes, isWhole: true })
          const cutter = opened.cut({})
          const found: { text: string; offset: number; behind: number }[] = []
          const take = (): void => {
            for (let line = cutter.next(); line !== undefined; line = cutter.next()) {
              found.push({ text: line.text, offset: line.offset, behind: cutter.offset })
              deepEqual(cutter.lastBytes(), bytes.subarray(Math.max(0, cutter.offset - 256), cutter.offset))
            }
          }
          for (let at = 0; at < bytes.length; at += size) {
            const block = Buffer.from(bytes.subarray(at, at + size))
            cutter.push(block)
            take()
            // The memory of a block is used for another one.
            block.fill(0)
          }
          cutter.end()
          take()
          const lines = all.join('').match(/[^\n]*\n|[^\n]+$/g) ?? []
          let offset = 0
          const expected = lines.flatMap((line) => {
            const from = offset
            offset += 2 * line.length
            const one = line.replace(/\r?\n$/, '')
            return /^[ \t]*$/.test(one) ? [] : [{ text: one, offset: from, behind: offset }]
          })
          deepEqual(found, expected)
          equal(cutter.offset, bytes.length)
        },
      ),
    )
  })
})
