import { deepEqual, ok, rejects } from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { isSluiceError, parquet, pipeline, type Source, sqlite, sqliteQuery, startPipeline, values } from 'sluice'
import { sourceConformance } from 'sluice/testing'
import { parquetEncoder } from '../src/connect/parquet/write.ts'
import { ROOT } from './support/project.ts'

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
    const expected = rows.map(({ id, name }) => ({ id: BigInt(id), name }))
    return {
      source: parquet(join(folder, '*.parquet')) as Source<unknown>,
      expected,
      cleanup: () => rmSync(folder, { recursive: true }),
    }
  },
})

sourceConformance({ name: 'values', make: () => ({ source: values([5, 6, 7, 8]), expected: [5, 6, 7, 8] }) })

const data = join(ROOT, '..', 'shared', 'data', 'parquet')
const skip = existsSync(data) ? false : `no ${data}`

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

  it('reads Parquet files of others, and says of broken ones that they are', { skip }, async () => {
    /** Rows of a file, or why it cannot be read. */
    const rowsOf = async (path: string): Promise<number | string> => {
      try {
        const source = parquet(path)
        let rows = 0
        for (const split of await source.splits()) {
          const reader = await source.open(split, undefined)
          for (let read = await reader.read(1000); read !== undefined; read = await reader.read(1000))
            rows += read.length
          await reader.close()
        }
        return rows
      } catch (error) {
        ok(isSluiceError(error, 'SOURCE_CORRUPT'), `${path}: ${error}`)
        return error.message
      }
    }
    const files = readdirSync(data).filter((name) => name.endsWith('.parquet'))
    const read = await Promise.all(files.map((name) => rowsOf(join(data, name))))
    ok(read.filter((rows) => typeof rows === 'number' && rows > 0).length >= 8, read.join('\n'))
    for (const name of readdirSync(join(data, 'bad')).filter((one) => one.endsWith('.parquet'))) {
      await rowsOf(join(data, 'bad', name))
    }
  })
})
