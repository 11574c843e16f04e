import { deepEqual, equal, match } from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { isSluiceError } from '../../src/base/errors.ts'
import { postgresSink } from '../../src/connect/postgres/sink.ts'
import { keepingTests } from '../support/keeping.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'

let server: PostgresServer

describe('dead letters and checkpoints in PostgreSQL', { skip: missingPostgres() }, () => {
  before(async () => {
    server = await PostgresServer.start()
  })
  after(() => server.stop())

  keepingTests(async () => {
    const database = await server.createDatabase()
    return {
      sink: `postgresSink(${JSON.stringify(server.url(database))}, { table: 't', columns: { n: 'integer' }, key: ['n'] })`,
      names: 'postgresSink',
      now: 'clock_timestamp()',
      query: (sql) => server.query(database, sql),
    }
  })

  it('can be looked at by who may only read, also while there is no schema', async () => {
    const database = await server.createDatabase()
    await server.query(database, 'create role reader login; create schema mine; grant usage on schema mine to reader')
    const sink = (user: string) => postgresSink(server.url(database, user), { table: 't', schema: 'mine' })
    const writer = await sink('postgres').open({ pipeline: 'numbers' })
    await writer.close()
    await server.query(database, 'grant select on all tables in schema mine to reader')
    const inspector = await sink('reader').inspect?.('numbers')
    deepEqual([await inspector?.checkpoint(), await inspector?.deadLetters({ limit: 1 })], [undefined, []])
    await inspector?.close()
    const none = await postgresSink(server.url(database), { table: 't', schema: 'none' }).inspect?.('numbers')
    deepEqual([await none?.checkpoint(), await none?.deadLetters({ limit: 1 })], [undefined, []])
    await none?.close()
  })

  it('are not to be found in a database that is not there, which is said', async () => {
    const refused = await postgresSink(server.url('nowhere'), { table: 't' })
      .inspect?.('numbers')
      .catch((error: unknown) => error)
    equal(isSluiceError(refused, 'CONFIG_INVALID'), true)
    match(String(refused), /Cannot open 127\.0\.0\.1:\d+\/nowhere: database "nowhere" does not exist/)
  })
})
