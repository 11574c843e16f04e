import { deepEqual, equal, rejects } from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { SluiceError } from '../src/base/errors.ts'
import { type Batch, batchOf } from '../src/connect/batch.ts'
import { fanOut } from '../src/connect/fan-out/sink.ts'
import type { Sink, SinkWriter } from '../src/connect/sink.ts'
import { NO_TOTALS } from '../src/connect/totals.ts'
import { missingPostgres } from './support/postgres.ts'
import { type SqlSink, SqlSinks } from './support/sql-sinks.ts'

interface Row {
  readonly to: 'orders' | 'items'
  readonly id: unknown
}

describe('a branch in the database of the first sink', { skip: missingPostgres() }, () => {
  let sinks: SqlSinks
  const folder = mkdtempSync(join(tmpdir(), 'sluice-joined-'))
  let spools = 0
  before(async () => {
    sinks = await SqlSinks.start()
  })
  after(async () => {
    await sinks.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const everywhere = (name: string, check: (at: SqlSink) => Promise<void>): void => {
    for (const database of ['SQLite', 'PostgreSQL', 'DuckDB'] as const) {
      it(`${name} (${database})`, async () => {
        const at = { SQLite: () => sinks.sqlite(), PostgreSQL: () => sinks.postgres(), DuckDB: () => sinks.duckdb() }
        await check(await at[database]())
      })
    }
  }

  const tableOf = (at: SqlSink, table: string): Sink<unknown> =>
    at.sink({ table, columns: { id: 'integer' }, key: ['id'] })

  /** Orders into one table, items into another. */
  const sinkOf = (
    at: SqlSink,
    { items = tableOf(at, 'items'), spool }: { items?: Sink<unknown>; spool?: string } = {},
  ) =>
    fanOut<Row>(tableOf(at, 'orders') as Sink<Row>, {
      ...(spool === undefined ? {} : { spool }),
      where: ({ to }) => to === 'orders',
      branches: { items: { into: items as Sink<never>, where: ({ to }) => to === 'items', map: ({ id }) => ({ id }) } },
    })

  let line = 0
  const rows = (...given: readonly (readonly [Row['to'], unknown])[]): Batch<Row> => {
    const from = line
    line += given.length
    const at = (index: number) => ({ source: 'a.log', line: 0, offset: from + index, raw: String(from + index) })
    return batchOf(
      given.map(([to, id]) => ({ to, id })),
      { at },
    )
  }

  const commit = async (writer: SinkWriter<Row>, epoch: number): Promise<void> => {
    await writer.commit({ epoch, positions: new Map([['a.log', epoch]]), states: new Map(), totals: NO_TOTALS })
  }

  const idsIn = async (at: SqlSink, table: string): Promise<number[]> =>
    (await at.read(`select id from ${table} order by id`)).map(({ id }) => Number(id))

  everywhere(
    'C44: is written in the same transaction: both tables have the rows of an epoch, or neither',
    async (at) => {
      for (const [epoch, doCommit] of [
        [1, true],
        [2, false],
        [2, true],
      ] as const) {
        const writer = await sinkOf(at).open({ pipeline: 'shop' })
        equal(writer.checkpoint?.epoch ?? 0, epoch - 1)
        deepEqual(await writer.write(rows(['orders', epoch], ['items', epoch * 10], ['items', epoch * 10 + 1])), [])
        deepEqual(await writer.write(rows(['orders', epoch + 100], ['items', epoch * 10])), [])
        if (doCommit) await commit(writer, epoch)
        await writer.close()
        const done = doCommit ? epoch : epoch - 1
        const all = Array.from({ length: done }, (_, i) => i + 1)
        deepEqual(await idsIn(at, 'orders'), [...all, ...all.map((n) => n + 100)])
        deepEqual(
          await idsIn(at, 'items'),
          all.flatMap((n) => [n * 10, n * 10 + 1]),
        )
      }
      const [kept] = await at.read(`select epoch, totals from sluice_checkpoints where pipeline = 'shop.items'`)
      deepEqual([kept?.epoch, JSON.parse(kept?.totals ?? '').loaded], ['2', 6])
    },
  )

  everywhere('C44: keeps what it refuses as letters of its own, in the same transaction', async (at) => {
    const sink = sinkOf(at)
    const notes: string[] = []
    const writer = await sink.open({ pipeline: 'shop', onNote: (note) => notes.push(note) })
    const refused = await writer.write(rows(['orders', 1], ['items', 'none'], ['orders', 'none'], ['items', 2]))
    equal(refused.length, 1)
    await writer.writeDeadLetters(refused)
    await commit(writer, 1)
    await writer.close()
    deepEqual(await at.read('select pipeline, count(*) as n from dead_letters group by pipeline order by pipeline'), [
      { pipeline: 'shop', n: '1' },
      { pipeline: 'shop.items', n: '1' },
    ])
    deepEqual(notes, ['branch items rejected 1 of 2 rows'])
    deepEqual(await idsIn(at, 'items'), [2])
  })

  everywhere('C44: has constraints of its own, which refuse its own rows', async (at) => {
    for (const [table, most] of [
      ['orders', 100],
      ['items', 1000],
    ] as const) {
      await at.execute(`create table ${table} (id bigint primary key check (id < ${most}))`)
    }
    const writer = await sinkOf(at).open({ pipeline: 'shop' })
    for (const turn of [0, 1]) {
      const refused = await writer.write(rows(['orders', 99], ['items', 999], ['orders', 100 + turn], ['items', 1000]))
      equal(refused.length, 1)
      await writer.writeDeadLetters(refused)
    }
    await commit(writer, 1)
    await writer.close()
    deepEqual([await idsIn(at, 'orders'), await idsIn(at, 'items')], [[99], [999]])
    deepEqual(await at.read('select pipeline, count(*) as n from dead_letters group by pipeline order by pipeline'), [
      { pipeline: 'shop', n: '2' },
      { pipeline: 'shop.items', n: '2' },
    ])
  })

  everywhere('C30, C44: is held with the pipeline, and let go with it', async (at) => {
    const sink = sinkOf(at)
    const writer = await sink.open({ pipeline: 'shop' })
    await writer.renewLease?.()
    await rejects(async () => await tableOf(at, 'items').open({ pipeline: 'shop.items' }), { code: 'PIPELINE_HELD' })
    await writer.write(rows(['items', 1]))
    await writer.renewLease?.()
    await commit(writer, 1)
    await writer.close()
    deepEqual(await at.read('select pid from sluice_leases'), [{ pid: '0' }, { pid: '0' }])
    const inspector = await sink.inspect?.('shop')
    await inspector?.reset({ deadLetters: true })
    await inspector?.close()
    deepEqual(await at.read('select pipeline from sluice_checkpoints'), [])
  })

  everywhere('C44: that had rows in files takes them first, and then needs none', async (at) => {
    spools += 1
    const spool = join(folder, String(spools))
    const { database: _, locks: __, ...items } = tableOf(at, 'items')
    const away = async (): Promise<never> => {
      throw new SluiceError('SINK_LOST', 'it is away', { sink: 'items', reason: 'it is away' })
    }
    const before = await sinkOf(at, { spool, items: { ...items, open: away } }).open({ pipeline: 'shop' })
    await before.write(rows(['orders', 1], ['items', 10]))
    await commit(before, 1)
    await before.close()
    equal(readdirSync(spool).length, 1)
    const writer = await sinkOf(at, { spool }).open({ pipeline: 'shop' })
    deepEqual(await idsIn(at, 'items'), [10])
    await writer.write(rows(['orders', 2], ['items', 20]))
    await commit(writer, 2)
    await writer.close()
    deepEqual(readdirSync(spool), [])
    const later = await sinkOf(at).open({ pipeline: 'shop' })
    await later.write(rows(['items', 30]))
    await commit(later, 3)
    await later.close()
    deepEqual(
      [await idsIn(at, 'orders'), await idsIn(at, 'items')],
      [
        [1, 2],
        [10, 20, 30],
      ],
    )
  })
})
