import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { beam, run } from '../../src/beam/index.ts'
import { startPipeline } from '../../src/pipeline/start.ts'
import { rowsIn } from '../../src/testing/rows-in.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { until } from '../../src/testing/until.ts'
import { sluice } from '../support/cli.ts'
import { prism, withoutPrism } from '../support/engine.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'

const jobOf = (name: string): URL => new URL(`./jobs/${name}.ts`, import.meta.url)

describe('pipelines on Prism', { skip: withoutPrism }, () => {
  const engine = prism()
  const folder = tempFolder('sluice-prism-')
  const path = (name: string): string => join(folder, name)

  /** Runs a job here and there, and compares the rows of a query. */
  async function alike(name: string, params: Readonly<Record<string, string>>, sql: string) {
    const [here, there] = [path(`${name}-here.db`), path(`${name}-there.db`)]
    const local = await (await startPipeline(jobOf(name), { params: new Map(Object.entries({ ...params, db: here })) }))
      .done
    const given = new Map(Object.entries({ ...params, db: there }))
    const report = await run(jobOf(name), { on: beam(engine.address), params: given })
    deepEqual(rowsIn(there, sql), rowsIn(here, sql))
    return { report, local, rows: rowsIn(there, sql) }
  }

  it('count words as a local run does, and send sums, not words', async () => {
    const words = Array.from({ length: 300_000 }, (_, n) => `w${(n * 7919) % 5003}`)
    const lines = Array.from({ length: 30_000 }, (_, n) => words.slice(10 * n, 10 * n + 10).join(' '))
    writeFileSync(path('words.txt'), `${lines.join('\n')}\n`)
    const { report, local, rows } = await alike(
      'words',
      { input: path('words.txt') },
      'select * from words order by key',
    )
    equal(rows.length, 5003)
    deepEqual(report.run, local.run)
    const splits = 3
    ok(report.elements <= 1024 * splits, `${report.elements} elements for 300,000 words`)
  })

  it('load an access log by a key, with its dead letters', async () => {
    const at = (n: number): string => new Date(1_700_000_000_000 + n * 1000).toISOString().slice(11, 19)
    const lines = Array.from({ length: 5000 }, (_, n) => {
      if (n % 100 === 99) return `line ${n} is not one of an access log`
      return `10.0.0.${n % 200} - - [14/Nov/2023:${at(n)} +0000] "GET /${n % 37} HTTP/1.1" ${n % 9 === 0 ? 304 : 200} ${n}`
    })
    writeFileSync(path('access.log'), `${lines.join('\n')}\n`)
    const sql = 'select * from requests order by file, offset'
    const { report, local } = await alike('access-log', { input: path('access.log') }, sql)
    deepEqual(report.run, local.run)
    equal(report.run?.dead, 50)
    equal(report.firstDeadLetters.length, 3)
    const letters = 'select file, offset, step, reason, raw from dead_letters order by offset'
    deepEqual(rowsIn(path('access-log-there.db'), letters), rowsIn(path('access-log-here.db'), letters))
  })

  it('load into PostgreSQL what a local run loads', { skip: missingPostgres() }, async () => {
    await using server = await PostgresServer.start()
    const [here, there] = [await server.createDatabase(), await server.createDatabase()]
    const given = (database: string) =>
      new Map([...Object.entries({ input: path('access.log'), db: server.url(database) })])
    const local = await (await startPipeline(jobOf('access-log'), { params: given(here) })).done
    const report = await run(jobOf('access-log'), { on: beam(engine.address), params: given(there) })
    deepEqual(report.run, local.run)
    for (const [table, place] of [
      ['requests', '"file", "offset"'],
      ['dead_letters', '"offset"'],
    ]) {
      const sql = `select md5(string_agg(md5((to_jsonb(t) - 'epoch' - 'time')::text), '' order by ${place})) as digest, count(*)::int as n from ${table} t`
      deepEqual(await server.query(there, sql), await server.query(here, sql), table)
    }
  })

  it('give a total over nothing', async () => {
    const { rows } = await alike('nothing', {}, 'select n, name from totals')
    deepEqual(rows, [{ n: 0, name: 'all' }])
  })

  it('make a dead letter of an event whose function throws', async () => {
    const params = new Map([['db', path('map.db')]])
    const report = await run(jobOf('throws'), { on: beam(engine.address), params })
    deepEqual([report.run?.read, report.run?.dead, report.run?.loaded], [4, 1, 3])
    match(report.firstDeadLetters[0]?.reason ?? '', /three is not wanted/)
    const strict = { on: beam(engine.address), strict: true, params: new Map([['db', path('strict.db')]]) }
    await rejects(run(jobOf('throws'), strict), { code: 'TOO_MANY_DEAD_LETTERS' })
  })

  it('fail with the operator and the cause where a function of many events throws', async () => {
    const params = new Map([
      ['at', 'fold'],
      ['db', path('fold.db')],
    ])
    await rejects(run(jobOf('throws'), { on: beam(engine.address), params }), {
      code: 'WORKER_FAILED',
      message: /failed in sums.*three cannot be added/,
    })
  })

  it('say so when a worker is gone', async () => {
    const lines = Array.from({ length: 200 }, (_, n) => `w${n}`)
    writeFileSync(path('few.txt'), `${lines.join('\n')}\n`)
    const params = new Map(Object.entries({ input: path('few.txt'), db: path('lost.db'), marker: path('lost.marker') }))
    await rejects(run(jobOf('killed'), { on: beam(engine.address), params }), {
      code: 'ENGINE_FAILED',
      message: /it is failed: .*; a worker has ended by itself \(SIGKILL\): give workers more memory/s,
    })
  })

  it('are cancelled by Ctrl-C', async () => {
    const file = join(import.meta.dirname, 'jobs', 'slow.ts')
    const [db, marker] = [path('slow.db'), path('slow.marker')]
    const { code, stderr } = await sluice(
      ['run', file, '--on', engine.address, '-p', `db=${db}`, '-p', `marker=${marker}`],
      {
        onStart: (child) => {
          const begun = until(() => existsSync(marker), 'the first call')
          void begun.then(() => child.kill('SIGINT'))
        },
      },
    )
    equal(code, 130, stderr)
    match(stderr, /is asked to cancel the job; see there whether it has ended/)
    // The next run need not wait for its lease.
    deepEqual(rowsIn(db, 'select pid from sluice_leases'), [{ pid: 0 }])
  })

  it('refuse a store with the checkpoint of a local run', async () => {
    const params = new Map([['db', path('twice.db')]])
    await (await startPipeline(jobOf('throws'), { params })).done
    await rejects(run(jobOf('throws'), { on: beam(engine.address), params }), {
      code: 'CHECKPOINT_INVALID',
      message: /has the checkpoint of a local run.*use another name for the pipeline/,
    })
  })

  it('can be run again, with the same rows', async () => {
    const params = new Map([['db', path('again.db')]])
    for (let times = 0; times < 2; times += 1) await run(jobOf('throws'), { on: beam(engine.address), params })
    equal(rowsIn(path('again.db'), 'select * from sums').length, 3)
    equal(rowsIn(path('again.db'), 'select * from dead_letters').length, 1)
  })

  it('run from the command line, with the summary of a local run', async () => {
    const file = join(import.meta.dirname, 'jobs', 'throws.ts')
    const db = path('cli.db')
    const { code, stdout, stderr } = await sluice(['run', file, '--on', engine.address, '-p', `db=${db}`])
    equal(code, 0, stderr)
    match(stdout, /throws: finished in .*, committed to table sums/)
    match(stdout, / read +4\b[\s\S]* loaded +3\b[\s\S]* dead +1 /)
    equal(rowsIn(db, 'select * from sums').length, 3)
  })

  it('use a pool of workers that runs beside the engine', async () => {
    const file = join(import.meta.dirname, 'jobs', 'throws.ts')
    const { promise: address, resolve } = Promise.withResolvers<string>()
    const { promise: stop, resolve: stopIt } = Promise.withResolvers<void>()
    const pooling = sluice(['worker-pool', '--port', '0', '--root', import.meta.dirname], {
      onStart: (child) => {
        child.stderr?.on('data', (text) => {
          const [, found] = /worker pool at ([\d.]+:\d+)/.exec(String(text)) ?? []
          if (found !== undefined) resolve(found)
        })
        void stop.then(() => child.kill('SIGTERM'))
      },
    })
    const on = ['--on', engine.address, '--worker-pool', await address]
    const { code, stderr } = await sluice(['run', file, ...on, '-p', `db=${path('pool.db')}`])
    stopIt()
    equal((await pooling).code, 0)
    equal(code, 0, stderr)
    equal(rowsIn(path('pool.db'), 'select * from sums').length, 3)
  })
})
