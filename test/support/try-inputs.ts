// Data of every kind that `sluice try` knows, in a folder.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { duckdbRows, writeParquet } from './parquet.ts'

export const ROWS = 300

/** One input, and what is to be found in it. */
export interface TryInput {
  /** What `sluice try` gets, in the folder. */
  readonly given: string
  readonly kind: RegExp
  readonly rows: number
  readonly rejected?: number
  /** Column → type, of some of them. */
  readonly types: Readonly<Record<string, string>>
}

const each = (of: (n: number) => string): string => Array.from({ length: ROWS }, (_, n) => of(n)).join('')
const day = (n: number): string => `${1 + (n % 28)}`.padStart(2, '0')

const CSV = `id,name,price,ok,placed\n${each((n) => `${n},"c, ${n % 7}",${n}.25,${n % 2 === 0},2026-05-${day(n)}T10:00:00Z\n`)}`
const GERMAN = `Nr;PLZ;Betrag;Datum\n${each((n) => `${n};0${1000 + n};${n === 7 ? 'NA' : `1.${100 + n},50`};${day(n)}.05.2026\n`)}`
const LOG = each(
  (n) =>
    `203.0.113.${n % 250} - - [${day(n)}/May/2026:10:05:03 +0000] "GET /${n % 9} HTTP/1.1" ${n % 10 === 0 ? 404 : 200} 12 "-" "curl/8"\n`,
)
const SYSLOG = each((n) => `<34>1 2026-05-${day(n)}T10:05:03.003Z mail su ${n} - - hello ${n}\n`)
const JSON_ROWS = Array.from({ length: ROWS }, (_, n) => ({
  id: n,
  name: `c${n % 7}`,
  ...(n % 3 === 0 ? { note: null } : {}),
  tags: ['a', n],
  'odd name': n / 4,
}))

/** Writes all of them into a folder. */
export async function writeTryInputs(folder: string): Promise<readonly TryInput[]> {
  const write = (name: string, content: string | Uint8Array): void => writeFileSync(join(folder, name), content)
  write('plain.csv', CSV)
  write('packed.csv.gz', gzipSync(CSV))
  write('packed.csv.zst', zstdCompressSync(CSV))
  write('german.csv', GERMAN)
  write('marked.csv', `\uFEFF${CSV}`)
  write('wide.csv', Buffer.from(`\uFEFF${CSV}`, 'utf16le'))
  write('latin.csv', Buffer.from(GERMAN.replace('Nr', 'Stück'), 'latin1'))
  write(
    'bare.csv',
    each((n) => `${n}\t${n}.5\tx${n}\n`),
  )
  write('short.csv', `a,b\n${each((n) => `row${n},${n},${n * 2}\n`)}`)
  write('title.csv', `Orders of May\n\nid,x,y\n${each((n) => `${n},a,b\n`)}`)
  write('padded.csv', `id,x,y,z\n${each((n) => `${n},a\n`)}`)
  write('dirty.csv', CSV.replace('\n3,', '\nthree,').replace('\n5,', '\nfive,').replace('\n9,"c, 2"', '\n9,"c'))
  write('hostile.csv', `__proto__,constructor,"a'b\\","x*/\u202e",class\n${each((n) => `${n},1,2,3,4\n`)}`)
  write('rows.ndjson', JSON_ROWS.map((row) => `${JSON.stringify(row)}\n`).join(''))
  write(
    'numbers.ndjson',
    each((n) => `[${n}]\n`),
  )
  write('array.json', JSON.stringify(JSON_ROWS, null, 1))
  write('deep.json', JSON.stringify({ meta: { page: 1 }, data: { items: JSON_ROWS } }))
  write('access.log', LOG)
  write('access.log.1.gz', gzipSync(LOG))
  write('messages', SYSLOG)
  write(
    'notes.txt',
    each((n) => `Some words, and ${'more '.repeat(n % 5)}of them\n`),
  )
  mkdirSync(join(folder, 'days'))
  for (const n of [1, 2, 3]) writeFileSync(join(folder, 'days', `${n}.csv`), CSV)
  writeFileSync(join(folder, 'days', 'README.md'), 'about the days')
  await writeParquet(
    join(folder, 'rows.parquet'),
    `select range::int as id, 'c' || range as name, range / 4.0::double as x from range(${ROWS})`,
  )
  await duckdbRows(
    `attach '${join(folder, 'shop.duckdb')}' as shop; create table shop.orders as select range::int as id from range(${ROWS})`,
  )
  const database = new DatabaseSync(join(folder, 'shop.sqlite'))
  database.exec('create table orders (id integer primary key, name text); create table empty (x)')
  for (const { id, name } of JSON_ROWS) database.prepare('insert into orders values (?, ?)').run(id, name)
  database.close()
  const csv = { id: 'integer', name: 'text', price: 'real', ok: 'boolean', placed: 'time' }
  const json = { id: 'integer', name: 'text', tags: 'json', 'odd name': 'real' }
  return [
    { given: 'plain.csv', kind: /^CSV, separated by commas$/, rows: ROWS, types: csv },
    { given: 'packed.csv.gz', kind: /^CSV, .*compressed with gzip$/, rows: ROWS, types: csv },
    { given: 'packed.csv.zst', kind: /^CSV, .*compressed with zstd$/, rows: ROWS, types: csv },
    {
      given: 'german.csv',
      kind: /^CSV, separated by ";"$/,
      rows: ROWS,
      types: { Nr: 'integer', PLZ: 'text', Betrag: 'real', Datum: 'time' },
    },
    { given: 'marked.csv', kind: /^CSV/, rows: ROWS, types: csv },
    { given: 'wide.csv', kind: /^CSV/, rows: ROWS, types: csv },
    { given: 'latin.csv', kind: /^CSV/, rows: ROWS, types: { Stück: 'integer', Betrag: 'real' } },
    {
      given: 'bare.csv',
      kind: /^CSV, separated by tabs$/,
      rows: ROWS,
      types: { column1: 'integer', column2: 'real', column3: 'text' },
    },
    { given: 'short.csv', kind: /^CSV/, rows: ROWS, types: { column1: 'text', a: 'integer', b: 'integer' } },
    { given: 'title.csv', kind: /^CSV/, rows: ROWS, types: { id: 'integer', y: 'text' } },
    { given: 'padded.csv', kind: /^CSV/, rows: ROWS, types: { id: 'integer', x: 'text', z: 'text' } },
    { given: 'dirty.csv', kind: /^CSV/, rows: ROWS - 3, rejected: 3, types: csv },
    { given: 'hostile.csv', kind: /^CSV/, rows: ROWS, types: { __proto__: 'integer', constructor: 'integer' } },
    { given: 'rows.ndjson', kind: /^NDJSON/, rows: ROWS, types: json },
    { given: 'numbers.ndjson', kind: /^NDJSON/, rows: ROWS, types: { value: 'json' } },
    { given: 'array.json', kind: /^a JSON array$/, rows: ROWS, types: json },
    { given: 'deep.json', kind: /^JSON with an array at data\.items$/, rows: ROWS, types: json },
    { given: 'access.log', kind: /^access log/, rows: ROWS, types: { status: 'integer', path: 'text', time: 'time' } },
    { given: 'access.log*', kind: /^access log.*, in 2 files$/, rows: 2 * ROWS, types: { status: 'integer' } },
    { given: 'messages', kind: /^syslog$/, rows: ROWS, types: { app: 'text', time: 'time' } },
    { given: 'notes.txt', kind: /^lines of text$/, rows: ROWS, types: { text: 'text' } },
    { given: 'days', kind: /^CSV, .*, in 3 files$/, rows: 3 * ROWS, types: csv },
    { given: 'rows.parquet', kind: /^Parquet$/, rows: ROWS, types: { id: 'integer', name: 'text', x: 'real' } },
    {
      given: 'shop.sqlite#orders',
      kind: /^table orders of SQLite$/,
      rows: ROWS,
      types: { id: 'integer', name: 'text' },
    },
    { given: 'shop.duckdb', kind: /^table orders of DuckDB$/, rows: ROWS, types: { id: 'integer' } },
  ]
}
