import { deepEqual, equal, rejects } from 'node:assert/strict'
import { copyFileSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import {
  csvSink,
  isSluiceError,
  parquetSink,
  parquetSource,
  pipeline,
  type Sink,
  sqliteSink,
  startPipeline,
} from 'sluice'
import { duckdbRows, writeParquet } from './support/parquet.ts'

let folder = ''
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-parquet-'))
})
after(() => rmSync(folder, { recursive: true }))

const at = (name: string): string => join(folder, name)

/** Loads files into a sink; gives how many rows were read, loaded and refused. */
async function load(name: string, files: string, into: Sink<Record<string, unknown>>): Promise<number[]> {
  const job = pipeline(name, { from: () => parquetSource(files), into: () => into })
  const { read, loaded, dead } = (await (await startPipeline(job)).done).run
  return [read, loaded, dead]
}

const numbers = (name: string, from: number, to: number): Promise<void> =>
  writeParquet(at(name), `select i::int id from range(${from}, ${to}) t(i)`, 'row_group_size 2048')

describe('a Parquet file that is found again', () => {
  it('P13: has nothing new while it is the same', async () => {
    await numbers('same.parquet', 0, 3000)
    const into = sqliteSink<Record<string, unknown>>(at('same.db'), { table: 't' })
    deepEqual(await load('same', at('same.parquet'), into), [3000, 3000, 0])
    deepEqual(await load('same', at('same.parquet'), into), [0, 0, 0])
  })

  for (const [what, from, to] of [
    ['as many rows', 5000, 8000],
    ['more row groups', 5000, 15000],
    ['fewer row groups', 5000, 5010],
    ['no rows', 0, 0],
  ] as const) {
    it(`F42, P13: is refused when it was replaced by one of ${what}`, async () => {
      const name = `replaced-${from}-${to}`
      await numbers(`${name}.parquet`, 0, 3000)
      const into = sqliteSink<Record<string, unknown>>(at(`${name}.db`), { table: 't' })
      await load(name, at(`${name}.parquet`), into)
      await numbers(`${name}.parquet`, from, to)
      await rejects(load(name, at(`${name}.parquet`), into), (error) => {
        return (
          isSluiceError(error, 'POSITION_LOST') &&
          /Cannot resume ".*" from row \d+: (it is|the file)/.test(error.message)
        )
      })
      const db = new DatabaseSync(at(`${name}.db`))
      deepEqual(db.prepare('select count(*) n, max(id) most from t').all().map(Object.values), [[3000, 2999]])
      db.close()
    })
  }

  it('P13: is the same file under another name, and a copy is another one', async () => {
    mkdirSync(at('names'))
    const name = (file: string) => join(at('names'), file)
    await numbers(join('names', 'b.parquet'), 0, 3000)
    const into = sqliteSink<Record<string, unknown>>(at('names.db'), { table: 't' })
    const all = join(at('names'), '*.parquet')
    deepEqual(await load('names', all, into), [3000, 3000, 0])
    linkSync(name('b.parquet'), name('a.parquet'))
    deepEqual(await load('names', all, into), [0, 0, 0])
    rmSync(name('b.parquet'))
    deepEqual(await load('names', all, into), [0, 0, 0])
    renameSync(name('a.parquet'), name('c.parquet'))
    deepEqual(await load('names', all, into), [0, 0, 0])
    copyFileSync(name('c.parquet'), name('d.parquet'))
    deepEqual(await load('names', all, into), [3000, 3000, 0])
  })

  it('P13: is refused with a position that says only how many rows were read', async () => {
    await numbers('number.parquet', 0, 10)
    const source = parquetSource(at('number.parquet'))
    const [split] = await source.splits()
    await rejects(source.open(split as { id: string }, 4), /from row 4: the checkpoint is of an earlier version/)
  })

  it('P13: is refused when it is replaced while it is read', async () => {
    await numbers('meanwhile.parquet', 0, 5000)
    const source = parquetSource(at('meanwhile.parquet'))
    const splits = await source.splits()
    await (await source.open(splits[0] as { id: string }, undefined)).close()
    await numbers('meanwhile.parquet', 5000, 10000)
    await rejects(source.open(splits[1] as { id: string }, undefined), /it was replaced since the run began/)
  })
})

/** What DuckDB reads back of the part files in a folder. */
const readBack = (parts: string, ending: string) =>
  duckdbRows(
    `select count(*)::int n, sum(discount) total, any_value(typeof(discount)) as type from '${parts}/*.${ending}'`,
  )

describe('the columns of a Parquet file', () => {
  it('P14: reach the sink: a column of floating point that begins with whole numbers', async () => {
    const query = 'select i::int id, if(i < 6000, 0.0, 0.5)::double discount from range(6200) t(i)'
    await writeParquet(at('discount.parquet'), query)
    deepEqual(await load('a', at('discount.parquet'), parquetSink(at('parts'))), [6200, 6200, 0])
    deepEqual(await readBack(at('parts'), 'parquet'), [{ n: 6200, total: 100, type: 'DOUBLE' }])
    deepEqual(await load('b', at('discount.parquet'), csvSink(at('csv'))), [6200, 6200, 0])
    deepEqual(await load('c', at('discount.parquet'), sqliteSink(at('discount.db'), { table: 't' })), [6200, 6200, 0])
    const db = new DatabaseSync(at('discount.db'))
    equal(db.prepare('select typeof(discount) type from t').get()?.type, 'real')
    db.close()
  })

  it('P14: reach the sink where the first rows have nothing in them', async () => {
    await writeParquet(
      at('late.parquet'),
      `select i::int id, if(i < 3000, null, i)::bigint n, null::varchar s,
      [i] l, '\\xff'::blob b, 1.10::decimal(4,2) d, date '2024-02-29' t from range(3010) t(i)`,
    )
    deepEqual(await parquetSource(at('late.parquet')).findColumns?.(), {
      id: 'integer',
      n: 'integer',
      s: 'text',
      l: 'json',
      b: 'bytes',
      d: 'decimal',
      t: 'text',
    })
    deepEqual(await load('d', at('late.parquet'), sqliteSink(at('late.db'), { table: 't' })), [3010, 3010, 0])
    const db = new DatabaseSync(at('late.db'))
    deepEqual(
      { ...db.prepare('select n, s, l, hex(b) b, d, t from t where id = 3009').get() },
      {
        n: 3009,
        s: null,
        l: '[3009]',
        b: 'FF',
        d: '1.10',
        t: '2024-02-29',
      },
    )
    db.close()
  })

  it('P14: of several files are taken together', async () => {
    await writeParquet(at('several-1.parquet'), 'select 1 a, 1 b, 1 c')
    await writeParquet(at('several-2.parquet'), `select 1.5::double a, 'x' b, 1 d`)
    deepEqual(await parquetSource(at('several-*.parquet')).findColumns?.(), {
      a: 'real',
      b: 'json',
      c: 'integer',
      d: 'integer',
    })
    deepEqual(await load('e', at('several-*.parquet'), csvSink(at('several'))), [2, 2, 0])
    const parts = readdirSync(at('several')).filter((name) => name.endsWith('.csv'))
    equal(
      parts.map((part) => readFileSync(join(at('several'), part), 'utf8')).join(''),
      'a,b,c,d\r\n1,1,1,\r\n1.5,"""x""",,1\r\n',
    )
  })

  it('P2: a file with two columns of one name is refused', async () => {
    const { parquetWriteBuffer } = await import('hyparquet-writer')
    const { writeFileSync } = await import('node:fs')
    const columnData = [
      { name: 'a', data: [1], type: 'INT32' as const },
      { name: 'a', data: [2], type: 'INT32' as const },
    ]
    writeFileSync(at('twice.parquet'), new Uint8Array(parquetWriteBuffer({ columnData })))
    const source = parquetSource(at('twice.parquet'))
    const [split] = await source.splits()
    await rejects(source.open(split as { id: string }, undefined), /it has two columns a: a row cannot have both/)
  })
})
