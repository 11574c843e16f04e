import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { isSluiceError } from '../src/base/errors.ts'
import { batchOf } from '../src/connect/batch.ts'
import { NO_TOTALS } from '../src/connect/totals.ts'
import { missingPostgres } from './support/postgres.ts'
import { type Load, load, type SqlSink, SqlSinks } from './support/sql-sinks.ts'

const skip = missingPostgres()

describe('rows in SQL tables', { skip }, () => {
  let sinks: SqlSinks
  before(async () => {
    sinks = await SqlSinks.start()
  })
  after(() => sinks.stop())

  /** A test in each of the three databases. */
  const everywhere = (name: string, check: (at: SqlSink) => Promise<void>): void => {
    for (const database of ['SQLite', 'PostgreSQL', 'DuckDB'] as const) {
      it(`${name} (${database})`, async () => {
        const at =
          database === 'SQLite' ? sinks.sqlite() : database === 'DuckDB' ? sinks.duckdb() : await sinks.postgres()
        await check(at)
      })
    }
  }

  everywhere('C111: a dry run refuses what a run would, and leaves nothing', async (at) => {
    const dry = async (load: Load, rows: readonly unknown[]): Promise<readonly string[]> => {
      const writer = await at.sink(load).dryRun?.({ pipeline: 'test' })
      ok(writer !== undefined)
      try {
        const origin = { source: 'a.log', line: 1, offset: 0, raw: '' }
        const letters = await writer.write(batchOf(rows, { at: () => origin }))
        await writer.commit({ epoch: 1, positions: new Map([['a', 1]]), states: new Map(), totals: NO_TOTALS })
        return letters.map(({ reason }) => reason)
      } finally {
        await writer.close()
      }
    }
    deepEqual(await dry({ key: ['id'] }, [{ id: 1, n: 2 }]), [])
    equal(existsSync(':memory:'), false)
    await at.execute('create table t (id integer primary key, n integer not null check (n < 10))')
    const refused = await dry({ key: ['id'] }, [
      { id: 1, n: 2 },
      { id: 2, n: 20 },
    ])
    equal(refused.length, 1)
    match(refused.join(), /check/i)
    await rejects(dry({ key: ['nokey'] }, [{ id: 1, n: 2 }]), { code: 'CONFIG_INVALID' })
    equal((await one(at, 'select count(*) as n from t'))?.n, '0')
    await rejects(at.read('select * from sluice_checkpoints'))
    await rejects(at.read('select * from dead_letters'))
    // A run that holds the pipeline is not held up, and keeps a dry run out.
    const writer = await at.sink({ key: ['id'] }).open({ pipeline: 'test' })
    try {
      if (at.name !== 'DuckDB') await rejects(dry({ key: ['id'] }, [{ id: 5, n: 1 }]), { code: 'PIPELINE_HELD' })
      await writer.write(batchOf([{ id: 1, n: 2 }]))
      await writer.commit({ epoch: 1, positions: new Map(), states: new Map(), totals: NO_TOTALS })
    } finally {
      await writer.close()
    }
    equal((await one(at, 'select count(*) as n from t'))?.n, '1')
  })

  /** Columns of one row, read as texts. */
  const one = async (at: SqlSink, sql: string) => (await at.read(sql))[0]

  everywhere('Q3: keep bytes as bytes, or are refused', async (at) => {
    const rows = [
      { id: 1, b: Uint8Array.of(222, 0, 255) },
      { id: 2, b: Buffer.from('ab') },
      { id: 3, b: null },
    ]
    deepEqual((await load(at.sink({ key: ['id'] }), rows)).reasons, [])
    const hex = at.name === 'PostgreSQL' ? "encode(b, 'hex')" : 'hex(b)'
    deepEqual(
      (await at.read(`select lower(${hex}) as b from t order by id`)).map(({ b }) => b ?? ''),
      ['de00ff', '6162', ''],
    )
    const bad = [Uint8Array.of(1), new ArrayBuffer(1), new Uint16Array(1), new DataView(new ArrayBuffer(1))]
    const { reasons } = await load(
      at.sink({ table: 'j', columns: { id: 'integer', j: 'json' }, key: ['id'] }),
      bad.flatMap((j, id) => [
        { id, j },
        { id, j: { deep: [j] } },
      ]),
    )
    equal(reasons.length, 8)
    ok(
      reasons.every((reason) => /^column j cannot hold \w+ as JSON: JSON has no form for \w+$/.test(reason)),
      reasons[0],
    )
  })

  everywhere('Q3: keep JSON as it is, or are refused', async (at) => {
    const columns = { id: 'integer', j: 'json' } as const
    class Empty {
      #hidden = 1
      get seen(): number {
        return this.#hidden
      }
    }
    const bad = [
      Number.NaN,
      Infinity,
      new Map([[1, 2]]),
      new Set([1]),
      () => 1,
      Symbol('x'),
      [undefined],
      new Date(Number.NaN),
      new Empty(),
      /x/,
    ]
    const { reasons } = await load(
      at.sink({ columns, key: ['id'] }),
      bad.flatMap((value, id) => [{ id, j: { a: value } }]),
    )
    equal(reasons.length, bad.length, String(reasons))
    const good = { big: 12345678901234567890n, at: new Date(0), text: '"', none: null }
    deepEqual((await load(at.sink({ columns, key: ['id'] }), [{ id: 1, j: good }])).reasons, [])
    const text = String((await one(at, 'select j as j from t'))?.j)
      .replaceAll(': ', ':')
      .replaceAll(', ', ',')
    ok(text.includes('"big":12345678901234567890'), text)
    ok(text.includes('"at":"1970-01-01T00:00:00.000Z"'), text)
  })

  everywhere('Q4: are held against the types of a table that is there, and not against the first rows', async (at) => {
    const double = at.name === 'SQLite' ? 'real' : 'double precision'
    const text = at.name === 'DuckDB' ? 'varchar' : 'text'
    await at.execute(`create table t (id bigint primary key, n ${double}, note ${text})`)
    const nulls = Array.from({ length: 10 }, (_, id) => ({ id, n: null, note: null }))
    const { reasons } = await load(at.sink({ key: ['id'] }), nulls, [
      { id: 20, n: 2, note: 'hello' },
      { id: 21, n: 9.99, note: 'say "hi"' },
    ])
    deepEqual(reasons, [])
    deepEqual(await at.read('select n, note from t where id >= 20 order by id'), [
      { n: at.name === 'SQLite' || at.name === 'DuckDB' ? '2' : '2', note: 'hello' },
      { n: '9.99', note: 'say "hi"' },
    ])
  })

  everywhere('Q5: refuse a row that needs another column or type, and name the option', async (at) => {
    await at.execute('create table t (id bigint primary key, n bigint)')
    const { reasons } = await load(at.sink({ key: ['id'] }), [
      { id: 1, n: 1 },
      { id: 2, n: 1.5 },
      { id: 3, more: 'x' },
    ])
    equal(reasons.length, 2)
    match(
      String(reasons[0]),
      /^column n takes (exact integers|integers from) .*: found 1\.5; schema: 'evolve' (makes it real|accepts it)$/,
    )
    equal(reasons[1], `the table has no column "more": schema: 'evolve' adds it`)
    deepEqual(await at.read('select id, n from t'), [{ id: '1', n: '1' }])
  })

  everywhere('Q6, Q14: add columns that come up later, in the same run and in later ones', async (at) => {
    const sink = at.sink({ key: ['id'] })
    const { reasons, notes } = await load(
      sink,
      [{ id: 1, first: null }],
      [{ id: 2, extra: 'x' }],
      [
        { id: 1, extra: 'y' },
        { id: 3, first: 5 },
      ],
    )
    deepEqual(reasons, [])
    deepEqual(notes, [
      'created table t with the columns of the first rows: id integer',
      'added column extra text in table t',
      'added column first integer in table t',
    ])
    deepEqual((await load(sink, [{ id: 4, again: true }])).reasons, [])
    deepEqual(await at.read('select id, extra, first from t order by id'), [
      { id: '1', extra: 'y', first: null },
      { id: '2', extra: 'x', first: null },
      { id: '3', extra: null, first: '5' },
      { id: '4', extra: null, first: null },
    ])
  })

  everywhere('Q7: widen types, and leave what is there exact', async (at) => {
    const sink = at.sink({ key: ['id'] })
    const rows = [
      { id: 1, n: 1 },
      { id: 2, n: 2.5 },
      { id: 3, n: 'x' },
      { id: 4, n: 7 },
      { id: 1, n: true },
    ]
    for (const [from, to] of [
      [0, 5],
      [0, 1],
      [1, 5],
    ] as const)
      deepEqual((await load(sink, ...rows.slice(from, to).map((row) => [row]))).reasons, [])
    const values = (await at.read('select n from t order by id')).map(({ n }) => n)
    deepEqual(values, [at.name === 'SQLite' ? '1' : 'true', '2.5', 'x', '7'])
  })

  everywhere('Q7: make no floating point of whole numbers that it does not hold', async (at) => {
    const large = 2n ** 60n + 1n
    deepEqual((await load(at.sink({ key: ['id'] }), [{ id: 1, n: large }], [{ id: 2, n: 0.5 }])).reasons, [])
    deepEqual(
      (await at.read('select n from t order by id')).map(({ n }) => n),
      [String(large), '0.5'],
    )
  })

  everywhere('Q8: freeze a table on request', async (at) => {
    const sink = at.sink({ key: ['id'], schema: 'freeze' })
    const { reasons } = await load(
      sink,
      [{ id: 1, n: 1, later: null }],
      [
        { id: 2, n: 'x' },
        { id: 3, other: 1 },
        { id: 4, later: 'a' },
      ],
    )
    equal(reasons.length, 2, String(reasons))
    deepEqual(await at.read('select id, later from t order by id'), [
      { id: '1', later: null },
      { id: '4', later: 'a' },
    ])
  })

  everywhere('Q8: add columns that were named to a table that evolves', async (at) => {
    await at.execute('create table t (id bigint primary key); insert into t values (1)')
    const options: Load = { columns: { id: 'integer', note: 'text' }, key: ['id'] }
    await rejects(load(at.sink(options), []), (error: unknown) => {
      return isSluiceError(error, 'SINK_MISMATCH') && error.message.endsWith('note')
    })
    deepEqual((await load(at.sink({ ...options, schema: 'evolve' }), [{ id: 2, note: 'x' }])).reasons, [])
    deepEqual(await at.read('select note from t order by id'), [{ note: null }, { note: 'x' }])
  })

  everywhere('Q9: are not loaded where a column must not be null and rows do not have it', async (at) => {
    const text = at.name === 'DuckDB' ? 'varchar' : 'text'
    await at.execute(`create table t (id bigint primary key, must ${text} not null, may ${text} not null default 'd')`)
    await rejects(load(at.sink({ key: ['id'] }), [{ id: 1 }]), (error: unknown) => {
      return isSluiceError(error, 'SINK_MISMATCH') && /column must (is not null|as NOT NULL)/.test(error.message)
    })
    deepEqual((await load(at.sink({ key: ['id'] }), [{ id: 1, must: 'x' }])).reasons, [])
    deepEqual(await at.read('select must, may from t'), [{ must: 'x', may: 'd' }])
  })

  everywhere('Q10: keep times of ISO 8601 in columns of times, UTC where they do not say', async (at) => {
    const columns = { id: 'integer', at: 'time' } as const
    const texts = [
      '2026-03-02T10:00:00Z',
      '2026-03-02T12:00:00.000+02:00',
      '2026-03-02 10:00:00',
      '2026-03-02T10:00:00.000000000Z',
    ]
    const bad = ['yesterday', '2026-02-30', '2026-03-02T25:00:00Z', '']
    const { reasons } = await load(
      at.sink({ columns, key: ['id'] }),
      [...texts, ...bad].map((text, id) => ({ id, at: text })),
    )
    equal(reasons.length, bad.length)
    const [row, ...more] = await at.read('select distinct "at" as v from t')
    deepEqual(more, [])
    ok(['1772445600000', '2026-03-02 10:00:00+00', '2026-03-02 10:00:00'].includes(String(row?.v)), String(row?.v))
  })

  everywhere('Q11: keep exact decimals, or are refused', async (at) => {
    const columns = { id: 'integer', d: 'decimal' } as const
    const texts = ['-12.50', '12345678901234567890.123456789', '0', '-0.000000001']
    deepEqual(
      (
        await load(
          at.sink({ columns, key: ['id'] }),
          texts.map((d, id) => ({ id, d })),
        )
      ).reasons,
      [],
    )
    const found = (await at.read('select d from t order by id')).map(({ d }) => String(d))
    deepEqual(
      found.map((text) => text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')),
      texts.map((text) => text.replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '')),
    )
    const { reasons } = await load(
      at.sink({ columns, key: ['id'] }),
      ['1e3', '1,5', '007', 'NaN', ''].map((d, id) => ({ id, d })),
    )
    equal(reasons.length, 5)
  })

  everywhere('Q2: have a column for decimals that holds their digits', async (at) => {
    await load(at.sink({ columns: { id: 'integer', d: 'decimal' }, key: ['id'] }), [{ id: 1, d: '1.5' }])
    const sql =
      at.name === 'SQLite'
        ? "select type as v from pragma_table_info('t') where name = 'd'"
        : "select data_type as v from information_schema.columns where table_name = 't' and column_name = 'd'"
    const made = { SQLite: 'text', PostgreSQL: 'numeric', DuckDB: 'decimal(38,9)' }
    equal(String((await at.read(sql))[0]?.v).toLowerCase(), made[at.name])
  })

  it('Q12: look for what a table asks of its rows in its own schema only (DuckDB)', async () => {
    const at = sinks.duckdb()
    await at.execute(
      `create schema staging; create table staging.t (id bigint primary key, n bigint not null check (n > 18) unique);
       create table t (id bigint, n bigint)`,
    )
    deepEqual(
      (
        await load(at.sink(), [
          { id: 1, n: 5 },
          { id: 1, n: null },
          { id: 2, n: 5 },
        ])
      ).reasons,
      [],
    )
    await rejects(load(at.sink({ key: ['id'] }), [{ id: 1, n: 5 }]), (error: unknown) =>
      isSluiceError(error, 'SINK_MISMATCH'),
    )
  })

  everywhere('Q13: make no table with the name of a schema and a dot in it', async (at) => {
    if (at.name !== 'SQLite') await at.execute('create schema sales')
    const table = at.name === 'SQLite' ? 'main.orders' : 'sales.orders'
    await rejects(
      async () => load(at.sink({ table }), [{ id: 1 }]),
      (error: unknown) => {
        return isSluiceError(error, 'CONFIG_INVALID') && error.message.includes('orders')
      },
    )
    await rejects(async () => load(at.sink({ table: '"orders"' }), [{ id: 1 }]), /without quotes/)
    deepEqual((await load(at.sink({ table: 'v1.2' }), [{ id: 1 }])).reasons, [])
  })
})
