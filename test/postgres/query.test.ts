import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { after, before, beforeEach, describe, it } from 'node:test'
import fc from 'fast-check'
import type { Traced } from '../../src/connect/origin.ts'
import type { Position, SplitReader } from '../../src/connect/source.ts'
import { type PostgresQueryOptions, postgresQuery } from '../../src/connect/sources/postgres-query.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'
import { failsWith } from '../support/postgres-sink.ts'
import { SEED } from '../support/seed.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'

const skip = missingPostgres()
type AnyRow = Record<string, unknown>

describe('postgresQuery', { skip }, () => {
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
  const open = async (options: PostgresQueryOptions, from?: Position, url = server.url(database)) => {
    const source = postgresQuery(url, options)
    const [split] = await source.splits()
    ok(split)
    return await source.open(split, from)
  }

  async function rest(reader: SplitReader<AnyRow>, max = 7): Promise<AnyRow[]> {
    const rows: AnyRow[] = []
    for (;;) {
      const entries = await reader.read(max)
      if (entries === undefined) return rows
      ok(entries.length >= 1 && entries.length <= max)
      rows.push(...entries.map((entry) => (entry as Traced<AnyRow>).value))
    }
  }

  /** All rows from a position on, and the position after them. */
  async function readAll(options: PostgresQueryOptions, from?: Position): Promise<[AnyRow[], Position]> {
    const reader = await open(options, from)
    const rows = await rest(reader)
    const position = reader.position()
    await reader.close()
    return [rows, JSON.parse(JSON.stringify(position))]
  }

  it('gives values of every type', async () => {
    const [rows] = await readAll({
      query: `select 1::int2 as a, 2::int8 as b, 9007199254740993 as c, 1.5::float8 as d, 'NaN'::float4 as e, 1.50::numeric as f,
        true as g, 'x' as h, null as i, '{"a": [1]}'::jsonb as j, '[2]'::json as k, timestamptz '2026-03-02 10:00:00.5+02' as l,
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
        l: Date.UTC(2026, 2, 2, 8, 0, 0, 500),
        m: '2026-03-02 10:00:00',
        n: '2026-03-02',
        o: '{1,2}',
        p: '1 day',
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
    deepEqual(postgresQuery(server.url(database), { table: 't', columns }).columns, columns)
  })

  it('tells of each row where it came from', async () => {
    await query(`create table t (id int, name text); insert into t values (5, 'a'), (6, null)`)
    const reader = await open({ table: 't', cursor: 'id' })
    const entries = (await reader.read(10)) ?? []
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
    deepEqual(position, { rows: 100, cursor: ['a', 'b'], after: ['2026-01-01 00:00:00.000033+00', 'b1'] })
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
            for (let i = 0; i < reads; i += 1) got.push(...((await reader.values?.(max, () => {})) ?? []))
            from = JSON.parse(JSON.stringify(reader.position()))
            await reader.close()
          }
          got.push(...(await readAll({ ...options, fetch }, from))[0])
          deepEqual(
            got.map(({ id, text }) => `${id} ${text}`),
            all,
          )
        }),
        { seed: SEED, numRuns: 8, endOnFailure: true },
      )
    }
  })

  it('reads large rows without holding many of them', async () => {
    const reader = await open({ query: `select n, repeat('x', 1000000) as text from generate_series(1, 60) n` })
    let most = 0
    for (;;) {
      const rows = await reader.read(1000)
      if (rows === undefined) break
      most = Math.max(most, rows.length)
    }
    await reader.close()
    ok(most <= 16, `${most} at once`)
    equal(reader.counts.read, 60)
  })

  it('refuses a cursor that would lose rows', async () => {
    await query(`create table t (id int, n int); insert into t values (1, 1), (2, 1), (3, 2)`)
    const tie = failsWith(
      'CONFIG_INVALID',
      /^Cannot read table t by n: cursor takes columns that together are different in every row, and two rows have "1"$/,
    )
    await rejects(readAll({ table: 't', cursor: 'n' }), tie)
    equal((await readAll({ table: 't', cursor: ['n', 'id'] }))[0].length, 3)
    await query('insert into t values (4, null)')
    await rejects(
      readAll({ table: 't', cursor: 'n' }),
      failsWith('CONFIG_INVALID', /cursor takes columns that are null in no row, and there is a null$/),
    )
  })

  it('goes on from no position that is none of it', async () => {
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
        fails(/^Cannot resume table t from .*: that is no position of a query$/),
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
        () => postgresQuery('postgres://h/d', options),
        (error: unknown) => {
          match(String(error), found)
          return true
        },
      )
    }
    fails({}, /a table, or query one, not both/)
    fails({ table: 't', query: 'select 1' }, /not both/)
    fails({ query: ' ' }, /a select/)
    fails({ table: 't', cursor: [] }, /a column or more/)
    fails({ table: 't', columns: {} }, /a column or more/)
    fails({ table: 't', columns: { a: 'string' } }, /must be one of text/)
    fails({ table: 't', fetch: 0 }, /fetch must be an integer, 1 or more/)
    fails({ table: 't', cursors: 'a' }, /no option cursors/)
    fails({ table: 'a\0' }, /Cannot name a column/)
    equal(postgresQuery('postgres://h/d', { query: 'select 1' }).title, 'query 822ae07d4783 in h:5432/d')
  })

  it('F34: fails when the connection is lost, and goes on where it was', async () => {
    await query('create table t (id int primary key); insert into t select generate_series(1, 1000)')
    await using proxy = await TcpProxy.start(server.port)
    const reader = await open(
      { table: 't', cursor: 'id', fetch: 50 },
      undefined,
      server.url(database, 'postgres', proxy.port),
    )
    const first = (await reader.read(10)) ?? []
    proxy.cut()
    const reading = rest(reader)
    await rejects(
      reading,
      failsWith(
        'SOURCE_UNREADABLE',
        /^Cannot read table t in .*: (Connection terminated unexpectedly|write EPIPE|read ECONNRESET)$/,
      ),
    )
    const position = reader.position()
    await reader.close()
    const [rows] = await readAll({ table: 't', cursor: 'id' }, position)
    equal((position as { rows: number }).rows + rows.length, 1000)
    ok(first.length === 10)
  })

  it('F16: fails when nothing comes any more, and when it is aborted', async () => {
    await query('create table t (id int primary key); insert into t select generate_series(1, 1000)')
    await using proxy = await TcpProxy.start(server.port)
    const url = server.url(database, 'postgres', proxy.port)
    const reader = await open({ table: 't', fetch: 50, timeoutMs: 200 }, undefined, url)
    proxy.mode = 'stall'
    await rejects(rest(reader), failsWith('SOURCE_UNREADABLE', /no byte has moved for 0\.2 s$/))
    await reader.close()
    proxy.mode = 'pass'
    const aborting = new AbortController()
    const source = postgresQuery(server.url(database), { query: 'select pg_sleep(30)' })
    const opening = source.open({ id: 'query' }, undefined, { signal: aborting.signal })
    setTimeout(() => aborting.abort(new Error('enough')), 100)
    await rejects(opening, { message: 'enough' })
  })
})
