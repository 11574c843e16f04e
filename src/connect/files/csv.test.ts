import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { readEntries } from '../../testing/conformance/reading.ts'
import { times } from '../../testing/times.ts'
import { csvLine } from '../formats/csv/write.ts'
import type { SourceRecord } from '../origin.ts'
import type { Position, Source, SourceCounts } from '../source.ts'
import { type CsvSourceOptions, csvSource } from './csv.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'sluice-csv-'))
const FILE = join(FOLDER, 'some.csv')

interface Reading {
  readonly entries: SourceRecord<unknown>[]
  readonly counts: SourceCounts
  readonly position: Position
}

/** All entries of a source, split by split; of one split those after a position. */
async function readAll(source: Source<unknown>, from?: Position, max = 100): Promise<Reading> {
  const entries: SourceRecord<unknown>[] = []
  const counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  let position: Position = null
  for (const split of await source.splits()) {
    const reader = await source.open(split, from)
    for (let some = await readEntries(reader, max); some !== undefined; some = await readEntries(reader, max))
      entries.push(...some)
    counts.read += reader.counts.read
    counts.blank += reader.counts.blank
    counts.invalidUtf8 += reader.counts.invalidUtf8
    position = JSON.parse(JSON.stringify(reader.position()))
    await reader.close()
  }
  equal(counts.read, entries.length + counts.blank)
  return { entries, counts, position }
}

/** What a text becomes: rows, and reasons for what is rejected. */
async function read(content: string | Buffer, options: CsvSourceOptions = {}): Promise<unknown[]> {
  writeFileSync(FILE, content)
  const { entries } = await readAll(csvSource(FILE, options as CsvSourceOptions<undefined, 'reject'>))
  return entries.map((entry) => (entry.kind === 'event' ? entry.value : entry.reason))
}

describe('csv', () => {
  after(() => rmSync(FOLDER, { recursive: true }))

  it('gives rows with the names of the header, and their origins', async () => {
    writeFileSync(FILE, 'id,name\r\n1,"a ""b"""\r\n\r\n2,"c,\r\nd"\r\n3,é')
    const { entries, counts } = await readAll(csvSource(FILE))
    const origin = { source: FILE }
    deepEqual(entries, [
      {
        kind: 'event',
        value: { id: '1', name: 'a "b"' },
        origin: { ...origin, line: 2, offset: 9, raw: '1,"a ""b"""' },
      },
      {
        kind: 'event',
        value: { id: '2', name: 'c,\r\nd' },
        origin: { ...origin, line: 4, offset: 24, raw: '2,"c,\r\nd"' },
      },
      { kind: 'event', value: { id: '3', name: 'é' }, origin: { ...origin, line: 6, offset: 35, raw: '3,é' } },
    ])
    deepEqual(counts, { read: 4, blank: 1, invalidUtf8: 0 })
  })

  it('reads a file without a record as none', async () => {
    for (const content of ['', '\ufeff', '\n\n', 'a,b', 'a,b\n', '\ufeffa\r\n']) deepEqual(await read(content), [])
  })

  it('drops a byte order mark, with a header and without', async () => {
    deepEqual(await read('\ufeffa,b\n1,2\n'), [{ a: '1', b: '2' }])
    deepEqual(await read('\ufeffa,b\n1,2\n', { header: false }), [
      { column1: 'a', column2: 'b' },
      { column1: '1', column2: '2' },
    ])
  })

  it('takes names that are given, and numbers columns that have none', async () => {
    deepEqual(await read('1,2\n', { header: ['x', 'y'] }), [{ x: '1', y: '2' }])
    deepEqual(await read('1,2\n', { header: false }), [{ column1: '1', column2: '2' }])
  })

  it('makes names of a header unique', async () => {
    deepEqual(await read('a,,a,a_2\n1,2,3,4\n'), [{ a: '1', column2: '2', a_3: '3', a_2: '4' }])
  })

  it('S7: loads columns with names that objects have, and changes no object by it', async () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
    const [row] = (await read(`${names.join(',')}\n1,2,3,4,5\n`)) as object[]
    deepEqual(
      Object.entries(row ?? {}),
      names.map((name, place) => [name, `${place + 1}`]),
    )
    equal(Object.getPrototypeOf(row), Object.prototype)
    equal(({} as { polluted?: unknown }).polluted, undefined)
  })

  it('takes a quote inside of a field that begins with none for text', async () => {
    deepEqual(await read('a,b\n5" disk,6"\n'), [{ a: '5" disk', b: '6"' }])
  })

  it('refuses text behind closing quotes, and goes on with the next line', async () => {
    deepEqual(await read('a,b\n"x" y,1\n2,3\n'), [
      'text follows the closing quote of field 1: found " y,1" at column 4',
      { a: '2', b: '3' },
    ])
  })

  it('loses one line to a quote that is not closed, not what follows', async () => {
    deepEqual(await read('a,b\n1,"x\n2,y\n3,z\n'), [
      'field 2 opens a quote that is not closed',
      { a: '2', b: 'y' },
      { a: '3', b: 'z' },
    ])
  })

  it('loses one line to a quote that is not closed within the longest record', async () => {
    const rows = Array.from({ length: 100 }, (_, id) => `${id},y\n`).join('')
    const read1 = await read(`a,b\n1,"x\n${rows}2,"z"\n`, { maxRecordBytes: 100 })
    equal(read1.length, 102)
    equal(read1[0], 'field 2 opens a quote that is not closed')
    deepEqual(read1.at(-1), { a: '2', b: 'z' })
  })

  it('refuses a record over the limit with its length, and its first bytes as raw form', async () => {
    writeFileSync(FILE, `a\n${'x'.repeat(2_000_000)}\nb\n`)
    const { entries } = await readAll(csvSource(FILE))
    const [dead, row] = entries
    equal(dead?.kind === 'dead' && dead.reason, 'record of 2,000,000 bytes, limit 1,048,576')
    equal(dead?.origin.raw, 'x'.repeat(1024))
    deepEqual(row?.kind === 'event' && row.value, { a: 'b' })
    equal(row?.origin.line, 3)
  })

  it('refuses records with too few or too many fields', async () => {
    deepEqual(await read('a,b\n1\n1,2,3\n1,2\n'), [
      '1 field, where there are 2 columns',
      '3 fields, where there are 2 columns',
      { a: '1', b: '2' },
    ])
  })

  it('pads records that are asked to be, but drops nothing that is not empty', async () => {
    deepEqual(await read('a,b\n1\n1,2,,""\n1,2,3\n', { onRagged: 'pad' }), [
      { a: '1', b: '' },
      { a: '1', b: '2' },
      '3 fields, where there are 2 columns',
    ])
  })

  it('refuses a record with a NUL, and counts what is no UTF-8', async () => {
    writeFileSync(FILE, Buffer.from('a\nx\0y\ncaf\xe9\n', 'latin1'))
    const { entries, counts } = await readAll(csvSource(FILE))
    equal(entries[0]?.kind === 'dead' && entries[0].reason, 'NUL byte at column 2')
    equal(entries[1]?.kind === 'dead' && entries[1].reason, 'not UTF-8: found the byte \\xe9')
    equal(entries[1]?.origin.raw, 'caf\\xe9')
    equal(counts.invalidUtf8, 1)
  })

  it('leaves out comments, before the header and behind it', async () => {
    deepEqual(await read('# it\'s "a\na,b\n#1,2\n3,#4\n', { comment: '#' }), [{ a: '3', b: '#4' }])
  })

  it('X21: takes a line of blanks for a record, and an empty one for none', async () => {
    deepEqual(await read('a\tb\n\t\n  \n', { delimiter: '\t', onRagged: 'pad' }), [
      { a: '', b: '' },
      { a: '  ', b: '' },
    ])
    deepEqual(await read('a\n \n" "\n\n\t\n""\n'), [{ a: ' ' }, { a: ' ' }, { a: '\t' }, { a: '' }])
    deepEqual(await read('a\n \n" "\n', { trim: true }), [{ a: ' ' }])
  })

  it('trims fields when it is asked to, but not what is in quotes', async () => {
    deepEqual(await read('a , b\n 1 , " 2 " \n', { trim: true }), [{ a: '1', b: ' 2 ' }])
    deepEqual(await read('a , b\n 1 , " 2 "\n'), [{ 'a ': ' 1 ', ' b': ' " 2 "' }])
  })

  it('ends lines at CR where the first one does', async () => {
    deepEqual(await read('a,b\r1,"2\r3"\r4,5'), [
      { a: '1', b: '2\r3' },
      { a: '4', b: '5' },
    ])
  })

  for (const [delimiter, name] of [
    [',', 'commas'],
    [';', 'semicolons'],
    ['\t', 'tabs'],
    ['|', 'bars'],
  ] as const) {
    it(`finds out that ${name} delimit`, async () => {
      const content = [
        ['id', 'a text', 'price'],
        ['1', '"x, y; z\t| w"', '2.5'],
        ['2', 'q', '3'],
      ]
      deepEqual(await read(content.map((fields) => `${fields.join(delimiter)}\n`).join(''), { delimiter: 'auto' }), [
        { id: '1', 'a text': 'x, y; z\t| w', price: '2.5' },
        { id: '2', 'a text': 'q', price: '3' },
      ])
    })
  }

  it('refuses a header that cannot be read', async () => {
    await rejects(
      read('"a" b,c\n1,2\n'),
      /^SluiceError: Cannot read ".*": in its header, text follows the closing quote/,
    )
    await rejects(read(`${'x'.repeat(300_000)}\n`), /its first record is over 262,144 bytes$/)
  })

  describe('with typed columns', () => {
    const typed = (content: string, columns: CsvSourceOptions['columns'], options: CsvSourceOptions = {}) =>
      read(content, { ...options, columns })

    it('says its columns, and gives rows of them in their order', async () => {
      const columns = { n: 'integer', t: 'text' } as const
      deepEqual(csvSource(FILE, { columns }).columns, columns)
      deepEqual(await typed('t,x,n\na,b,1\n', columns), [{ n: 1, t: 'a' }])
    })

    it('takes an empty field for null, but for text in quotes', async () => {
      deepEqual(await typed('n,t,b\n,,\n"","",""\n', { n: 'integer', t: 'text', b: 'boolean' }), [
        { n: null, t: null, b: null },
        { n: null, t: '', b: null },
      ])
    })

    it('reads numbers exactly', async () => {
      const numbers = ['0', '-7', '+5', '007', '9007199254740991', '-0', '1234567890']
      deepEqual(
        await typed(`n\n${numbers.join('\n')}\n`, { n: 'integer' }),
        [0, -7, 5, 7, 9007199254740991, 0, 1234567890].map((n) => ({ n })),
      )
      deepEqual(
        await typed('n\n1.5\n-.5\n2.\n1e3\n-0\n', { n: 'real' }),
        [1.5, -0.5, 2, 1000, -0].map((n) => ({ n })),
      )
    })

    it('S19: refuses numbers that it would round, with column and value', async () => {
      deepEqual(await typed('n\n9007199254740993\n1.0\n1e3\n 5\n0x10\n--1\n', { n: 'integer' }), [
        'column "n" takes integers up to 2^53: found "9007199254740993"',
        'column "n" takes integers up to 2^53: found "1.0"',
        'column "n" takes integers up to 2^53: found "1e3"',
        'column "n" takes integers up to 2^53: found " 5"',
        'column "n" takes integers up to 2^53: found "0x10"',
        'column "n" takes integers up to 2^53: found "--1"',
      ])
      deepEqual(await typed('n\n1e400\nNaN\nInfinity\n1_0\n', { n: 'real' }), [
        'column "n" takes numbers: found "1e400"',
        'column "n" takes numbers: found "NaN"',
        'column "n" takes numbers: found "Infinity"',
        'column "n" takes numbers: found "1_0"',
      ])
    })

    it('S19: gives bigints of up to 64 bits when it is asked to', async () => {
      const content = 'n\n9007199254740993\n-9223372036854775808\n+9223372036854775807\n9223372036854775808\n5\n'
      deepEqual(await typed(content, { n: 'integer' }, { bigints: 'bigint' }), [
        { n: 9007199254740993n },
        { n: -9223372036854775808n },
        { n: 9223372036854775807n },
        'column "n" takes integers of 64 bits: found "9223372036854775808"',
        { n: 5 },
      ])
    })

    it('reads booleans, times and JSON', async () => {
      const content =
        'b,t,j\nTrue,2024-02-29,"{""a"":[1]}"\nn,2024-02-29T12:00:00.5+02:00,null\nmaybe,,\n0,2023-02-29,\n1,,{\n'
      deepEqual(await typed(content, { b: 'boolean', t: 'time', j: 'json' }), [
        { b: true, t: 1709164800000, j: { a: [1] } },
        { b: false, t: 1709200800500, j: null },
        'column "b" takes true or false: found "maybe"',
        'column "t" takes times as 2024-02-29T23:59:59.999Z: found "2023-02-29": no such day',
        'column "j" takes JSON: found "{"',
      ])
    })

    it('refuses a file that lacks one of them', async () => {
      await rejects(
        typed('a,b\n1,2\n', { a: 'text', price: 'real', z: 'text' }),
        /it has no column "price" and 1 more of the requested ones, found "a", "b"$/,
      )
    })
  })

  describe('resumed', () => {
    it('goes on after the row given last, whether it had a line end or not', async () => {
      writeFileSync(FILE, 'a,b\n1,2\n3,4')
      const first = await readAll(csvSource(FILE))
      equal(first.entries.length, 2)
      appendFileSync(FILE, '\n5,"6\n7"\n')
      const { entries, counts } = await readAll(csvSource(FILE), first.position)
      deepEqual(
        entries.map((entry) => entry.kind === 'event' && entry.value),
        [{ a: '5', b: '6\n7' }],
      )
      equal(entries[0]?.origin.line, 4)
      deepEqual(counts, { read: 1, blank: 0, invalidUtf8: 0 })
    })

    it('reads the header of a file that had none, or half of one', async () => {
      for (const [before, more] of [
        ['', 'a,b\n1,2\n'],
        ['a,b', '\n1,2\n'],
        ['\n\n', 'a,b\n1,2\n'],
      ] as const) {
        writeFileSync(FILE, before)
        const first = await readAll(csvSource(FILE))
        appendFileSync(FILE, more)
        const { entries } = await readAll(csvSource(FILE), first.position)
        deepEqual(
          entries.map((entry) => entry.kind === 'event' && entry.value),
          [{ a: '1', b: '2' }],
        )
      }
    })
  })

  describe('in ranges', () => {
    it('gives the rows of the whole file, with their places', async () => {
      const rows = Array.from({ length: 300 }, (_, id) => `${id},"a ""${'x'.repeat(id % 17)}"""\r\n`)
      writeFileSync(FILE, `# a comment\r\nid,text\r\n${rows.join('')}`)
      const whole = await readAll(csvSource(FILE, { comment: '#' }))
      equal(whole.entries.length, 300)
      for (const splitBytes of [7, 64, 1000]) {
        const parts = await readAll(csvSource(FILE, { comment: '#', splitBytes, quotedNewlines: false }))
        deepEqual(parts, { ...whole, position: parts.position })
      }
    })

    it('are refused where line ends may be in quotes', () => {
      throws(
        () => csvSource(FILE, { splitBytes: 100 }),
        /^TypeError: splitBytes can cut only files without line ends in quotes/,
      )
      ok(csvSource(FILE, { splitBytes: 100, quote: false }))
    })
  })

  it('gives the same of compressed content', async () => {
    const content = 'a,b\n1,"2\n3"\n\n4,5'
    const plain = await read(content)
    deepEqual(await read(gzipSync(content)), plain)
  })

  it('refuses options that there are not, or that cannot be together', () => {
    const wrong = (options: object) => () => csvSource(FILE, options as CsvSourceOptions<undefined, 'reject'>)
    throws(wrong({ separator: ';' }), /^TypeError: csvSource has no option separator/)
    throws(
      wrong({ delimiter: '' }),
      /^TypeError: delimiter must be one character or several, none of them a line end: found ""$/,
    )
    throws(wrong({ delimiter: '\n' }), TypeError)
    throws(wrong({ quote: 'é' }), TypeError)
    throws(wrong({ delimiter: '"' }), /^RangeError: quote and delimiter must differ: both are "\\""$/)
    throws(wrong({ header: [] }), TypeError)
    throws(wrong({ header: ['a', 'a'] }), /^RangeError: header names must differ: "a" comes twice$/)
    throws(wrong({ columns: { a: 'int' } }), /^RangeError: the type of column a must be one of text, integer/)
    throws(wrong({ columns: {} }), TypeError)
    throws(wrong({ maxFields: 0 }), RangeError)
    throws(wrong({ trim: 1 }), TypeError)
  })

  it('S5: refuses a record of too many fields', async () => {
    const [reason] = await read(`a\n${','.repeat(100_000)}\n`)
    equal(reason, 'more than 10,000 fields')
    match(String((await read(`a,b\n"1",2\n"1",2,3\n`, { maxFields: 2 }))[1]), /^more than 2 fields$/)
  })

  it('gives back what csvLine wrote, whatever it is', async () => {
    const cell = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 8 }),
      fc.constantFrom('', ' ', '"', '""', ',', '\n', '\r', '\r\n', 'a"b', ' x ', '#', '\ufeff', '=1+1'),
    )
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 1, max: 4 })
          .chain((width) =>
            fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 1, maxLength: 8 }),
          ),
        async (rows) => {
          const noNul = rows.map((row) => row.map((text) => text.replaceAll('\0', '')))
          const names = noNul[0]?.map((_, place) => `c${place}`) ?? []
          const content = [names, ...noNul].map((row) => csvLine(row)).join('')
          deepEqual(
            await read(content, { comment: '#', trim: true }),
            noNul.map((row) => Object.fromEntries(row.map((text, place) => [`c${place}`, text]))),
          )
        },
      ),
      { numRuns: times(300) },
    )
  })
})
