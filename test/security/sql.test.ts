import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { csvLine } from '../../src/connect/formats/csv/write.ts'
import { Job, sluiceHere } from '../support/job.ts'
import { DATA, missingData } from '../support/project.ts'

const TABLES = [
  'x"; drop table y; --',
  "x'; drop table y; --",
  'select',
  'a b',
  'Ü',
  'ü'.repeat(32),
  '\u001b[2J',
  ']`',
  '?',
  '$1',
]
const COLUMNS = [...TABLES, '', '__proto__', 'constructor', 'rowid', 'a,b', 'a\r\nb', '-1', 'ORDER BY 1']
/** What is said to be special somewhere between a text and a row. */
const TEXTS = [
  '\\.',
  '\\N',
  '\\\\',
  'a\tb',
  'a\nb',
  'a\rb',
  "'; drop table y; --",
  '"',
  '""',
  "''",
  '%s',
  '?',
  '$1',
  ':a',
  '\ufeff',
]

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** A store of rows: how a pipeline writes into it, and how anybody looks into it. */
interface Store {
  readonly file: string
  query(job: Job, sql: string): Promise<unknown[][]>
}

const STORES: Readonly<Record<'sqlite' | 'duckdb', Store>> = {
  sqlite: {
    file: 'out.db',
    query: async (job, sql) => job.query('out.db', sql).map((row) => Object.values(row)),
  },
  duckdb: {
    file: 'out.duckdb',
    query: async (job, sql) => {
      const instance = await DuckDBInstance.create(job.path('out.duckdb'))
      const connection = await instance.connect()
      const rows = (await connection.runAndReadAll(sql)).getRows()
      connection.closeSync()
      instance.closeSync()
      return rows as unknown[][]
    },
  },
}

for (const [kind, store] of Object.entries(STORES)) {
  const code = (options: string): string => `
const path = import.meta.dirname + '/${store.file}'
export default pipeline('sql', {
  params: { table: param.string('t'), dead: param.string('dead_letters') },
  from: () => csvSource(import.meta.dirname + '/in.csv'),
  into: ({ table, dead }) => ${kind}Sink(path, { table, deadLetters: dead, ${options} }),
})`

  describe(`SQL of ${kind}`, () => {
    it('S2: takes any name of a table as a name, and leaves all other tables', async () => {
      using job = new Job(`csvSource, param, pipeline, ${kind}Sink`, code(''))
      job.write('in.csv', 'n\n1\n')
      equal((await job.here('run', ['--param', 'table=y'])).code, 0)
      for (const [turn, table] of TABLES.entries()) {
        // Each is a pipeline of its own, with dead letters in a table as hostile.
        const file = job.write(`job${turn}.ts`, readFileSync(job.file, 'utf8').replace("'sql'", `'sql${turn}'`))
        const params = ['--param', `table=${table}`, '--param', `dead=${table} dead`]
        const told = await sluiceHere(['run', file, ...params])
        equal(told.code, 0, told.stderr)
        deepEqual((await store.query(job, `select n from ${quoted(table)}`)).map(String), ['1'], table)
        deepEqual(await store.query(job, `select * from ${quoted(`${table} dead`)}`), [])
      }
      deepEqual((await store.query(job, 'select n from y')).map(String), ['1'])
    })

    it('S2: takes the header of a hostile file for names of columns', async () => {
      using job = new Job(`csvSource, param, pipeline, ${kind}Sink`, code(''))
      const names = COLUMNS.filter((name) => name !== '')
      job.write('in.csv', csvLine(names) + csvLine(names.map((_, place) => `value ${place}`)))
      const told = await job.here('run')
      equal(told.code, 0, told.stderr)
      for (const [place, name] of names.entries()) {
        deepEqual(await store.query(job, `select ${quoted(name)} from t`), [[`value ${place}`]], name)
      }
    })

    it('S2: refuses what can be no name, and says so', async () => {
      using job = new Job(`csvSource, param, pipeline, ${kind}Sink`, code(''))
      job.write('in.csv', 'n\n1\n')
      for (const table of ['', 'a\0b', '\ud800', 'x'.repeat(256), 'sluice_leases', 'SQLITE_master']) {
        const told = await job.here('run', ['--param', `table=${table}`])
        equal(told.code, 78, table)
        match(told.stderr, /Cannot name a table/)
      }
      job.write('in.csv', `${'x'.repeat(256)}\n1\n`)
      const told = await job.here('run')
      equal(told.code, 78, told.stderr)
      match(told.stderr, /Cannot name a column/)
    })

    it('S3: gives every naughty text back as it was', { skip: missingData('csv-edge') }, async () => {
      const blns: string[] = JSON.parse(readFileSync(join(DATA, 'csv-edge', 'blns.json'), 'utf8'))
      const texts = [...TEXTS, ...blns]
      ok(texts.length > 500)
      using job = new Job(
        `csvSource, param, pipeline, ${kind}Sink`,
        code("key: ['n'], columns: { n: 'integer', text: 'text' }"),
      )
      const from = "csvSource(import.meta.dirname + '/in.csv', { columns: { n: 'integer', text: 'text' } })"
      job.write('job.ts', readFileSync(job.file, 'utf8').replace("csvSource(import.meta.dirname + '/in.csv')", from))
      job.write('in.csv', csvLine(['n', 'text']) + texts.map((text, n) => csvLine([n, text])).join(''))
      const told = await job.here('run', ['--strict'])
      equal(told.code, 0, told.stderr)
      // As bytes: a client may leave out what it takes for a byte order mark.
      const found = await store.query(job, 'select hex(text) from t order by n')
      deepEqual(
        found.map(([hex]) => Buffer.from(String(hex), 'hex').toString()),
        texts,
      )
    })

    it('S3: keeps hostile records as dead letters, as they were', async () => {
      using job = new Job(
        `ndjsonSource, param, pipeline, ${kind}Sink`,
        code('').replace('csvSource(', 'ndjsonSource(').replace('in.csv', 'in.ndjson'),
      )
      const bad = TEXTS.filter((text) => !/[\r\n\ufeff]/.test(text)).map((text) => `{${text}`)
      job.write('in.ndjson', `{"n":1}\n${bad.join('\n')}\n`)
      const told = await job.here('run')
      equal(told.code, 0, told.stderr)
      const found = await store.query(job, 'select raw from dead_letters order by line')
      deepEqual(
        found.map(([raw]) => raw),
        bad,
      )
    })
  })
}
