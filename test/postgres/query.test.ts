import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import type { Tracked } from '../../src/connect/origin.ts'
import { type PostgresSourceOptions, postgresSource } from '../../src/connect/postgres/source.ts'
import type { Position, SplitReader } from '../../src/connect/source.ts'
import { readEntries } from '../../src/testing/conformance/reading.ts'
import { times } from '../../src/testing/times.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'
import { failsWith } from '../support/postgres-sink.ts'
import { SEED } from '../support/seed.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const skip = missingPostgres()
type AnyRow = Record<string, unknown>

describe('postgresSource', { skip }, () => {
  let server: PostgresServer
  let database = ''

  before(async () => {
    server = await PostgresServer.start()
  })
  after(() => server.stop())
  beforeEach(async () => {
    database = await server.createDatabase()
  })

  const query = (sql: string) => server.query(database, sql)
  const open = async (options: PostgresSourceOptions, from?: Position, url = server.url(database)) => {
    const source = postgresSource(url, options)
    const [split] = await source.splits()
    ok(split)
    return await source.open(split, from)
  }

  async function rest(reader: SplitReader<AnyRow>, max = 7): Promise<AnyRow[]> {
    const rows: AnyRow[] = []
    for (;;) {
      const entries = await readEntries(reader, max)
      if (entries === undefined) return rows
      ok(entries.length >= 1 && entries.length <= max)
      rows.push(...entries.map((entry) => (entry as Tracked<AnyRow>).value))
    }
  }

  /** All rows from a position on, and the position after them. */
  async function readAll(options: PostgresSourceOptions, from?: Position): Promise<[AnyRow[], Position]> {
    const reader = await open(options, from)
    const rows = await rest(reader)
    const position = reader.position()
    await reader.close()
    return [rows, JSON.parse(JSON.stringify(position))]
  }

  it('gives values of every type', async () => {
    const [rows] = await readAll({
      query: `select 1::int2 as a, 2::int8 as b, 9007199254740993 as c, 1.5::float8 as d, 'NaN'::float4 as e, 1.50::numeric as f,
        true as g, 'x' as h, null as i, '{"a": [1]}'::jsonb as j, '[2]'::json as k, timestamptz '2026-03-02 10:00:00.5+02' as l, '\\x00ff'::bytea as q,
        timestamptz(3) '2026-03-02 10:00:00.5+02' as r,
        timestamp '2026-03-02 10:00:00' as m, date '2026-03-02' as n, '{1,2}'::int[] as o, interval '1 day' as p -- end`,
    })
    deepEqual(rows, [
      {
        a: 1,
        b: 2,
        c: 9007199254740993n,
        d: 1.5,
        e: Number.NaN,
        f: '1.50',
        g: true,
        h: 'x',
        i: null,
        j: { a: [1] },
        k: [2],
        l: '2026-03-02T08:00:00.5Z',
        m: '2026-03-02 10:00:00',
        n: '2026-03-02',
        o: '{1,2}',
        p: '1 day',
        q: Uint8Array.of(0, 255),
        r: Date.UTC(2026, 2, 2, 8, 0, 0, 500),
      },
    ])
  })

  it('gives only the columns that are named, as what they are named', async () => {
    await query(
      `create table t (id int, n numeric, at timestamp, more text); insert into t values (1, 2.5, '2026-03-02', 'x')`,
    )
    const columns = { n: 'real', at: 'time' } as const
    const [rows] = await readAll({ table: 't', columns, cursor: 'id' })
    deepEqual(rows, [{ n: 2.5, at: Date.UTC(2026, 2, 2) }])
    deepEqual(postgresSource(server.url(database), { table: 't', columns }).columns, columns)
  })

  it('tells of each row where it came from', async () => {
    await query(`create table t (id int, name text); insert into t values (5, 'a'), (6, null)`)
    const reader = await open({ table: 't', cursor: 'id' })
    const entries = (await readEntries(reader, 10)) ?? []
    deepEqual(
      entries.map(({ origin: { source, line, offset, raw } }) => ({ source, line, offset, raw })),
      [
        { source: 'table t', line: 0, offset: 0, raw: '{"id":"5","name":"a"}' },
        { source: 'table t', line: 0, offset: 1, raw: '{"id":"6","name":null}' },
      ],
    )
    deepEqual(reader.counts, { read: 2, blank: 0, invalidUtf8: 0 })
    await reader.close()
  })

  it('goes on by the cursor after the last row of an earlier run', async () => {
    await query(`create table t (a timestamptz, b text, primary key (a, b));
      insert into t select timestamptz '2026-01-01' + (n / 3) * interval '1 us', 'b' || n % 3 from generate_series(1, 100) n`)
    const options = { table: 't', cursor: ['a', 'b'] }
    const [first, position] = await readAll(options)
    equal(first.length, 100)
    const { known, ...place } = position as Record<string, unknown>
    deepEqual(place, { rows: 100, cursor: ['a', 'b'], after: ['2026-01-01 00:00:00.000033+00', 'b1'] })
    equal((known as string[]).length, 1)
    const again = await open(options, position)
    equal(again.note, 'there are no new rows')
    deepEqual(await rest(again), [])
    deepEqual(again.position(), position)
    await again.close()
    await query(`insert into t values ('2026-01-01 00:00:00.000033+00', 'b2'), ('2026-01-01 00:00:00.000033+00', 'a')`)
    const [later, last] = await readAll(options, position)
    deepEqual(
      later.map(({ b }) => b),
      ['b2'],
    )
    equal((last as { rows: number }).rows, 101)
  })

  it('gives all rows, each once, whatever is read at once and wherever runs end', async () => {
    await query('create table t (id bigint primary key, text text)')
    await query(`insert into t select n * 7 - 5000, repeat('x', n % 50) from generate_series(1, 1500) n`)
    const all = (await query('select id::int, text from t order by t.id')).map(({ id, text }) => `${id} ${text}`)
    const runs = fc.array(fc.record({ reads: fc.integer({ min: 0, max: 6 }), max: fc.integer({ min: 1, max: 400 }) }), {
      maxLength: 4,
    })
    for (const options of [{ table: 't', cursor: 'id' }, { query: 'select * from t order by id;' }]) {
      await fc.assert(
        fc.asyncProperty(runs, fc.integer({ min: 1, max: 300 }), async (stops, fetch) => {
          const got: AnyRow[] = []
          let from: Position | undefined
          for (const { reads, max } of stops) {
            const reader = await open({ ...options, fetch }, from)
            for (let i = 0; i < reads; i += 1) got.push(...((await reader.read(max))?.events.values() ?? []))
            from = JSON.parse(JSON.stringify(reader.position()))
            await reader.close()
          }
          got.push(...(await readAll({ ...options, fetch }, from))[0])
          deepEqual(
            got.map(({ id, text }) => `${id} ${text}`),
            all,
          )
        }),
        { seed: SEED, numRuns: times(8), endOnFailure: true },
      )
    }
  })

  it('reads large rows without holding many of them', async () => {
    const reader = await open({ query: `select n, repeat('x', 1000000) as text from generate_series(1, 60) n` })
    let most = 0
    for (;;) {
      const rows = await readEntries(reader, 1000)
      if (rows === undefined) break
      most = Math.max(most, rows.length)
    }
    await reader.close()
    ok(most <= 16, `${most} at once`)
    equal(reader.counts.read, 60)
  })

  it('R10: reads rows of one cursor value that came later, and each of them once', async () => {
    await query(`create table t (id int, n int); insert into t values (1, 1), (2, 1), (3, 2)`)
    const options = { table: 't', cursor: 'n' }
    const ids = ([rows]: [AnyRow[], Position]) => rows.map(({ id }) => id)
    const first = await readAll(options)
    equal(first[0].length, 3)
    await query('insert into t values (4, 2), (5, 2), (6, 3), (7, 1)')
    const second = await readAll(options, first[1])
    deepEqual(ids(second).toSorted(), [4, 5, 6])
    await query('insert into t values (8, 3)')
    deepEqual(ids(await readAll(options, second[1])), [8])
    await query('insert into t values (4, null)')
    await rejects(
      readAll(options),
      failsWith('CONFIG_INVALID', /cursor takes columns that are never null, and there is a null$/),
    )
  })

  it('R10: stops and goes on among rows of one cursor value', async () => {
    await query('create table t (id int, n int); insert into t select g, g / 40 from generate_series(1, 200) g')
    const got: unknown[] = []
    let from: Position | undefined
    for (let runs = 0; runs < 60; runs += 1) {
      const reader = await open({ table: 't', cursor: 'n', fetch: 5 }, from)
      got.push(...((await reader.read(7))?.events.values() ?? []).map((row) => (row as AnyRow).id))
      from = JSON.parse(JSON.stringify(reader.position()))
      await reader.close()
    }
    equal(got.length, 200)
    equal(new Set(got).size, 200)
  })

  it('R10: knows equal values that are written differently, and takes collations and types as they are', async () => {
    const cursors = [
      'case when n % 2 = 0 then n / 2 else (n / 2)::numeric(9, 2) end',
      "lpad((n / 2)::text, 5, '0')",
      'md5((n / 2)::text)::uuid',
      'n / 2.0::float8',
      "(n / 2) * interval '1 day'",
      "'x' || n / 2",
      'chr(n / 2 + 30)::bpchar',
    ]
    for (const cursor of cursors) {
      await query(`drop table if exists t; create table t as select ${cursor} as c, n from generate_series(1, 60) n`)
      const options = { table: 't', cursor: 'c' }
      const got: unknown[] = []
      let from: Position | undefined
      for (let runs = 0; runs < 30; runs += 1) {
        const reader = await open(options, from)
        got.push(...((await reader.read(3))?.events.values() ?? []).map((row) => (row as AnyRow).n))
        from = JSON.parse(JSON.stringify(reader.position()))
        await reader.close()
      }
      equal(new Set(got).size, 60, cursor)
      equal(got.length, 60, cursor)
    }
  })

  it('R11: says that rows where it stood have changed, and refuses where it cannot tell which are new', async () => {
    await query(`create table t (id int, n int); insert into t values (1, 1), (2, 2)`)
    const source = postgresSource(server.url(database), { table: 't', cursor: 'n' })
    const [, position] = await readAll({ table: 't', cursor: 'n' })
    await query('update t set id = 20 where id = 2')
    const notes: string[] = []
    const reader = await source.open({ id: '' }, position, { onNote: (note) => notes.push(note) })
    equal(await readEntries(reader, 5), undefined)
    await reader.close()
    match(notes.join(), /^table t: 1 rows with \["2"\] in n have changed since they were read/)
    await query('insert into t values (21, 2)')
    await rejects(
      readAll({ table: 't', cursor: 'n' }, position),
      failsWith('CONFIG_INVALID', /by n: 2 rows with \["2"\] are not as they were read, and 1 of them are new/),
    )
    await query('delete from t where n = 2; insert into t values (30, 3)')
    deepEqual((await readAll({ table: 't', cursor: 'n' }, position))[0], [{ id: 30, n: 3 }])
  })

  it('R12: goes on from positions of earlier versions', async () => {
    await query(`create table t (id int primary key); insert into t select generate_series(1, 9)`)
    const [rows] = await readAll({ table: 't', cursor: 'id' }, { rows: 4, cursor: ['id'], after: ['4'] })
    deepEqual(
      rows.map(({ id }) => id),
      [5, 6, 7, 8, 9],
    )
    deepEqual((await readAll({ query: 'select id from t order by id' }, { rows: 7 }))[0], [{ id: 8 }, { id: 9 }])
    equal((await readAll({ table: 't', cursor: 'id' }, { rows: 0, cursor: ['id'], after: [] }))[0].length, 9)
  })

  it('R13: looks back, by numbers and by moments', async () => {
    await query(`create table t (id int, at timestamptz, day date, x numeric);
      insert into t select n, timestamptz '2026-01-01' + n * interval '1 minute', date '2026-01-01' + n, n / 2.0 from generate_series(1, 20) n`)
    const ids = ([rows]: [AnyRow[], Position]) => rows.map(({ id }) => id)
    for (const [cursor, lookBack, late] of [
      ['id', 3, '18, now()'],
      ['at', '150s', "100, '2026-01-01 00:18:30+00'"],
      ['day', '2d', "100, now(), '2026-01-19'"],
      ['x', 1.5, '100, now(), now(), 9'],
    ] as const) {
      const options = { table: 't', cursor, lookBack }
      const [, position] = await readAll(options)
      await query(`insert into t values (${late})`)
      const again = await readAll(options, position)
      equal(ids(again).includes(late.startsWith('18') ? 18 : 100), true, cursor)
      equal(ids(again).length >= 3 && ids(again).length <= 6, true, `${cursor}: ${ids(again)}`)
      await query("delete from t where at > now() - interval '1 hour' or id = 100")
    }
    const unfit = (options: PostgresSourceOptions, found: RegExp) =>
      rejects(readAll(options), failsWith('CONFIG_INVALID', found))
    await unfit(
      { table: 't', cursor: 'at', lookBack: 5 },
      /lookBack takes a cursor of numbers .* at is timestamp with time zone/,
    )
    await unfit({ table: 't', cursor: 'id', lookBack: '1m' }, /lookBack takes a cursor of timestamps .* id is integer/)
    const soon = 'soon' as '1m'
    for (const options of [{ lookBack: 5 }, { cursor: 'id', lookBack: soon }, { cursor: 'id', lookBack: -1 }]) {
      throws(() => postgresSource('postgres://h/d', { table: 't', ...options }), { code: 'CONFIG_INVALID' })
    }
  })

  it('R14: without a cursor, says that rows before the position are not as they were', async () => {
    await query(`create table t (id int); insert into t select generate_series(1, 5)`)
    const [, position] = await readAll({ table: 't' })
    await query('insert into t values (6)')
    deepEqual((await readAll({ table: 't' }, position))[0], [{ id: 6 }])
    await query('delete from t where id = 1')
    await rejects(
      readAll({ table: 't' }, position),
      failsWith('POSITION_LOST', /row 5 is not the one that was read.*a full refresh is not supported yet$/),
    )
    await query('delete from t where id > 2')
    await rejects(readAll({ table: 't' }, position), failsWith('POSITION_LOST', /there are fewer than 5 rows now/))
  })

  it('R5, R6: makes a dead letter of a row with a number that cannot be kept, and reads the others', async () => {
    const sql = `select n as id, (case n when 2 then '{"a": 12345678901234567890}' else '{"a": 1}' end)::jsonb as j from generate_series(1, 3) n`
    const reader = await open({ query: sql })
    const entries = (await readEntries(reader, 10)) ?? []
    deepEqual(
      entries.map((entry) => (entry.kind === 'dead' ? [entry.step, entry.reason, entry.origin.raw] : entry.value)),
      [
        { id: 1, j: { a: 1 } },
        [
          'postgres',
          'column "j": the number 12345678901234567890 is over 2^53',
          '{"id":"2","j":"{\\"a\\": 12345678901234567890}"}',
        ],
        { id: 3, j: { a: 1 } },
      ],
    )
    await reader.close()
    const [rows] = await readAll({ query: sql, bigints: 'bigint' })
    deepEqual(rows[1], { id: 2, j: { a: 12345678901234567890n } })
    const values = await open({ query: sql })
    const dead: string[] = []
    const read = await values.read(10)
    for (const { letter } of read?.rejected ?? []) dead.push(letter.reason)
    equal(read?.events.length, 2)
    equal(dead.length, 1)
    await values.close()
  })

  it('R4: takes a query with a semicolon, comments, or both', async () => {
    for (const sql of [
      'select 1 as a;',
      'select 1 as a -- all',
      'select 1 as a; -- all',
      "with x as (select ';' as b) select 1 as a /* ; */ ;;",
    ]) {
      deepEqual((await readAll({ query: sql }))[0], [{ a: 1 }])
    }
  })

  it('refuses a position that is not of it', async () => {
    await query('create table t (id int)')
    const fails = (found: RegExp) => failsWith('POSITION_LOST', found)
    for (const from of [
      5,
      'x',
      null,
      [],
      {},
      { rows: -1 },
      { rows: 1.5 },
      { rows: 1, cursor: 5 },
      { rows: 1, after: [5] },
    ] as Position[]) {
      await rejects(
        open({ table: 't' }, from),
        fails(/^Cannot resume table t from .*: that is not a position of a query$/),
      )
    }
    await rejects(
      open({ table: 't' }, { rows: 1, cursor: ['id'], after: ['1'] }),
      fails(/it was read by id, and is now without one$/),
    )
    await rejects(
      open({ table: 't', cursor: 'id' }, { rows: 1, cursor: ['id'], after: ['1', '2'] }),
      fails(/it has 2 values for 1 cursor columns$/),
    )
    await rejects(
      open({ table: 't', cursor: 'id' }, { rows: 1, cursor: ['id'], after: ["1' or true --"] }),
      failsWith('SOURCE_UNREADABLE', /invalid input syntax for type integer/),
    )
  })

  it('says what it cannot read', async () => {
    await rejects(
      open({ table: 'none' }),
      failsWith('SOURCE_MISSING', /^Cannot read table none in 127.*: relation "none" does not exist \(42P01\)$/),
    )
    await rejects(open({ query: 'selec 1' }), failsWith('CONFIG_INVALID', /syntax error .* \(42601\)$/))
    await rejects(open({ query: 'select 1; select 2' }), failsWith('CONFIG_INVALID', /syntax error/))
    await rejects(
      open({ query: 'select 1 as a, 2 as a' }),
      failsWith('CONFIG_INVALID', /takes columns of different names, and two are named "a"$/),
    )
    await rejects(
      open({ query: 'with x as (delete from pg_class returning 1) select 1' }),
      failsWith('CONFIG_INVALID', /\(0A000\)$/),
    )
    await rejects(open({ query: 'select 1/0' }), failsWith('SOURCE_UNREADABLE', /division by zero \(22012\)$/))
    await rejects(
      open({ table: 't' }, undefined, server.url('none')),
      failsWith('CONFIG_INVALID', /database "none" does not exist \(3D000\)$/),
    )
  })

  it('takes no options that do not fit', () => {
    const fails = (options: object, found: RegExp) => {
      throws(
        () => postgresSource('postgres://h/d', options),
        (error: unknown) => {
          match(String(error), found)
          return true
        },
      )
    }
    fails({}, /a table, or query one, not both/)
    fails({ table: 't', query: 'select 1' }, /not both/)
    fails({ query: ' ' }, /a select/)
    fails({ table: 't', cursor: [] }, /one column or more/)
    fails({ table: 't', columns: {} }, /one column or more/)
    fails({ table: 't', columns: { a: 'string' } }, /must be one of text/)
    fails({ table: 't', fetch: 0 }, /fetch must be an integer, 1 or more/)
    fails({ table: 't', cursors: 'a' }, /no option cursors/)
    fails({ table: 'a\0' }, /Cannot name a column/)
    equal(postgresSource('postgres://h/d', { query: 'select 1' }).title, 'query 822ae07d4783 in h:5432/d')
  })

  it('F34, R20: goes on behind the last row when the connection is lost, each row once', async () => {
    await query('create table t (id int primary key); insert into t select generate_series(1, 1000)')
    await using proxy = await TcpProxy.start(server.port)
    const url = server.url(database, 'postgres', proxy.port)
    for (const options of [{ table: 't', cursor: 'id' }, { query: 'select * from t order by id' }]) {
      const notes: string[] = []
      const source = postgresSource(url, { ...options, fetch: 50 })
      const reader = await source.open({ id: '' }, undefined, { onNote: (note) => notes.push(note) })
      const ids: unknown[] = []
      for (let reads = 1; ; reads += 1) {
        const entries = await readEntries(reader, 10)
        if (entries === undefined) break
        ids.push(...entries.map((entry) => ((entry as Tracked<unknown>).value as AnyRow).id))
        if (reads % 30 === 0) proxy.cut()
      }
      deepEqual(
        ids,
        Array.from({ length: 1000 }, (_, at) => at + 1),
      )
      match(
        notes[0] ?? '',
        /^Cannot read .* in .*: (Connection terminated unexpectedly|write EPIPE|read ECONNRESET): reading continues/,
      )
      deepEqual([reader.counts.read, (reader.position() as { rows: number }).rows], [1000, 1000])
      await reader.close()
    }
  })

  it('R20: waits for a server that is restarted', async () => {
    await using own = await PostgresServer.start()
    const name = await own.createDatabase()
    await own.query(name, 'create table t (id int primary key); insert into t select generate_series(1, 500)')
    const reader = await postgresSource<AnyRow>(own.url(name), { table: 't', cursor: 'id', fetch: 20 }).open(
      { id: '' },
      undefined,
    )
    const first = (await reader.read(100))?.events.values() ?? []
    await own.halt('fast')
    const reading = (async () => {
      const rows: AnyRow[] = []
      for (
        let some = (await reader.read(100))?.events.values();
        some !== undefined;
        some = (await reader.read(100))?.events.values()
      )
        rows.push(...some)
      return rows
    })()
    await own.startAgain()
    deepEqual(
      [...first, ...(await reading)].map(({ id }) => id),
      Array.from({ length: 500 }, (_, at) => at + 1),
    )
    await reader.close()
  })

  it('R21: gives up when the server is gone for retryMs, and at once on what it refuses', async () => {
    await query('create table t (id int primary key); insert into t select generate_series(1, 1000)')
    await using proxy = await TcpProxy.start(server.port)
    const url = server.url(database, 'postgres', proxy.port)
    const reader = await postgresSource<AnyRow>(url, { table: 't', cursor: 'id', fetch: 50, retryMs: 300 }).open(
      { id: '' },
      undefined,
    )
    await readEntries(reader, 10)
    await proxy.refuse()
    await rejects(rest(reader), failsWith('SOURCE_UNREADABLE', /^Cannot read table t in /))
    const [rows] = await readAll({ table: 't', cursor: 'id' }, reader.position())
    equal((reader.position() as { rows: number }).rows + rows.length, 1000)
    await reader.close()
    await rejects(open({ table: 't', retryMs: 0 }, undefined, url), failsWith('SOURCE_UNREADABLE', /ECONNREFUSED/))
  })

  it('F16: fails when nothing comes any more, and when it is aborted', async () => {
    await query('create table t (id int primary key); insert into t select generate_series(1, 1000)')
    await using proxy = await TcpProxy.start(server.port)
    const url = server.url(database, 'postgres', proxy.port)
    const reader = await open({ table: 't', fetch: 50, timeoutMs: 1000, retryMs: 0 }, undefined, url)
    proxy.mode = 'stall'
    await rejects(rest(reader), failsWith('SOURCE_UNREADABLE', /no byte has moved for 1 s$/))
    await reader.close()
    proxy.mode = 'pass'
    const aborting = new AbortController()
    const source = postgresSource(server.url(database), { query: 'select pg_sleep(30)' })
    const ended = rejects(source.open({ id: 'query' }, undefined, { signal: aborting.signal }), { message: 'enough' })
    const sleeping = async () => (await query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)).length
    await until(async () => (await sleeping()) > 0, 'a query that sleeps')
    aborting.abort(new Error('enough'))
    await ended
  })
})
