import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { type CsvSourceOptions, csvSource } from '../src/connect/files/csv.ts'
import { csvLine } from '../src/connect/formats/csv/write.ts'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { DATA, missingData } from './support/project.ts'

const EDGE = join(DATA, 'csv-edge')
const skip = missingData('csv-edge')
const FOLDER = mkdtempSync(join(tmpdir(), 'sluice-csv-data-'))

interface Read {
  readonly rows: Record<string, string>[]
  readonly dead: string[]
  readonly invalidUtf8: number
}

async function read(path: string, options: CsvSourceOptions = {}): Promise<Read> {
  const source = csvSource(path, options as CsvSourceOptions<undefined, 'reject'>)
  const [split] = await source.splits()
  const reader = await source.open(split!, undefined)
  const rows: Record<string, string>[] = []
  const dead: string[] = []
  for (let some = await readEntries(reader, 100); some !== undefined; some = await readEntries(reader, 100)) {
    for (const entry of some) {
      if (entry.kind === 'event') rows.push(entry.value)
      else dead.push(`${entry.origin.line}: ${entry.reason}`)
    }
  }
  await reader.close()
  return { rows, dead, invalidUtf8: reader.counts.invalidUtf8 }
}

const abc = (...rows: readonly string[][]) => rows.map(([a = '', b = '', c = '']) => ({ a, b, c }))

describe('csv on files of other projects', () => {
  after(() => rmSync(FOLDER, { recursive: true }))

  for (const file of skip === false ? readdirSync(join(EDGE, 'csv-spectrum', 'csvs')) : []) {
    it(`reads csv-spectrum's ${file} as it should be`, async () => {
      const expected = JSON.parse(
        readFileSync(join(EDGE, 'csv-spectrum', 'json', file.replace('.csv', '.json')), 'utf8'),
      )
      const { rows, dead } = await read(join(EDGE, 'csv-spectrum', 'csvs', file))
      deepEqual(dead, [])
      // One of them has a number in its CSV that is made unknown in its JSON, and no array around its row.
      if (Array.isArray(expected)) deepEqual(rows, expected)
      else deepEqual(rows, [{ ...expected, 'Contact Phone Number': '2095257564' }])
    })
  }

  const good: readonly (readonly [file: string, options: CsvSourceOptions, rows: readonly object[]])[] = [
    ['basic.csv', {}, abc(['1', '2', '3'])],
    ['comment.csv', { comment: '#' }, abc(['1', '2', '3'])],
    ['option-comment.csv', { comment: '~' }, abc(['1', '2', '3'])],
    ['option-quote.csv', { quote: "'" }, abc(['1', 'some value', '2'], ['3', '4', '5'])],
    [
      'option-quote-many.csv',
      { quote: "'" },
      abc(['1', "some 'escaped' value", '2'], ['3', "''", '4'], ['5', '6', '7']),
    ],
    ['mac-newlines.csv', {}, abc(['1', '2', '3'], ['Once upon\ra time', '5', '6'])],
    ['newlines.csv', {}, abc(['1', '2', '3'], ['Once upon \na time', '5', '6'], ['7', '8', '9'])],
    ['utf8.csv', {}, abc(['1', '2', '3'], ['4', '5', 'ʤ'])],
    [
      'backtick.csv',
      { delimiter: '`' },
      [
        { pokemon_id: '1', p_desc: 'Bulbasaur can be seen napping' },
        { pokemon_id: '2', p_desc: 'There is a bud on this' },
      ],
    ],
    [
      'bad-data.csv',
      {},
      [
        { column1: '', somejunk: 'nope', '<! />': '' },
        { column1: 'yes', somejunk: 'yup', '<! />': 'yeah' },
        { column1: 'ok', somejunk: 'ok', '<! />': 'ok!' },
      ],
    ],
    [
      'empty-columns.csv',
      { header: ['a', 'b', 'c'], columns: { a: 'time', b: 'text' } },
      [
        { a: Date.UTC(2007, 0, 1), b: null },
        { a: Date.UTC(2007, 0, 2), b: null },
      ],
    ],
    [
      'escape-quotes.csv',
      {},
      [
        { a: '1', b: 'ha "ha" ha' },
        { a: '2', b: '""' },
        { a: '3', b: '4' },
      ],
    ],
    [
      'quotes+newlines.csv',
      {},
      [
        { a: '1', b: 'ha \n"ha" \nha' },
        { a: '2', b: ' \n"" \n' },
        { a: '3', b: '4' },
      ],
    ],
    [
      'headers.csv',
      { header: false },
      [1, 4, 7].map((n) => ({ column1: `${n}`, column2: `${n + 1}`, column3: `${n + 2}` })),
    ],
  ]
  for (const [file, options, rows] of good) {
    it(`reads csv-parser's ${file}`, { skip }, async () => {
      deepEqual(await read(join(EDGE, 'csv-parser', file), options), { rows, dead: [], invalidUtf8: 0 })
    })
  }

  const ragged: readonly (readonly [file: string, rows: number, dead: string[]])[] = [
    ['strict.csv', 2, ['4: 4 fields, where there are 3 columns']],
    ['strict-false-less-columns.csv', 2, ['3: 2 fields, where there are 3 columns']],
    ['strict-false-more-columns.csv', 2, ['3: 4 fields, where there are 3 columns']],
  ]
  for (const [file, rows, dead] of ragged) {
    it(`names the line of csv-parser's ${file} that does not fit`, { skip }, async () => {
      const found = await read(join(EDGE, 'csv-parser', file))
      deepEqual({ rows: found.rows.length, dead: found.dead }, { rows, dead })
    })
  }

  it('refuses quotes that are escaped by backslashes, and goes on', { skip }, async () => {
    const escaped = await read(join(EDGE, 'csv-parser', 'option-escape.csv'), { escape: '\\' })
    deepEqual([escaped.rows.length, escaped.dead], [3, []])
    const { rows, dead } = await read(join(EDGE, 'csv-parser', 'option-escape.csv'))
    deepEqual(rows, abc(['5', '6', '7']))
    deepEqual(
      dead.map((reason) => reason.slice(0, 44)),
      ['2: text follows the closing quote of field 2', '3: text follows the closing quote of field 2'],
    )
    const strange = await read(join(EDGE, 'rust-csv', 'strange.csv'), { header: false, delimiter: ';', comment: '#' })
    equal(strange.rows.length + strange.dead.length, 6)
  })

  for (const file of ['utf16.csv', 'utf16-big.csv']) {
    it(`says what csv-parser's ${file} is`, { skip }, async () => {
      const path = join(EDGE, 'csv-parser', file)
      await rejects(read(path), /its text is UTF-16, (little|big) endian: read it with encoding: 'utf-16[lb]e'$/)
      const encoding = file === 'utf16.csv' ? 'utf-16le' : 'utf-16be'
      deepEqual(await read(path, { encoding }), {
        rows: abc(['1', '2', '3'], ['4', '5', 'ʤ']),
        dead: [],
        invalidUtf8: 0,
      })
    })
  }

  it('counts what is Latin-1', { skip }, async () => {
    const { dead, invalidUtf8 } = await read(join(EDGE, 'csv-parser', 'latin.csv'))
    deepEqual([dead.length, invalidUtf8], [1, 1])
    const latin = await read(join(EDGE, 'csv-parser', 'latin.csv'), { encoding: 'latin1' })
    deepEqual([latin.rows.at(-1), latin.dead], [{ a: '4', b: '5', c: '©' }, []])
    const places = await read(join(EDGE, 'rust-csv', 'uspop-latin1.csv'), { encoding: 'latin1' })
    deepEqual([places.rows.length, places.dead, places.invalidUtf8], [100, [], 0])
  })

  it('reads earthquakes by type', { skip }, async () => {
    const columns = { time: 'time', mag: 'real', nst: 'integer', place: 'text' } as const
    const { rows, dead } = await read(join(EDGE, 'csv-parser', 'large-dataset.csv.gz'), { columns })
    deepEqual([rows.length, dead], [7268, []])
    deepEqual(rows[0], {
      time: Date.UTC(2015, 11, 22, 18, 45, 11),
      mag: 3,
      nst: null,
      place: '54km S of Redoubt Volcano, Alaska',
    })
  })

  it('loses one record to a header that is pasted over it', { skip }, async () => {
    const { rows, dead } = await read(join(EDGE, 'csv-parser', 'option-maxRowBytes.csv.gz'))
    deepEqual([rows.length + dead.length, dead.length], [4593, 1])
  })

  it('finds out delimiters, and reads cities', { skip }, async () => {
    for (const [file, rows, options] of [
      ['smallpop.csv', 10, { delimiter: 'auto' }],
      ['smallpop-colon.csv', 10, { delimiter: ':' }],
      ['smallpop-no-headers.csv', 10, { delimiter: 'auto', header: ['city', 'region', 'country', 'population'] }],
    ] as const) {
      const found = await read(join(EDGE, 'rust-csv', file), {
        ...options,
        columns: { city: 'text', population: 'integer' },
      })
      deepEqual([found.rows.length, found.dead], [rows, []], file)
      deepEqual(found.rows[0], { city: 'Southborough', population: 9686 })
    }
    const { rows, dead } = await read(join(EDGE, 'rust-csv', 'uspop-null.csv'), { columns: { Population: 'integer' } })
    deepEqual([rows.length, dead.length, rows[0]], [97, 3, { Population: null }])
    match(dead[0] ?? '', /^43: column "Population" takes integers up to 2\^53: found "NULL"$/)
  })

  it('gives back every naughty string that was written', { skip }, async () => {
    const strings: string[] = JSON.parse(readFileSync(join(EDGE, 'blns.json'), 'utf8'))
    const path = join(FOLDER, 'blns.csv')
    writeFileSync(path, csvLine(['n', 'text']) + strings.map((text, n) => csvLine([n, text])).join(''))
    const { rows, dead } = await read(path)
    deepEqual(dead, [])
    deepEqual(
      rows.map(({ text }) => text),
      strings,
    )
  })

  it('S1: makes text of every cell that a spreadsheet would run', { skip }, () => {
    const cells = readFileSync(join(EDGE, 'formula-injection.txt'), 'utf8').split(/\r?\n/).filter(Boolean)
    for (const cell of cells.filter((text) => !text.startsWith('DDE'))) {
      match(csvLine([cell], { spreadsheetSafe: true }), /^"?'/, cell)
    }
  })
})
