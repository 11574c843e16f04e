import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import {
  isSluiceError,
  type Position,
  parquetSource,
  pipeline,
  type Source,
  type SqliteSourceOptions,
  sqliteSink,
  sqliteSource,
  startPipeline,
  valuesSource,
} from 'sluice'
import { sourceConformance } from 'sluice/testing'
import { parquetEncoder } from '../src/connect/formats/parquet/write.ts'
import { readEntries } from '../src/testing/conformance/reading.ts'

const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sluice-rows-'))

function makeTable(path: string): void {
  const db = new DatabaseSync(path)
  db.exec(`create table t (id integer primary key, name text, big integer, x real);
    insert into t select n, 'row ' || n, case when n % 7 = 0 then 9007199254740993 end, n / 4.0
    from (with recursive c (n) as (select 1 union all select n + 1 from c where n < 2500) select n from c)`)
  db.close()
}

const rowOf = (id: number) => ({ id, name: `row ${id}`, big: id % 7 === 0 ? 9007199254740993n : null, x: id / 4 })

for (const [name, options] of [
  ['sqliteSource by a cursor', { table: 't', cursor: 'id' }],
  ['sqliteSource by number', { query: 'select * from t order by id' }],
] as const) {
  sourceConformance({
    name,
    resumes: 10,
    make: () => {
      const folder = newFolder()
      const path = join(folder, 'in.db')
      makeTable(path)
      const expected = Array.from({ length: 2500 }, (_, at) => rowOf(at + 1))
      return {
        source: sqliteSource(path, options) as Source<unknown>,
        expected,
        cleanup: () => rmSync(folder, { recursive: true }),
      }
    },
  })
}

sourceConformance({
  name: 'parquet',
  resumes: 10,
  make: async () => {
    const folder = newFolder()
    const encoder = await parquetEncoder({ id: 'integer', name: 'text' })
    const rows = Array.from({ length: 300 }, (_, id) => ({ id, name: `row ${id}` }))
    for (const row of rows) encoder.add(Object.values(row))
    writeFileSync(join(folder, 'a.parquet'), await encoder.finish())
    const expected = rows
    return {
      source: parquetSource(join(folder, '*.parquet')) as Source<unknown>,
      expected,
      cleanup: () => rmSync(folder, { recursive: true }),
    }
  },
})

sourceConformance({ name: 'values', make: () => ({ source: valuesSource([5, 6, 7, 8]), expected: [5, 6, 7, 8] }) })

describe('a source of rows', () => {
  it('C80: gives only what is new by its cursor', async () => {
    const folder = newFolder()
    const [from, into] = [join(folder, 'in.db'), join(folder, 'out.db')]
    makeTable(from)
    const job = pipeline('copy', {
      from: () => sqliteSource<{ id: number }>(from, { table: 't', cursor: 'id' }),
      into: () => sqliteSink<{ id: number }>(into, { table: 't', key: ['id'] }),
    })
    const load = async () => (await (await startPipeline(job)).done).run.read
    const db = new DatabaseSync(from)
    deepEqual([await load(), await load()], [2500, 0])
    db.exec("insert into t values (9007199254740995, 'far', null, null)")
    deepEqual(await load(), 1)
    db.exec("insert into t values (9007199254740997, 'further', null, null)")
    deepEqual([await load(), await load()], [1, 0])
    db.close()
    rmSync(folder, { recursive: true })
  })

  /** Ids that a run gives from a position on, and the position after them. */
  const idsOf = async (path: string, options: SqliteSourceOptions, from?: Position, reads = 1000) => {
    const reader = await sqliteSource<{ id: number }>(path, options).open({ id: '' }, from)
    const ids: number[] = []
    for (const entry of (await readEntries(reader, reads)) ?? []) if (entry.kind === 'event') ids.push(entry.value.id)
    const position = JSON.parse(JSON.stringify(reader.position())) as Position
    await reader.close()
    return [ids, position] as const
  }
  const made = (sql: string) => {
    const path = join(newFolder(), 'in.db')
    const db = new DatabaseSync(path)
    db.exec(sql)
    return [path, (more: string) => db.exec(more)] as const
  }

  it('R4: SQLite takes a query with a semicolon, comments, or both, and one of them', async () => {
    const [path] = made('create table t (id integer); insert into t values (1)')
    for (const query of [
      'select id from t;',
      'select id from t -- all',
      'select id from t; -- all',
      "select id, ';' from [t] /* ; */ ;;",
      'select id from t /* open',
      'with x as (select 1 as id) select * from x;',
      'values (1);',
    ]) {
      equal((await idsOf(path, { query }))[0].length, 1, query)
    }
    for (const query of ['select 1; select 2', 'select 1); delete from t; select (2', ' ;-- no', '']) {
      throws(() => sqliteSource(path, { query }), { code: 'CONFIG_INVALID' })
    }
  })

  it('R10: SQLite gives rows of one cursor value that came later, and each of them once', async () => {
    const [path, execute] = made('create table t (id integer, n); insert into t values (1, 1), (2, 1), (3, 2)')
    const options = { table: 't', cursor: 'n' }
    const [, first] = await idsOf(path, options)
    execute("insert into t values (4, 2), (5, 2.0), (6, 3), (7, 1), (8, 'a')")
    const [ids, second] = await idsOf(path, options, first)
    deepEqual(ids.toSorted(), [4, 5, 6, 8])
    execute("insert into t values (9, 'a'), (10, 'B')")
    deepEqual((await idsOf(path, options, second))[0], [9])
    deepEqual((await idsOf(path, options, { rows: 4, cursor: 'n', after: 2 }))[0], [6, 10, 8, 9])
    execute('insert into t values (11, null)')
    await rejects(idsOf(path, options), { code: 'CONFIG_INVALID', message: /never null, and there is a null/ })
    await rejects(idsOf(path, { table: 't', cursor: 'no' }), { code: 'SOURCE_UNREADABLE', message: /no such column/ })
  })

  it('R10: SQLite stops and goes on among rows of one cursor value, of every kind', async () => {
    for (const cursor of [
      'id / 9',
      "char(65 + id / 9) || ''",
      'id / 9 * 0.5',
      'cast(char(65 + id / 9) as blob)',
      'id / 9 + 9007199254740993',
      '(id / 9) * 9e307 * 2',
    ]) {
      const [path, execute] = made('create table t (id integer, c text collate nocase)')
      execute(
        `create table u as select id, ${cursor} as c from (with recursive g (id) as (select 1 union all select id + 1 from g where id < 99) select * from g)`,
      )
      let from: Position | undefined
      const all: number[] = []
      for (let runs = 0; runs < 25; runs += 1) {
        const [some, position] = await idsOf(path, { table: 'u', cursor: 'c' }, from, 4)
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

  it('R13: SQLite looks back, by numbers and by texts of moments', async () => {
    const [path] = made(`create table t (id integer, at text, day text); insert into t
      select id, strftime('%Y-%m-%dT%H:%M:%fZ', 1767225600 + id * 60, 'unixepoch'), date(1767225600 + id * 86400, 'unixepoch')
      from (with recursive g (id) as (select 1 union all select id + 1 from g where id < 20) select * from g)`)
    for (const [cursor, lookBack] of [
      ['id', 2],
      ['at', '2m'],
      ['day', '2d'],
    ] as const) {
      const options = { table: 't', cursor, lookBack }
      const [, position] = await idsOf(path, options)
      deepEqual((await idsOf(path, options, position))[0], [18, 19, 20], cursor)
    }
    const [, position] = await idsOf(path, { table: 't', cursor: 'id' })
    await rejects(idsOf(path, { table: 't', cursor: 'id', lookBack: '2m' }, position), { code: 'CONFIG_INVALID' })
  })

  it('R13: a pipeline that looks back takes a sink that overwrites, and finds rows that came late', async () => {
    const [from, execute] = made('create table t (id integer primary key, v text); insert into t values (1, 1), (3, 3)')
    const into = join(newFolder(), 'out.db')
    const job = (key: readonly ['id'] | undefined) =>
      pipeline('copy', {
        from: () => sqliteSource<{ id: number }>(from, { table: 't', cursor: 'id', lookBack: 5 }),
        into: () => sqliteSink<{ id: number }>(into, { table: 't', ...(key === undefined ? {} : { key }) }),
      })
    await rejects(startPipeline(job(undefined)), {
      code: 'CONFIG_INVALID',
      message: /^Cannot run pipeline copy: table t in .* looks back at rows .* has no key .*: give the sink a key/,
    })
    await (await startPipeline(job(['id']))).done
    execute('insert into t values (2, 2), (4, 4)')
    await (await startPipeline(job(['id']))).done
    const db = new DatabaseSync(into)
    deepEqual(
      db
        .prepare('select id from t order by id')
        .all()
        .map(({ id }) => id),
      [1, 2, 3, 4],
    )
    db.close()
  })

  it('R14: SQLite, without a cursor, says that rows before the position are not as they were', async () => {
    const [path, execute] = made('create table t (id integer); insert into t values (1), (2), (3), (4), (5)')
    const [, position] = await idsOf(path, { table: 't' })
    const again = await sqliteSource(path, { table: 't' }).open({ id: 't' }, position)
    equal(again.note, 'there are no new rows; without a cursor, changed rows are not seen')
    await again.close()
    execute('insert into t values (6)')
    deepEqual((await idsOf(path, { table: 't' }, position))[0], [6])
    execute('delete from t where id = 1')
    await rejects(idsOf(path, { table: 't' }, position), { code: 'POSITION_LOST', message: /row 5 is not the one/ })
    execute('delete from t where id > 2')
    await rejects(idsOf(path, { table: 't' }, position), { code: 'POSITION_LOST', message: /fewer than 5 rows now/ })
  })

  it('R20: SQLite waits for a file that is locked', async () => {
    const [path, execute] = made('create table t (id integer); insert into t values (1)')
    execute('begin exclusive')
    await rejects(idsOf(path, { table: 't', retryMs: 0 }), { code: 'SOURCE_UNREADABLE', message: /locked/ })
    const waiting = idsOf(path, { table: 't' })
    execute('insert into t values (2)')
    execute('commit')
    deepEqual((await waiting)[0], [1, 2])
  })

  it('says what is not there, what is no Parquet, and what was read by another column', async () => {
    const folder = newFolder()
    const path = join(folder, 'in.db')
    const failsWith = (code: string) => (error: unknown) => isSluiceError(error) && error.code === code
    await rejects(sqliteSource(path, { table: 't' }).open({ id: 't' }, undefined), failsWith('SOURCE_MISSING'))
    makeTable(path)
    await rejects(sqliteSource(path, { table: 'no' }).open({ id: 't' }, undefined), failsWith('SOURCE_UNREADABLE'))
    await rejects(
      sqliteSource(path, { table: 't', cursor: 'id' }).open({ id: 't' }, { rows: 5 }),
      failsWith('POSITION_LOST'),
    )
    writeFileSync(join(folder, 'a.parquet'), 'PAR1 no PAR1')
    await rejects(parquetSource(join(folder, 'a.parquet')).splits(), failsWith('SOURCE_CORRUPT'))
    rmSync(folder, { recursive: true })
  })
})
