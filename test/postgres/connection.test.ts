import { deepEqual, equal, match, ok, rejects, throws } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chownSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import type { PostgresConnection } from '../../src/connect/postgres/connection.ts'
import { postgresSink } from '../../src/connect/postgres/sink.ts'
import { postgresSource } from '../../src/connect/postgres/source.ts'
import { readEntries } from '../../src/testing/conformance/reading.ts'
import { times } from '../../src/testing/times.ts'
import { missingPostgres, PostgresServer, WALLED_ROLE } from '../support/postgres.ts'
import { COLUMNS, checkpoint, failsWith, rows } from '../support/postgres-sink.ts'
import { ROOT } from '../support/project.ts'
import { SEED } from '../support/seed.ts'

const skip = missingPostgres()
const PASSWORD = 'p@ss w/rd%'

describe(`a connection to PostgreSQL (REPRO: SEED=${SEED} npm test)`, { skip }, () => {
  let server: PostgresServer
  let database = ''

  before(async () => {
    server = await PostgresServer.start()
    database = await server.createDatabase()
    await server.query('postgres', `create role ${WALLED_ROLE} login superuser password '${PASSWORD}'`)
  })
  after(() => server.stop())

  const sinkAt = (connection: string | PostgresConnection) => postgresSink(connection, { table: 't', columns: COLUMNS })

  async function load(connection: string | PostgresConnection): Promise<string> {
    const sink = sinkAt(connection)
    const writer = await sink.open({ pipeline: 'p' })
    await writer.write(rows(1))
    await writer.commit(checkpoint((writer.checkpoint?.epoch ?? 0) + 1))
    await writer.close()
    return sink.title
  }

  it('is a URL, or its parts, or comes from the environment', async () => {
    const { port } = server
    const title = `table t in 127.0.0.1:${port}/${database}`
    const user = WALLED_ROLE
    equal(await load(`postgres://${user}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/${database}`), title)
    equal(await load({ host: '127.0.0.1', port, database, user, password: PASSWORD }), title)
    equal(await load({ host: '127.0.0.1', port, database, user, password: async () => PASSWORD }), title)
    const env = { PGHOST: '127.0.0.1', PGPORT: String(port), PGDATABASE: database, PGUSER: user, PGPASSWORD: PASSWORD }
    Object.assign(process.env, env)
    try {
      equal(await load({}), title)
    } finally {
      for (const name of Object.keys(env)) delete process.env[name]
    }
  })

  it('is named after the pipeline for who looks at the server', async () => {
    const writer = await sinkAt(server.url(database)).open({ pipeline: `requests ${'x'.repeat(60)}` })
    const found = await server.query(
      database,
      `select distinct application_name as name from pg_stat_activity where application_name like 'sluice/%'`,
    )
    deepEqual(found, [{ name: `sluice/requests ${'x'.repeat(47)}` }])
    await writer.close()
  })

  it('that the server refuses is no reason to try again', async () => {
    const fails = (found: RegExp) => failsWith('CONFIG_INVALID', found)
    const wrong = { host: '127.0.0.1', port: server.port, database, user: WALLED_ROLE }
    await rejects(
      load({ ...wrong, password: 'wrong' }),
      fails(/^Cannot open 127.*: password authentication failed for user "walled" \(28P01\)$/),
    )
    await rejects(load({ ...wrong, password: '' }), fails(/^Cannot open 127/))
    await rejects(load(server.url('none')), fails(/: database "none" does not exist \(3D000\)$/))
    await rejects(load(server.url(database, 'nobody')), fails(/: role "nobody" does not exist \(28000\)$/))
  })

  it('is tried again where the server has no room for more', async () => {
    await using small = await PostgresServer.start({
      settings: { max_connections: '4', superuser_reserved_connections: '0', reserved_connections: '0' },
    })
    const one = await sinkAt(small.url('postgres')).open({ pipeline: 'one' })
    const two = await sinkAt(small.url('postgres')).open({ pipeline: 'two' })
    await rejects(load(small.url('postgres')), failsWith('SINK_LOST', /too many clients already \(53300\)$/))
    await one.close()
    await two.close()
    await load(small.url('postgres'))
  })

  it('lets go of the lease when the run is aborted: the next one need not wait for its time', async () => {
    const abort = new AbortController()
    const sink = sinkAt(server.url(database))
    const writer = await sink.open({ pipeline: 'aborted', signal: abort.signal })
    await writer.write(rows(1))
    abort.abort(new Error('stopped'))
    await writer.close()
    await (await sink.open({ pipeline: 'aborted' })).close()
  })

  it('fails a read that is asked for after an abort, and never leaves it without an answer', async () => {
    const source = postgresSource(server.url(database), { query: 'select generate_series(1, 50) as n', fetch: 10 })
    const [split = { id: '' }] = await source.splits()
    for (const reads of [1, 5, 6]) {
      for (const turns of [0, 1, 2, 5, 50]) {
        const abort = new AbortController()
        const reader = await source.open(split, undefined, { signal: abort.signal })
        for (let read = 0; read < reads; read += 1) await readEntries(reader, 10)
        abort.abort(new Error('stopped'))
        for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve))
        const [ended] = await Promise.allSettled([reader.read(10)])
        if (ended.status === 'rejected') match(String(ended.reason), /stopped/)
        await reader.close()
      }
    }
  })

  it('S14: shows its password nowhere, whatever it is', async () => {
    const passwords = fc.string({ unit: 'grapheme-ascii', maxLength: 20 }).map((text) => `pw-${text}-pw`)
    await fc.assert(
      fc.asyncProperty(passwords, async (password) => {
        const shown: unknown[] = []
        const encoded = encodeURIComponent(password)
        const { port } = server
        for (const connection of [
          `postgres://${WALLED_ROLE}:${encoded}@127.0.0.1:${port}/${database}`,
          `postgres://${WALLED_ROLE}:${encoded}@127.0.0.1:1/${database}`,
          `postgres://${WALLED_ROLE}:${password}@127.0.0.1:${port}/${database}`,
          `postgres://${WALLED_ROLE}:${password}@127.0.0.1:x/${database}`,
          `postgres:${WALLED_ROLE}:${password}`,
          { host: '127.0.0.1', port, database, user: WALLED_ROLE, password },
        ]) {
          try {
            const sink = sinkAt(connection)
            shown.push(sink)
            await (await sink.open({ pipeline: 'p' })).close()
          } catch (error) {
            shown.push(error)
          }
          try {
            const source = postgresSource(connection, { table: 't', retryMs: 0 })
            shown.push(source)
            await (await source.open({ id: 't' }, undefined)).close()
          } catch (error) {
            shown.push(error)
          }
        }
        const text = shown
          .map((part) => `${inspect(part, { depth: 20, showHidden: true })} ${JSON.stringify(part)}`)
          .join('\n')
        for (const secret of [password, encoded]) ok(!text.includes(secret), `${secret} in ${text}`)
      }),
      { seed: SEED, numRuns: times(10), endOnFailure: true },
    )
  })

  it('S14: shows no password where its URL is misread', () => {
    const urls = [
      '://u:12/secret@h/db',
      '://u:12?secret@h/db',
      '://u:a#secret@h/db',
      '://u:a?secret@h/db',
      ':u:secret@h',
    ]
    for (const url of [...urls.map((rest) => `postgres${rest}`), 'http://u:secret@h/db', 'u:secret@h', 'secret']) {
      throws(
        () => sinkAt(url),
        (error) => {
          match(String(error), /Cannot use the URL of a PostgreSQL connection/)
          ok(!inspect(error, { depth: 10 }).includes('secret'), url)
          return true
        },
      )
    }
  })

  it('S16: is encrypted and verified when that is asked for, never falling back', async (test) => {
    const unreachable = (found: RegExp) => failsWith('SINK_UNREACHABLE', found)
    const at = { host: '127.0.0.1', port: server.port, database, user: 'postgres' }
    await rejects(
      load({ ...at, ssl: true }),
      unreachable(/^Cannot open 127.*: The server does not support SSL connections$/),
    )
    await rejects(load(`${server.url(database)}?sslmode=verify-full`), unreachable(/does not support SSL/))
    const noFile = `${server.url(database)}?sslmode=verify-full&sslrootcert=/none.pem`
    await rejects(
      load(noFile),
      failsWith('CONFIG_INVALID', /^Cannot use the settings of a PostgreSQL connection: ENOENT: .*none\.pem/),
    )
    const key = join(server.folder, 'key.pem')
    const cert = join(server.folder, 'cert.pem')
    const args = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '2',
      '-subj',
      '/CN=db.example',
    ]
    const made = spawnSync('openssl', [...args, '-addext', 'subjectAltName=DNS:db.example'])
    if (made.status !== 0) return test.skip('there is no openssl here')
    if (process.getuid?.() === 0) for (const path of [key, cert]) chownSync(path, 65_534, 65_534)
    await server.query('postgres', `alter system set ssl_cert_file = '${cert}'`)
    await server.query('postgres', `alter system set ssl_key_file = '${key}'`)
    await server.query('postgres', 'alter system set ssl = on')
    await server.restart('fast')
    await rejects(load({ ...at, ssl: true }), unreachable(/self-signed certificate/))
    await rejects(load(`${server.url(database)}?sslmode=verify-full`), unreachable(/self-signed certificate/))
    const ca = readFileSync(cert, 'utf8')
    await rejects(load({ ...at, ssl: { ca } }), unreachable(/does not match certificate's altnames/))
    await load({ ...at, ssl: { ca, checkServerIdentity: () => undefined } })
  })
})

describe('the client of PostgreSQL', () => {
  it('that is not installed is asked for by name', () => {
    const code = `
      import { registerHooks } from 'node:module'
      registerHooks({ resolve: (name, context, next) => { if (/^pg/.test(name)) throw new Error('Cannot find package'); return next(name, context) } })
      const { postgresSink } = await import(${JSON.stringify(join(ROOT, 'src/connect/postgres/sink.ts'))})
      const { postgresSource } = await import(${JSON.stringify(join(ROOT, 'src/connect/postgres/source.ts'))})
      for (const open of [
        () => postgresSink('postgres://h/d', { table: 't' }).open({ pipeline: 'p' }),
        () => postgresSource('postgres://h/d', { table: 't' }).open({ id: 't' }),
      ]) await open().catch((error) => console.log(error.code, error.message))`
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' })
    equal(stderr, '')
    equal(
      stdout,
      'CONFIG_INVALID Cannot load pg: run "npm install pg@8" (Cannot find package)\n' +
        'CONFIG_INVALID Cannot load pg-cursor: run "npm install pg-cursor@2" (Cannot find package)\n',
    )
  })
})
