import { deepEqual, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { isSluiceError, parquet, pipeline, type Source, sqlite, sqliteQuery, startPipeline, values } from 'sluice'
import { sourceConformance } from 'sluice/testing'
import { parquetEncoder } from '../src/connect/parquet/write.ts'

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
  ['sqliteQuery by a cursor', { table: 't', cursor: 'id' }],
  ['sqliteQuery by number', { query: 'select * from t order by id' }],
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
        source: sqliteQuery(path, options) as Source<unknown>,
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
    encoder.add(rows)
    writeFileSync(join(folder, 'a.parquet'), await encoder.finish())
    const expected = rows
    return {
      source: parquet(join(folder, '*.parquet')) as Source<unknown>,
      expected,
      cleanup: () => rmSync(folder, { recursive: true }),
    }
  },
})

sourceConformance({ name: 'values', make: () => ({ source: values([5, 6, 7, 8]), expected: [5, 6, 7, 8] }) })

describe('a source of rows', () => {
  it('gives only what is new by its cursor', async () => {
    const folder = newFolder()
    const [from, into] = [join(folder, 'in.db'), join(folder, 'out.db')]
    makeTable(from)
    const job = pipeline('copy', {
      from: () => sqliteQuery<{ id: number }>(from, { table: 't', cursor: 'id' }),
      into: () => sqlite<{ id: number }>(into, { table: 't', key: ['id'] }),
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

  it('says what is not there, what is no Parquet, and what was read by another column', async () => {
    const folder = newFolder()
    const path = join(folder, 'in.db')
    const failsWith = (code: string) => (error: unknown) => isSluiceError(error) && error.code === code
    await rejects(sqliteQuery(path, { table: 't' }).open({ id: 't' }, undefined), failsWith('SOURCE_MISSING'))
    makeTable(path)
    await rejects(sqliteQuery(path, { table: 'no' }).open({ id: 't' }, undefined), failsWith('SOURCE_UNREADABLE'))
    await rejects(
      sqliteQuery(path, { table: 't', cursor: 'id' }).open({ id: 't' }, { rows: 5 }),
      failsWith('POSITION_LOST'),
    )
    writeFileSync(join(folder, 'a.parquet'), 'PAR1 no PAR1')
    await rejects(parquet(join(folder, 'a.parquet')).splits(), failsWith('SOURCE_CORRUPT'))
    rmSync(folder, { recursive: true })
  })
})
