import { deepEqual, equal } from 'node:assert/strict'
import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import pg from 'pg'
import { batchOf } from '../../src/connect/batch.ts'
import { postgresSink } from '../../src/connect/postgres/sink.ts'
import { NO_TOTALS } from '../../src/connect/totals.ts'
import { programOf, ServerProcess, without } from '../support/brokers.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'

const skip = missingPostgres() || without('pgbouncer')
const NOBODY = 65_534

describe('a PostgreSQL sink behind a pooler that shares sessions by transaction', { skip }, () => {
  let server: PostgresServer
  let pooler: ServerProcess
  let database = ''
  const url = () => `postgres://postgres@127.0.0.1:${pooler.port}/${database}`

  before(async () => {
    server = await PostgresServer.start()
    database = await server.createDatabase()
    pooler = await ServerProcess.start(({ port, folder }) => {
      writeFileSync(join(folder, 'users'), '"postgres" ""\n')
      writeFileSync(
        join(folder, 'pool.ini'),
        `[databases]\n* = host=127.0.0.1 port=${server.port}\n[pgbouncer]\nlisten_addr=127.0.0.1\nlisten_port=${port}\n` +
          `auth_type=trust\nauth_file=${join(folder, 'users')}\npool_mode=transaction\ndefault_pool_size=4\n` +
          `unix_socket_dir=\n`,
      )
      // As root it does not run.
      const asNobody = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
      for (const path of [folder, join(folder, 'users'), join(folder, 'pool.ini')]) {
        if (asNobody.length > 0) chownSync(path, NOBODY, NOBODY)
      }
      return [programOf('pgbouncer') as string, ...asNobody, join(folder, 'pool.ini')]
    })
  })
  after(async () => {
    await pooler?.stop()
    await server?.stop()
  })

  /** Holds a session of the pool, so that the next transaction gets another one. */
  const held = async (): Promise<pg.Client> => {
    const client = new pg.Client({ connectionString: url() })
    await client.connect()
    await client.query('begin')
    return client
  }

  for (const key of [undefined, ['id']]) {
    it(`Q15: works in whatever session a transaction gets, and leaves nothing there (${key === undefined ? 'added' : 'by key'})`, async () => {
      const table = key === undefined ? 'added' : 'keyed'
      const columns = { id: 'integer', text: 'text' } as const
      const sink = postgresSink(url(), { table, columns, ...(key === undefined ? {} : { key }) })
      const writer = await sink.open({ pipeline: table })
      const others: pg.Client[] = []
      for (let epoch = 1; epoch <= 4; epoch += 1) {
        const rows = Array.from({ length: 50 }, (_, i) => ({
          id: i * (epoch % 2),
          text: i === 7 ? 'a\0b' : `${epoch}`,
        }))
        const at = (i: number) => ({ source: 'a', line: epoch * 100 + i, offset: epoch * 100 + i, raw: '' })
        const letters = await writer.write(batchOf(rows, { at }))
        equal(letters.length, 1)
        await writer.writeDeadLetters(letters)
        await writer.renewLease?.()
        await writer.commit({ epoch, positions: new Map([['a', epoch]]), states: new Map(), totals: NO_TOTALS })
        if (others.length < 2) others.push(await held())
      }
      await writer.close()
      for (const other of others) {
        const { rows } = await other.query(`select current_setting('synchronous_commit') as durable,
          (select count(*)::int from pg_class where relnamespace = pg_my_temp_schema()) as tables`)
        deepEqual(rows, [{ durable: 'on', tables: 0 }])
        await other.query('rollback')
        await other.end()
      }
      const [found] = await server.query(
        database,
        `select count(*)::int as n, count(distinct id)::int as ids from ${table}`,
      )
      deepEqual(found, key === undefined ? { n: 196, ids: 49 } : { n: 49, ids: 49 })
    })
  }

  it('Q15: ends no session of the pool when it takes a pipeline over', async () => {
    const sink = postgresSink(url(), { table: 'taken', columns: { id: 'integer' }, key: ['id'] })
    const first = await sink.open({ pipeline: 'taken', owner: 'run' })
    const other = await held()
    const second = await sink.open({ pipeline: 'taken', owner: 'run' })
    deepEqual((await other.query('select 1 as n')).rows, [{ n: 1 }])
    const [lease] = await server.query(database, `select backend from sluice_leases where pipeline = 'taken'`)
    equal(lease?.backend, null)
    await second.close()
    await first.close()
    await other.query('rollback')
    await other.end()
  })
})
