import { deepEqual, equal, rejects, throws } from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { isSluiceError } from '../../../base/errors.ts'
import { loadRows } from '../../../testing/load-rows.ts'
import { rowsIn } from '../../../testing/rows-in.ts'
import { batchOfTracked } from '../../batch.ts'
import { type Tracked, tracked } from '../../origin.ts'
import { NO_TOTALS } from '../../totals.ts'
import { type SqliteSinkOptions, sqliteSink } from '../sink.ts'

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-sqlite-'))
  path = join(folder, 'out.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A row made from the record at an offset. */
function event(value: unknown, offset = 0): Tracked<unknown> {
  return tracked(value, { source: 'a.log', line: offset + 1, offset, raw: String(offset) })
}

const load = (options: SqliteSinkOptions, ...batches: readonly (readonly unknown[])[]) =>
  loadRows(sqliteSink(path, options), batches)

const query = (sql: string) => rowsIn(path, sql)

function execute(sql: string): void {
  const database = new DatabaseSync(path)
  database.exec(sql)
  database.close()
}

describe('the table of sqlite', () => {
  it('and its columns can have any name', async () => {
    execute('create table y (a); insert into y values (1)')
    const row = { 'x"; drop table y; --': 1, select: 2, 'a b': 3, Ü: 4, '?1': 5 }
    await load({ table: 'x"; drop table y; --', deadLetters: 'order by' }, [row])
    deepEqual(query('select * from "x""; drop table y; --"'), [{ ...row, _source: 'a.log', _offset: 0, _part: 0 }])
    deepEqual(query('select a from y'), [{ a: 1 }])
    deepEqual(query('select count(*) as n from "order by"'), [{ n: 0 }])
  })

  it('is refused names that cannot be, in columns that rows bring along', async () => {
    await rejects(load({ table: 't' }, [{ '': 1 }]), (error) => isSluiceError(error, 'CONFIG_INVALID'))
    await rejects(load({ table: 't' }, [{ 'a\0': 1 }]), (error) => isSluiceError(error, 'CONFIG_INVALID'))
    await rejects(load({ table: 't' }, [{ a: 1, A: 2 }]), (error) => isSluiceError(error, 'CONFIG_INVALID'))
  })

  it('may be there with more columns, which are left alone', async () => {
    execute("create table t (more text default 'kept', ID integer primary key, n text)")
    await load({ table: 't', key: ['id'] }, [{ id: 1, n: 'a' }])
    deepEqual(query('select * from t'), [{ more: 'kept', ID: 1, n: 'a' }])
  })

  const misfit = (found: string) => (error: unknown) =>
    isSluiceError(error, 'SINK_MISMATCH') && error.message.includes(found) && error.message.includes(path)

  it('is a mismatch where columns are missing', async () => {
    execute('create table t (id integer primary key)')
    const columns = { id: 'integer', a: 'text', b: 'text' } as const
    await rejects(load({ table: 't', columns, key: ['id'] }), misfit('it has no column a, b'))
  })

  it('is a mismatch where a column would change what is stored in it', async () => {
    execute('create table t (id integer primary key, a varchar(9), b numeric)')
    const key = ['id']
    await rejects(load({ table: 't', columns: { id: 'integer', a: 'integer' }, key }), misfit('its column a is text'))
    await rejects(load({ table: 't', columns: { id: 'integer', b: 'bytes' }, key }), misfit('its column b is numeric'))
  })

  it('is a mismatch where its key is not unique', async () => {
    execute('create table t (id integer, n text)')
    const columns = { id: 'integer', n: 'text' } as const
    const unfit = misfit('it has no primary key or unique index of exactly id')
    await rejects(load({ table: 't', columns, key: ['id'] }), unfit)
    execute('create unique index both on t (id, n); create unique index some on t (id) where n is not null')
    await rejects(load({ table: 't', columns, key: ['id'] }), unfit)
    execute('create unique index one on t (ID)')
    await load({ table: 't', columns, key: ['id'] }, [{ id: 1, n: 'a' }])
    deepEqual(query('select * from t'), [{ id: 1, n: 'a' }])
  })

  it('stores into columns without a type what comes, as it is', async () => {
    execute('create table t (id primary key, a)')
    await load({ table: 't', columns: { id: 'integer', a: 'text' }, key: ['id'] }, [{ id: 5, a: '07' }])
    deepEqual(query('select id, typeof(id) as type, a from t'), [{ id: 5, type: 'integer', a: '07' }])
  })

  it('refuses rows by its own constraints, wherever in a batch they are', async () => {
    const kinds = {
      'n integer unique': [{ n: 1 }, 'UNIQUE constraint failed: t.n'],
      'n integer unique on conflict ignore': [{ n: 1 }, 'UNIQUE constraint failed: t.n'],
      'n integer unique on conflict rollback': [{ n: 1 }, 'UNIQUE constraint failed: t.n'],
      'n integer check (n < 1000)': [{ n: 1000 }, 'CHECK constraint failed: n < 1000'],
      'n integer not null': [{ n: null }, 'NOT NULL constraint failed: t.n'],
      'n integer references other': [{ n: 4000 }, 'FOREIGN KEY constraint failed'],
    } as const
    for (const [definition, [bad, message]] of Object.entries(kinds)) {
      for (const places of [[0], [17], [39], [0, 1, 20, 39]]) {
        rmSync(path, { force: true })
        execute(
          `create table other (n integer primary key);
           with recursive numbers (n) as (select 1 union all select n + 1 from numbers where n < 2000)
           insert into other select n from numbers;
           create table t (id integer primary key, ${definition}); insert into t values (-1, 1)`,
        )
        const rows = Array.from({ length: 40 }, (_, id) => ({ id, n: id + 100, ...(places.includes(id) ? bad : {}) }))
        const reasons = await load({ table: 't', columns: { id: 'integer', n: 'integer' }, key: ['id'] }, rows)
        deepEqual(
          reasons,
          places.map(() => `table t rejects the row: ${message}`),
        )
        const left = rows.filter(({ id }) => !places.includes(id)).map(({ id }) => ({ id }))
        deepEqual(query('select id from t where id >= 0 order by id'), left)
      }
    }
  })

  it('stops the run when a trigger of it rolls everything back', async () => {
    execute(`create table t (id integer primary key);
      create trigger no before insert on t when new.id = 3 begin select raise(rollback, 'not three'); end`)
    await rejects(load({ table: 't', key: ['id'] }, [{ id: 1 }], [{ id: 3 }], [{ id: 4 }]), misfit('not three'))
    deepEqual(query('select id from t'), [])
  })

  it('stops the run when a column of it goes away meanwhile', async () => {
    const writer = await sqliteSink<unknown>(path, { table: 't', columns: { id: 'integer', n: 'text' } }).open({
      pipeline: 'test',
    })
    execute('alter table t drop column n')
    throws(() => writer.write(batchOfTracked([event({ id: 1 })])), misfit('has no column named n'))
    throws(
      () => writer.commit({ epoch: 1, positions: new Map(), states: new Map(), totals: NO_TOTALS }),
      misfit('has no column named n'),
    )
    await writer.close()
  })
})

describe('the file of sqlite', () => {
  const failsWith = (code: 'STORAGE_FAILED' | 'SINK_MISMATCH', found: string) => (error: unknown) =>
    isSluiceError(error, code) && error.message.includes(found)

  it('needs a folder that is there', async () => {
    path = join(folder, 'none', 'out.db')
    await rejects(load({ table: 't' }), failsWith('STORAGE_FAILED', 'there is no folder'))
    equal(existsSync(join(folder, 'none')), false)
  })

  it('cannot be a folder', async () => {
    path = folder
    await rejects(load({ table: 't' }), failsWith('STORAGE_FAILED', 'it is a folder (EISDIR)'))
  })

  it('is a mismatch where it is no database, and stays as it is', async () => {
    writeFileSync(path, 'a,b\n1,2\n')
    await rejects(load({ table: 't' }), failsWith('SINK_MISMATCH', 'the file is not an SQLite database'))
    deepEqual(readdirSync(folder), ['out.db'])
  })

  it('may have a name that SQLite would take for a URI', async () => {
    const before = process.cwd()
    process.chdir(folder)
    try {
      path = 'file:x?mode=memory'
      await load({ table: 't' }, [{ a: 1 }])
      deepEqual(readdirSync(folder), ['file:x?mode=memory'])
    } finally {
      process.chdir(before)
    }
  })

  it('is alone in its folder after the end', async () => {
    await load({ table: 't' }, [{ a: 1 }])
    deepEqual(readdirSync(folder), ['out.db'])
  })
})
