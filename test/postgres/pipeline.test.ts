import { deepEqual, equal } from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { pipeline, startPipeline } from 'sluice'
import { postgresSink } from '../../src/connect/postgres/sink.ts'
import { postgresSource } from '../../src/connect/postgres/source.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'

const skip = missingPostgres()

interface Order {
  readonly id: number
  readonly amount: number
  readonly at: number
  readonly note: string | null
}

describe('a pipeline from PostgreSQL into PostgreSQL', { skip }, () => {
  let server: PostgresServer

  before(async () => {
    server = await PostgresServer.start()
  })
  after(() => server.stop())

  it('loads what is there, then what is new, and nothing twice', async () => {
    const shop = await server.createDatabase()
    const warehouse = await server.createDatabase()
    await server.query(
      shop,
      `create table orders (id int primary key, amount numeric(9, 2), at timestamptz, note text);
      insert into orders select n, n / 4.0, timestamptz '2026-01-01' + n * interval '1 s', 'order ' || n from generate_series(1, 5000) n`,
    )
    const columns = { id: 'integer', amount: 'real', at: 'time', note: 'text' } as const
    const job = pipeline('orders', {
      params: {},
      from: () => postgresSource<Order>(server.url(shop), { table: 'orders', cursor: 'id', columns }),
      flow: (orders) => orders.filter((order) => order.id % 10 !== 0),
      into: () => postgresSink<Order>(server.url(warehouse), { table: 'sales' }),
    })
    const run = async () => await (await startPipeline(job, { epochEvents: 700 })).done
    const first = await run()
    equal(first.sink, `table sales in 127.0.0.1:${server.port}/${warehouse}`)
    deepEqual([first.run.read, first.run.loaded, first.run.filtered], [5000, 4500, 500])
    await server.query(shop, `insert into orders values (5001, 1, '2026-02-01', null), (5010, 1, '2026-02-01', null)`)
    const second = await run()
    deepEqual([second.run.read, second.run.loaded, second.overall.loaded], [2, 1, 4501])
    const sum = 'count(*)::int as n, count(distinct id)::int as d, sum(amount)::float8 as amount, max(at) as at'
    deepEqual(
      await server.query(warehouse, `select ${sum} from sales`),
      await server.query(shop, `select ${sum} from orders where id % 10 <> 0`),
    )
  })

  it('buries what the table refuses beside the rows', async () => {
    const database = await server.createDatabase()
    await server.query(database, 'create table even (n bigint check (n % 2 = 0))')
    const job = pipeline('numbers', {
      params: {},
      from: () =>
        postgresSource<{ n: number }>(server.url(database), { query: 'select n from generate_series(1, 100) n' }),
      flow: (numbers) => numbers,
      into: () => postgresSink<{ n: number }>(server.url(database), { table: 'even' }),
    })
    const report = await (await startPipeline(job)).done
    deepEqual([report.run.loaded, report.run.dead], [50, 50])
    const [letter] = await server.query(
      database,
      'select step, reason, raw, "offset"::int from dead_letters order by "offset" limit 1',
    )
    deepEqual(letter, {
      step: 'postgres',
      reason:
        'table even rejects the row: new row for relation "even" violates check constraint "even_n_check" (23514, constraint even_n_check)',
      raw: '{"n":"1"}',
      offset: 0,
    })
  })
})
