import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, it } from 'node:test'
import { Worker } from 'node:worker_threads'
import { type ErrorCode, isSluiceError, type Position, pipeline, type Source, startPipeline } from 'sluice'
import { type DuckdbSourceOptions, duckdbSink, duckdbSource } from 'sluice/duckdb'
import { sourceConformance } from 'sluice/testing'
import { Session } from '../src/connect/duckdb/connection.ts'
import { readEntries } from '../src/testing/conformance/reading.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { until } from './support/until.ts'

const folder = tempFolder('sluice-duckdb-query-')
let path = ''
let files = 0
const newPath = () => {
  files += 1
  path = join(folder, `${files}.duckdb`)
  return path
}
beforeEach(() => void newPath())

async function execute(sql: string): Promise<Record<string, unknown>[]> {
  const session = await Session.open(path)
  try {
    return await session.all(sql)
  } finally {
    session.close()
  }
}

const tableOf = (rows: number) => `create table t as select n as id, 'row ' || n as name,
  case when n % 7 = 0 then 9007199254740993 end as big, n / 4.0::double as x from range(1, ${rows + 1}) as r (n)`
const rowOf = (id: number) => ({ id, name: `row ${id}`, big: id % 7 === 0 ? 9007199254740993n : null, x: id / 4 })

/** More than DuckDB gives at once, which is 2,048. */
const ROWS = 2100

for (const [name, options] of [
  ['duckdbSource by a cursor', { table: 't', cursor: 'id' }],
  [
    'duckdbSource by a cursor of text',
    { query: "select * replace (format('{:05d}', id) as id) from t -- all", cursor: 'ID' },
  ],
  ['duckdbSource by number', { query: 'select * from t order by id' }],
] as const) {
  sourceConformance({
    name,
    resumes: 8,
    make: async () => {
      newPath()
      await execute(tableOf(ROWS))
      const isText = name.endsWith('text')
      const expected = Array.from({ length: ROWS }, (_, at) => {
        return { ...rowOf(at + 1), ...(isText ? { id: `${at + 1}`.padStart(5, '0') } : {}) }
      })
      return { source: duckdbSource(path, options) as Source<unknown>, expected }
    },
  })
}

async function read(options: DuckdbSourceOptions, signal?: AbortSignal): Promise<unknown[]> {
  const source = duckdbSource(path, options)
  const [split] = await source.splits()
  ok(split !== undefined)
  const reader = await source.open(split, undefined, signal === undefined ? {} : { signal })
  const values: unknown[] = []
  try {
    for (let some = await readEntries(reader, 500); some !== undefined; some = await readEntries(reader, 500)) {
      for (const entry of some) if (entry.kind === 'event') values.push(entry.value)
    }
    return values
  } finally {
    await reader.close()
  }
}

const failsWith = (code: ErrorCode, message: RegExp) => (error: unknown) => {
  ok(isSluiceError(error, code), String(error))
  match(error.message, message)
  return true
}

describe('duckdbSource', () => {
  it('gives values as it says', async () => {
    await execute('create table t (i integer)')
    const query = `select 1::utinyint as a, 9007199254740992::hugeint * 2 + 1 as b, 1.5::float as c, 12.50::decimal(9, 2) as d,
      true as e, 'é\n' as f, '\\x00\\xff'::blob as g, date '2020-02-29' as h, time '01:02:03.5' as i,
      timestamp '1969-12-31 23:59:59.9995' as j, timestamptz '2020-01-01 00:00:00+02' as k,
      timestamp_s '2020-01-01 00:00:01' as l, timestamp_ms '2020-01-01 00:00:00.001' as m,
      timestamp_ns '2020-01-01 00:00:00.001999999' as n, 'infinity'::timestamp as o,
      [1::bigint, null] as p, {'x': 1::bigint, '__proto__': [date '2020-01-01']} as q, map {'k': 1::bigint} as r,
      '{"a": [1]}'::json as s, null as t, 'a'::enum('a', 'b') as u,
      '8d7a5b1e-0000-4000-8000-000000000001'::uuid as v, interval 1 day as "__proto__"`
    const [row] = (await read({ query })) as Record<string, unknown>[]
    const q = { x: 1 } as Record<string, unknown>
    Object.defineProperty(q, '__proto__', {
      value: ['2020-01-01'],
      enumerable: true,
      writable: true,
      configurable: true,
    })
    const expected: Record<string, unknown> = {
      a: 1,
      b: 18014398509481985n,
      c: 1.5,
      d: '12.50',
      e: true,
      f: 'é\n',
      g: Uint8Array.of(0, 255),
      h: '2020-02-29',
      i: '01:02:03.5',
      j: '1969-12-31 23:59:59.9995',
      k: '2019-12-31T22:00:00Z',
      l: Date.parse('2020-01-01T00:00:01Z'),
      m: Date.parse('2020-01-01T00:00:00.001Z'),
      n: '2020-01-01 00:00:00.001999999',
      o: 'infinity',
      p: [1, null],
      q,
      r: [{ key: 'k', value: 1 }],
      s: { a: [1] },
      t: null,
      u: 'a',
      v: '8d7a5b1e-0000-4000-8000-000000000001',
    }
    Object.defineProperty(expected, '__proto__', {
      value: '1 day',
      enumerable: true,
      writable: true,
      configurable: true,
    })
    deepEqual(row, expected)
  })

  it('R7: gives moments as numbers of the unit that is asked for, and refuses those that it cannot say', async () => {
    await execute('create table t (i integer)')
    const given = async (moment: string, times: 'ms' | 'us' | 'ns' | 'text') => {
      const source = duckdbSource<{ a: unknown }>(path, { query: `select ${moment} as a`, times })
      const reader = await source.open({ id: '' }, undefined)
      const [entry] = (await readEntries(reader, 1)) ?? []
      await reader.close()
      return entry?.kind === 'event' ? entry.value.a : entry?.reason
    }
    const fine = "timestamptz '2026-03-02 10:00:00.123456+00'"
    deepEqual(
      [await given(fine, 'us'), await given(fine, 'ns'), await given(fine, 'text'), await given(fine, 'ms')],
      [
        1772445600123456,
        1772445600123456000n,
        '2026-03-02T10:00:00.123456Z',
        'column "a": 2026-03-02 10:00:00.123456+00 is finer than milliseconds: take it in a finer unit, or as text (times)',
      ],
    )
    equal(await given("timestamp '1969-12-31 23:59:59.999'", 'ms'), -1)
    equal(await given("timestamp '0044-03-15 (BC) 00:00:00'", 'ms'), Date.UTC(-43, 2, 15))
    for (const moment of ["'infinity'::timestamp", "timestamp '290000-01-01 00:00:00'"]) {
      match(String(await given(moment, 'ms')), /^column "a": .* is out of the range of epoch milliseconds/)
    }
    equal(await given("'-infinity'::timestamptz", 'text'), '-infinity')
  })

  it('R5, R6: makes a dead letter of a row with a JSON number that cannot be kept, also within others', async () => {
    await execute('create table t (i integer)')
    const query = `select i, [{'j': case i when 2 then '{"a": 12345678901234567890}'::json else '[1]'::json end}] as l
      from range(1, 4) as r (i)`
    const source = duckdbSource(path, { query })
    const reader = await source.open({ id: '' }, undefined)
    const entries = (await readEntries(reader, 10)) ?? []
    await reader.close()
    deepEqual(
      entries.map((entry) => (entry.kind === 'dead' ? `${entry.step}: ${entry.reason}` : entry.value)),
      [
        { i: 1, l: [{ j: [1] }] },
        'duckdb: column "l": the number 12345678901234567890 is over 2^53',
        { i: 3, l: [{ j: [1] }] },
      ],
    )
    deepEqual((await read({ query, bigints: 'bigint' }))[1], { i: 2, l: [{ j: { a: 12345678901234567890n } }] })
  })

  it('gives only what is new by its cursor, exactly, of whatever type that is', async () => {
    const cursors = [
      'n::hugeint * 10000000000000000000',
      'n / 3.0::double',
      "timestamp_ns '2020-01-01' + interval (n) microsecond",
      "timestamptz '2020-01-01 00:00:00+00' + interval (n) microsecond",
      'n::decimal(18, 3) / 8',
      "date '2020-01-01' + n::integer",
      'chr(n::integer + 30)',
    ]
    for (const cursor of cursors) {
      newPath()
      await execute(`create table t as select ${cursor} as c, n from range(1, 101) as r (n)`)
      const [from, into] = [path, newPath()]
      const job = pipeline('copy', {
        from: () => duckdbSource<{ n: number }>(from, { table: 't', cursor: 'c' }),
        flow: (rows) => rows.map(({ n }) => ({ n })),
        into: () => duckdbSink<{ n: number }>(into, { table: 'copied', columns: { n: 'integer' } }),
      })
      const load = async () => (await (await startPipeline(job)).done).run.read
      deepEqual([await load(), await load()], [100, 0], cursor)
      path = from
      await execute(`insert into t select ${cursor}, n from range(101, 104) as r (n)`)
      deepEqual([await load(), await load()], [3, 0], cursor)
    }
  })

  it('reads the file that the sink of the same pipeline writes to', async () => {
    await execute(tableOf(5000))
    const job = pipeline('copy', {
      from: () => duckdbSource<{ id: number }>(path, { table: 't', cursor: 'id' }),
      into: () => duckdbSink<{ id: number }>(path, { table: 'copied', key: ['id'] }),
    })
    const report = await (await startPipeline(job, { epochEvents: 700 })).done
    equal(report.run.loaded, 5000)
    deepEqual(await execute('select count(*)::integer as n, sum(id)::integer as s from copied'), [
      { n: 5000, s: 12502500 },
    ])
  })

  it('says of a row that fails that it does, and never takes it for the end', async () => {
    await execute('create table t as select n from range(100000) as r (n)')
    const query = "select case when n = 70000 then cast('x' || n as integer) else n end as n from t"
    await rejects(
      read({ query }),
      failsWith('SOURCE_UNREADABLE', /Cannot read query \w+ in .*: Conversion Error: .*'x70000'/),
    )
    await rejects(read({ query, cursor: 'n' }), failsWith('SOURCE_UNREADABLE', /'x70000'/))
  })

  it('stops a query that takes long, with the reason of the signal', { timeout: 60_000 }, async () => {
    await execute('create table t as select n from range(1000000) as r (n)')
    const stop = new AbortController()
    const reason = new Error('enough')
    const before = process.cpuUsage()
    const ended = rejects(
      read({ query: 'select count(*) as n from t a, t b where a.n * b.n = 7' }, stop.signal),
      reason,
    )
    // Of its threads nothing else shows.
    await until(() => process.cpuUsage(before).user > 500_000, 'work on the query')
    stop.abort(reason)
    await ended
  })

  it('lets go of the file when it is closed, wherever that is', async () => {
    await execute(tableOf(5000))
    for (const reads of [0, 1, 3]) {
      const source = duckdbSource(path, { table: 't' })
      const reader = await source.open({ id: 'table t' }, undefined)
      for (let n = 0; n < reads; n += 1) await readEntries(reader, 100)
      await reader.close()
      const script = `import { DuckDBInstance } from '@duckdb/node-api'
        await DuckDBInstance.create(${JSON.stringify(path)})`
      const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
      deepEqual(await once(child, 'exit'), [0, null], `after ${reads} reads`)
    }
  })

  it('refuses a cursor that has nulls, or is not there', async () => {
    await execute('create table t as select * from (values (1, 1), (2, null)) as v (id, hole)')
    await rejects(read({ table: 't', cursor: 'hole' }), failsWith('CONFIG_INVALID', /never null, and there is a null/))
    await rejects(read({ table: 't', cursor: 'no' }), failsWith('CONFIG_INVALID', /by "no": its columns are id, hole/))
  })

  /** Ids that runs of `reads` rows give, from a position on, and the position after them. */
  const idsOf = async (
    options: DuckdbSourceOptions,
    from?: Position,
    reads = 1000,
    onNote?: (note: string) => void,
  ) => {
    const open = onNote === undefined ? {} : { onNote }
    const reader = await duckdbSource<{ id: number }>(path, options).open({ id: '' }, from, open)
    const ids = ((await reader.read(reads))?.events.values() ?? []).map(({ id }) => id)
    const position = JSON.parse(JSON.stringify(reader.position())) as Position
    await reader.close()
    return [ids, position] as const
  }

  it('R10: reads rows of one cursor value that came later, and each of them once', async () => {
    await execute('create table t as select * from (values (1, 1), (2, 1), (3, 2)) as v (id, n)')
    const options = { table: 't', cursor: 'n' }
    const [, first] = await idsOf(options)
    await execute('insert into t values (4, 2), (5, 2), (6, 3), (7, 1)')
    const [ids, second] = await idsOf(options, first)
    deepEqual(ids.toSorted(), [4, 5, 6])
    await execute('insert into t values (8, 3)')
    deepEqual((await idsOf(options, second))[0], [8])
    deepEqual((await idsOf(options, { rows: 4, cursor: 'n', after: '2', type: 'INTEGER' }))[0].toSorted(), [6, 8])
    await execute(
      'create table u as select id, id // 9 as n, chr((65 + id // 9)::integer) collate nocase as c from range(1, 100) as r (id)',
    )
    for (const cursor of ['n', 'c']) {
      let from: Position | undefined
      const all: number[] = []
      for (let runs = 0; runs < 25; runs += 1) {
        const [some, position] = await idsOf({ table: 'u', cursor }, from, 4)
        all.push(...some)
        from = position
      }
      deepEqual(
        all.toSorted((a, b) => a - b),
        Array.from({ length: 99 }, (_, at) => at + 1),
        cursor,
      )
    }
  })

  it('R13: looks back, by numbers and by moments', async () => {
    await execute(`create table t as select id, timestamp '2026-01-01' + interval (id) minute as at, id / 2.0::double as x
      from range(1, 21) as r (id)`)
    for (const [cursor, lookBack] of [
      ['id', 2],
      ['x', 1],
      ['at', '2m'],
    ] as const) {
      const options = { table: 't', cursor, lookBack }
      const [, position] = await idsOf(options)
      deepEqual((await idsOf(options, position))[0], [18, 19, 20], cursor)
    }
    const [, position] = await idsOf({ table: 't', cursor: 'id' })
    await rejects(
      idsOf({ table: 't', cursor: 'id', lookBack: '2m' }, position),
      failsWith('CONFIG_INVALID', /takes a cursor of timestamps/),
    )
  })

  it('R14: without a cursor, says that rows before the position are not as they were', async () => {
    await execute('create table t as select id from range(1, 6) as r (id)')
    const [, position] = await idsOf({ table: 't' })
    await execute('insert into t values (6)')
    deepEqual((await idsOf({ table: 't' }, position))[0], [6])
    await execute('delete from t where id = 1')
    await rejects(idsOf({ table: 't' }, position), failsWith('POSITION_LOST', /row 5 is not the one that was read/))
    await execute('delete from t where id > 2')
    await rejects(idsOf({ table: 't' }, position), failsWith('POSITION_LOST', /fewer than 5 rows now/))
  })

  it('R4: takes a query with a semicolon, comments, or both', async () => {
    await execute('create table t as select 1 as id')
    for (const query of [
      'select 1 as a;',
      'select 1 as a -- all',
      'select 1 as a; -- all',
      "select 1 as a, ';' as b /* ; */ ;;",
    ]) {
      equal(((await read({ query }))[0] as { a: number }).a, 1)
    }
  })

  it('tells columns of one name apart, as DuckDB does', async () => {
    await execute('create table t as select 1 as id')
    deepEqual(await read({ query: 'select id, id, id as "ID" from t' }), [{ id: 1, id_1: 1, ID_2: 1 }])
  })

  it('S2: takes names for what they are', async () => {
    await execute('create table "t""; drop table y; --" as select 1 as "a"" b", 2 as sluice')
    await execute('create table y (a integer)')
    deepEqual(await read({ table: 't"; drop table y; --', cursor: 'a" b' }), [{ 'a" b': 1, sluice: 2 }])
    deepEqual(await execute('select count(*)::integer as n from y'), [{ n: 0 }])
  })

  it('says what is not there, what is no SQL, and what was read otherwise', async () => {
    await rejects(read({ table: 't' }), failsWith('SOURCE_MISSING', /there is no such file \(ENOENT\)/))
    equal(existsSync(path), false)
    await execute('create table t as select 1 as id')
    await rejects(read({ table: 'no' }), failsWith('SOURCE_MISSING', /Table with name no does not exist/))
    await rejects(read({ query: 'select 1; select 2' }), failsWith('CONFIG_INVALID', /Parser Error/))
    await rejects(read({ query: 'drop table t' }), failsWith('CONFIG_INVALID', /Parser Error/))
    const source = duckdbSource(path, { table: 't', cursor: 'id' })
    const at = (from: Record<string, string | number>) => source.open({ id: 'table t' }, from)
    await rejects(at({ rows: 5 }), failsWith('POSITION_LOST', /read without a cursor/))
    await rejects(
      at({ rows: 5, cursor: 'id', after: 'x', type: 'VARCHAR' }),
      failsWith('POSITION_LOST', /id was VARCHAR and is INTEGER/),
    )
    ok(
      isSluiceError(
        await Promise.resolve()
          .then(() => duckdbSource(path, { table: 't', memory: '1MB' }))
          .catch((e) => e),
        'CONFIG_INVALID',
      ),
    )
  })

  it('R20: is told who writes to the file, another process or another thread, and waits for it', async () => {
    await execute('create table t as select 1 as id')
    const url = JSON.stringify(new URL('../src/connect/duckdb/connection.ts', import.meta.url).href)
    const script = `import { Session } from ${url}
      const session = await Session.open(${JSON.stringify(path)})
      process.stdout.write('open')
      setInterval(() => session, 1000)`
    const child = spawn(process.execPath, ['--conditions=sluice-source', '--input-type=module', '-e', script])
    await once(child.stdout, 'data')
    await rejects(
      read({ table: 't', retryMs: 0 }),
      failsWith('SOURCE_UNREADABLE', new RegExp(`Cannot read .*: process ${child.pid} has it open`)),
    )
    const waiting = read({ table: 't' })
    child.kill('SIGKILL')
    await once(child, 'exit')
    deepEqual(await waiting, [{ id: 1 }])
    if (!existsSync('/proc/self/fd')) return
    const code = `const { parentPort } = require('node:worker_threads')
      import(${url}).then(async ({ Session }) => {
        const session = await Session.open(${JSON.stringify(path)})
        parentPort.postMessage('open')
        parentPort.on('message', () => { session.close(); parentPort.close() })
      })`
    const worker = new Worker(code, { eval: true })
    await once(worker, 'message')
    await rejects(
      read({ table: 't', retryMs: 0 }),
      failsWith('SOURCE_UNREADABLE', /another thread of this process has it open/),
    )
    const sink = duckdbSink(path, { table: 'u', columns: { a: 'integer' } }).open({ pipeline: 'test' })
    await rejects(sink, failsWith('PIPELINE_HELD', /another thread of this process has it open/))
    worker.postMessage('close')
    await once(worker, 'exit')
    deepEqual(await read({ table: 't', retryMs: 0 }), [{ id: 1 }])
  })

  it('reads what a writer left that was killed', async () => {
    const url = JSON.stringify(new URL('../src/connect/duckdb/connection.ts', import.meta.url).href)
    const script = `import { Session } from ${url}
      const session = await Session.open(${JSON.stringify(path)})
      await session.run('create table t as select 1 as id')
      await session.run('insert into t values (2)')
      process.kill(process.pid, 'SIGKILL')`
    const child = spawn(process.execPath, ['--conditions=sluice-source', '--input-type=module', '-e', script])
    await once(child, 'exit')
    deepEqual(await read({ table: 't' }), [{ id: 1 }, { id: 2 }])
  })
})
