import { deepEqual, equal } from 'node:assert/strict'
import { describe, it } from 'node:test'
import { DuckDBInstance } from '@duckdb/node-api'
import { Job } from '../support/job.ts'

/** A number as JSON, and what must be in the table: undefined where it must be refused. */
const INTEGERS: readonly (readonly [json: string, stored: string | undefined])[] = [
  ['9007199254740991', '9007199254740991'],
  ['-9007199254740991', '-9007199254740991'],
  ['9007199254740993', undefined],
  ['-9007199254740993', undefined],
  ['18446744073709551616', undefined],
  ['1e400', undefined],
  ['-1e400', undefined],
  ['1.5', undefined],
  ['1.0', '1'],
  ['1e3', '1000'],
  ['-0', '0'],
  ['NaN', undefined],
  ['Infinity', undefined],
  ['0x10', undefined],
  ['"12"', undefined],
  ['01', undefined],
  ['+1', undefined],
  ['null', 'null'],
]
const TIMES: readonly (readonly [text: string, storedMs: string | undefined])[] = [
  ['0001-01-01T00:00:00Z', '-62135596800000'],
  ['9999-12-31T23:59:59.999Z', '253402300799999'],
  ['2015-06-30T23:59:60Z', undefined],
  ['2015-02-29T00:00:00Z', undefined],
  ['10000-01-01T00:00:00Z', undefined],
  ['2015-05-17T24:30:00Z', undefined],
  ['2015-05-17T10:05:03.123456789Z', undefined],
  ['2015-05-17T10:05:03+99:00', undefined],
]

const STORES: Readonly<Record<'sqlite' | 'duckdb', (job: Job, column: string) => Promise<Map<number, string>>>> = {
  sqlite: async (job, column) => {
    const rows = job.query('out', `select id, coalesce(cast(${column} as text), 'null') as v from t`)
    return new Map(rows.map(({ id, v }) => [Number(id), String(v)]))
  },
  duckdb: async (job, column) => {
    const instance = await DuckDBInstance.create(job.path('out'))
    const connection = await instance.connect()
    const value = column === 'time' ? 'epoch_ms(time)' : column
    const found = await connection.runAndReadAll(`select id, coalesce(cast(${value} as varchar), 'null') from t`)
    connection.closeSync()
    instance.closeSync()
    return new Map(found.getRows().map(([id, v]) => [Number(id), String(v)]))
  },
}

for (const [kind, stored] of Object.entries(STORES)) {
  describe(`Numbers and times on their way into ${kind}`, () => {
    const load = async (source: string, columns: string, lines: readonly string[], column: string) => {
      using job = new Job(
        `csvSource, ndjsonSource, pipeline, ${kind}Sink`,
        `export default pipeline('exact', {
  from: () => ${source},
  into: () => ${kind}Sink(import.meta.dirname + '/out', { table: 't', columns: ${columns} }),
})`,
      )
      job.write('in', lines.map((line) => `${line}\n`).join(''))
      const { code, stdout, stderr } = await job.here('run', ['--json'])
      equal(code, 0, stderr)
      const { loaded, dead } = JSON.parse(stdout).run
      return { loaded, dead, found: await stored(job, column) }
    }
    const expected = (cases: readonly (readonly [string, string | undefined])[]): Map<number, string> => {
      return new Map(cases.flatMap(([, value], id) => (value === undefined ? [] : [[id, value]])))
    }

    it('S19: whole numbers of JSON are exact, or refused', async () => {
      const lines = INTEGERS.map(([json], id) => `{"id":${id},"n":${json}}`)
      const source = "ndjsonSource(import.meta.dirname + '/in')"
      const { found, dead } = await load(source, "{ id: 'integer', n: 'integer' }", lines, 'n')
      deepEqual(found, expected(INTEGERS))
      equal(dead, INTEGERS.length - found.size)
    })

    it('S19: whole numbers up to 64 bits are exact where they are bigints', async () => {
      const cases = ['9007199254740993', '9223372036854775807', '-9223372036854775808', '9223372036854775808']
      const source = "ndjsonSource(import.meta.dirname + '/in', { bigints: 'bigint' })"
      const lines = cases.map((json, id) => `{"id":${id},"n":${json}}`)
      const { found, dead } = await load(source, "{ id: 'integer', n: 'integer' }", lines, 'n')
      deepEqual([...found.values()], cases.slice(0, 3))
      equal(dead, 1)
    })

    it('S19: times are of the years 1 to 9999 and of days that there are, or refused', async () => {
      const source = "csvSource(import.meta.dirname + '/in', { columns: { id: 'integer', time: 'time' } })"
      const lines = ['id,time', ...TIMES.map(([text], id) => `${id},${text}`)]
      const { found, dead } = await load(source, "{ id: 'integer', time: 'time' }", lines, 'time')
      deepEqual(found, expected(TIMES))
      equal(dead, TIMES.length - found.size)
    })
  })
}
