// Results by names in databases: their types and their key follow from the flow.

import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import {
  collect,
  count,
  csvSource,
  type Flow,
  flow,
  max,
  mean,
  ndjsonSource,
  pipeline,
  type Sink,
  sqliteSink,
  startPipeline,
  tumbling,
} from 'sluice'
import { buildPipeline } from '../src/pipeline/build.ts'
import { promisedBy, promiseText, refusalOf } from '../src/pipeline/guarantee.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { Job, sluiceHere } from './support/job.ts'
import { missingPostgres } from './support/postgres.ts'
import { type SqlSink, SqlSinks } from './support/sql-sinks.ts'

const TYPES: Readonly<
  Record<SqlSink['name'], { readonly sql: string; readonly of: Readonly<Record<string, string>> }>
> = {
  SQLite: {
    sql: "SELECT name, type FROM pragma_table_info('t')",
    of: { sensor: 'text', windowStart: 'integer', windowEnd: 'integer', n: 'integer', celsius: 'real', worst: 'real' },
  },
  PostgreSQL: {
    sql: "SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_name = 't'",
    of: {
      sensor: 'text',
      windowStart: 'timestamp with time zone',
      windowEnd: 'timestamp with time zone',
      n: 'bigint',
      celsius: 'double precision',
      worst: 'double precision',
    },
  },
  DuckDB: {
    sql: "SELECT column_name AS name, data_type AS type FROM information_schema.columns WHERE table_name = 't'",
    of: {
      sensor: 'varchar',
      windowStart: 'timestamp',
      windowEnd: 'timestamp',
      n: 'bigint',
      celsius: 'double',
      worst: 'double',
    },
  },
}

describe('rows by names in a database', { skip: missingPostgres() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-named-'))
  let sinks: SqlSinks
  before(async () => {
    sinks = await SqlSinks.start()
  })
  after(async () => {
    await sinks.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  for (const name of ['SQLite', 'PostgreSQL', 'DuckDB'] as const) {
    it(`L111: have the types that the flow says, and replace each other by its key (${name})`, async () => {
      const at = { SQLite: () => sinks.sqlite(), PostgreSQL: () => sinks.postgres(), DuckDB: () => sinks.duckdb() }
      const database = await at[name]()
      const input = join(folder, `${name}.csv`)
      writeFileSync(
        input,
        'sensor,at,celsius\na,2026-01-01T00:00:10Z,20\na,2026-01-01T00:00:20Z,\nb,2026-01-01T00:00:30Z,7\n',
      )
      const job = pipeline('minutes', {
        from: () => csvSource(input, { columns: { sensor: 'text', at: 'time', celsius: 'real' } }),
        flow: (readings) =>
          readings
            .keyBy('sensor')
            .window(tumbling('1m', 'at', { outOfOrderness: '1h' }))
            .aggregate({ n: count(), celsius: mean('celsius'), worst: max('celsius') }),
        into: () => database.sink() as Sink<{ readonly sensor: string }>,
      })
      await (await startPipeline(job)).done
      appendFileSync(input, 'a,2026-01-01T00:00:40Z,40\n,2026-01-01T00:00:50Z,1\n')
      const { run } = await (await startPipeline(job)).done
      // A text that is empty is null in CSV, and no key.
      equal(run.dead, 1)
      const rows = await database.read('SELECT sensor, n, celsius, worst FROM t ORDER BY sensor')
      deepEqual(
        rows.map(({ sensor, n, celsius, worst }) => [sensor, Number(n), Number(celsius), Number(worst)]),
        [
          ['a', 3, 30, 40],
          ['b', 1, 7, 7],
        ],
      )
      const { sql, of } = TYPES[name]
      const types = Object.fromEntries((await database.read(sql)).map((row) => [row.name, row.type?.toLowerCase()]))
      deepEqual({ ...types, ...of }, types)
    })
  }

  it('L111: know their columns also where a flow only selects and drops rows of a typed source', async () => {
    const input = join(folder, 'codes.csv')
    writeFileSync(input, 'zip,n\n01234,1\n')
    const database = sinks.sqlite()
    const job = pipeline('codes', {
      from: () => csvSource(input, { columns: { zip: 'text', n: 'integer' } }),
      flow: (rows) => rows.where('n', '>', 0).select({ code: 'zip', n: 'n' }).uniq('code'),
      into: () => database.sink() as Sink<{ readonly code: string | null }>,
    })
    await (await startPipeline(job)).done
    deepEqual(await database.read('SELECT code, n FROM t'), [{ code: '01234', n: '1' }])
  })

  it('L111: are promised once for each key where the flow says it, and explain names the key', () => {
    const database = sinks.sqlite()
    const job = (flow: (all: Flow<{ readonly s: string; readonly at: number }>) => Flow<object>) =>
      pipeline('told', {
        from: () => ndjsonSource<{ s: string; at: number }>(join(folder, 'x.ndjson')),
        flow,
        into: () => database.sink() as Sink<object>,
      })
    const parts = (pipeline: ReturnType<typeof job>) => buildPipeline(pipeline, new Map())
    const named = parts(job((all) => all.keyBy('s').window(tumbling('1m', 'at')).aggregate({ n: count() })))
    equal(promiseText(promisedBy(named)), 'exactly-once; key of the flow: s, windowStart')
    equal(refusalOf(named, 'told'), undefined)
    const byFunction = parts(job((all) => all.keyBy(({ s }) => s).aggregate({ n: count() })))
    match(refusalOf(byFunction, 'told') ?? '', /has no key/)
  })
})

describe('fields that rows lack', () => {
  const folder = tempFolder('sluice-lacking-')

  it('L113: end a run where the source is a table, with the name that was meant', async () => {
    const input = join(folder, 'log.csv')
    writeFileSync(input, 'path,status\n/,200\n')
    const rows = flow(csvSource(input)) as unknown as Flow<{ readonly statu: string; readonly path: string }>
    const says =
      /Cannot read field statu of .*log\.csv as csv: it has no such column, did you mean status\?; its columns are path, status/
    await rejects(collect(rows.where('statu', '=', '200')), says)
    await rejects(collect(rows.select({ code: 'statu' }).keyBy('code').aggregate({ n: count() })), says)
    // What an operator adds, or a function makes, is not asked of the source.
    const derived = rows.derive('statu', ['path'], (path) => path).where('statu', '=', '/')
    equal((await collect(derived)).length, 1)
    equal((await collect(rows.map((row) => ({ ...row, statu: 'x' })).where('statu', '=', 'x'))).length, 1)
  })

  it('L113: are counted elsewhere, and a note says how many rows lack them', async () => {
    const input = join(folder, 'log.ndjson')
    writeFileSync(input, '{"status":200}\n{"status":404,"room":"a"}\n')
    const rows = flow(ndjsonSource<{ readonly status: number; readonly room?: string; readonly statu?: number }>(input))
    const notesOf = async (some: Flow<unknown>): Promise<string[]> => {
      const notes: string[] = []
      const hear = (warning: Error): void => void notes.push(warning.message)
      process.on('warning', hear)
      await collect(some)
      // Warnings are told after the turn in which they came up.
      await new Promise((resolve) => setImmediate(resolve))
      process.off('warning', hear)
      return notes.map((note) => note.slice(note.indexOf(': ') + 2))
    }
    deepEqual(await notesOf(rows.where('room', '=', 'a')), ['1 of 2 rows lack the field room'])
    deepEqual(await notesOf(rows.where('statu', '>', 1)), ['none of 2 rows has the field statu, did you mean status?'])
    deepEqual(await notesOf(rows.where('status', '>', 1)), [])
  })

  it('L113: are told by check, which warns of a field that no row has', async () => {
    using job = new Job(
      'ndjsonSource, pipeline, sqliteSink',
      `const here = (name) => new URL(name, import.meta.url).pathname
      export default pipeline('lacking', {
        from: () => ndjsonSource(here('in.ndjson')),
        flow: (rows) => rows.where('statu', 'is', null).keyBy('room').fold(() => 0, (n) => n + 1),
        into: () => sqliteSink(here('out.db'), { table: 't' }),
      })`,
    )
    job.write('in.ndjson', '{"status":200,"room":"a"}\n{"status":404,"room":"b"}\n')
    const { code, stdout } = await sluiceHere(['check', job.file])
    equal(code, 0, stdout)
    match(stdout, /\n {2}note {2}.*none of 2 rows has the field statu, did you mean status\?\n/)
  })
})

describe('records that an operator cannot take by name', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-untaken-'))
  after(() => rmSync(folder, { recursive: true, force: true }))

  interface Row {
    readonly k: string
    readonly at: number
  }
  const flows: Readonly<Record<string, (rows: Flow<Row>, other: Flow<Row>) => Flow<unknown>>> = {
    uniq: (rows) => rows.uniq('k'),
    partition: (rows) => rows.partition({ key: 'k', stages: 2 }),
    'partition and keyBy': (rows) => rows.partition({ key: 'k' }).keyBy('k', 'at').aggregate({ n: count() }),
    batch: (rows) => rows.batch({ size: 1, key: 'k' }).flatMap((batch) => [...batch]),
    keyBy: (rows) => rows.keyBy('k').aggregate({ n: count() }),
    window: (rows) => rows.keyBy('k').window(tumbling('1m', 'at')).aggregate({ n: count() }),
    groupBy: (rows) => rows.groupBy('k', 'at').map(([k]) => ({ k })),
    join: (rows, other) => rows.join(other.select('k'), { on: ['k'] }),
    sort: (rows) => rows.map((row) => (row?.k === 'a' ? row : { ...row, at: Number.NaN })).sort('at'),
  }
  for (const [name, made] of Object.entries(flows)) {
    for (const stages of [1, 2]) {
      it(`L105: are dead letters with their place, however many, and nothing else is lost (${name}, ${stages})`, async () => {
        const input = join(folder, 'in.ndjson')
        const other = join(folder, 'other.ndjson')
        const bad = ['{"k":null,"at":1}', 'null', '{"at":1}', '{"k":{},"at":1}', '5']
        writeFileSync(input, [...bad, '{"k":"a","at":1}', ...bad].join('\n'))
        writeFileSync(other, '{"k":"a","at":1}\n')
        const sink = join(folder, `${name} ${stages}.db`)
        const job = pipeline('untaken', {
          from: () => ndjsonSource<Row>(input),
          flow: (rows) => made(stages === 1 ? rows : rows.shuffle({ stages }), flow(ndjsonSource<Row>(other))),
          into: () => sqliteSink(sink, { table: 't' }),
          results: 'append',
        })
        await (await startPipeline(job)).done
        using database = new DatabaseSync(sink)
        const lines = database.prepare('SELECT line FROM dead_letters ORDER BY line').all()
        deepEqual(
          lines.map(({ line }) => line),
          [1, 2, 3, 4, 5, 7, 8, 9, 10, 11],
        )
        equal(database.prepare('SELECT count(*) AS n FROM t').get()?.n, 1)
      })
    }
  }
})
