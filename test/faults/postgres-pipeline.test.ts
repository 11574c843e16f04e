import { deepEqual, ok, rejects } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { count, isSluiceError, ndjsonSource, pipeline, type RunEvent, startPipeline, sum, tumbling } from 'sluice'
import { postgresSink } from 'sluice/postgres'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'
import { digestOf } from '../support/postgres-sink.ts'
import { randomOf, SEED } from '../support/seed.ts'
import { TcpProxy } from '../support/tcp-proxy.ts'
import { until } from '../support/until.ts'

const skip = missingPostgres()
const RECORDS = 40_000

interface Reading {
  readonly id: number
  readonly sensor: string
  readonly at: number
  readonly celsius: number
}

describe(`a pipeline whose PostgreSQL goes away (REPRO: SEED=${SEED} npm test)`, { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-away-'))
  const input = join(folder, 'in.ndjson')
  let server: PostgresServer
  let proxy: TcpProxy
  before(async () => {
    const random = randomOf('away')
    const lines = Array.from({ length: RECORDS }, (_, id) =>
      JSON.stringify({
        id,
        sensor: `s${Math.floor(random() * 30)}`,
        at: 1e12 + id * 100,
        celsius: Math.floor(random() * 40),
      }),
    )
    writeFileSync(input, `${lines.join('\n')}\n`)
    server = await PostgresServer.start()
    proxy = await TcpProxy.start(server.port)
  })
  after(async () => {
    rmSync(folder, { recursive: true, force: true })
    await proxy.stop()
    await server.stop()
  })

  const rowsJob = (url: string) =>
    pipeline('rows', {
      from: () => ndjsonSource<Reading>(input),
      flow: (readings) => readings.filter(({ celsius }) => celsius !== 7),
      into: () => postgresSink<Reading>(url, { table: 't', timeoutMs: 3000 }),
    })

  const windowsJob = (url: string) =>
    pipeline('windows', {
      from: () => ndjsonSource<Reading>(input),
      flow: (readings) =>
        readings
          .keyBy(({ sensor }) => sensor)
          .window(tumbling('10s', ({ at }) => at))
          .aggregate({ n: count(), total: sum(({ celsius }) => celsius) })
          .map(({ key, window, ...row }) => ({ sensor: key, start: window.startMs, ...row })),
      into: () => postgresSink(url, { table: 't', key: ['sensor', 'start'], timeoutMs: 3000 }),
    })

  /** Loads through the proxy while `disturb` is at work; gives the digest of the table, and what was said of it. */
  const load = async (
    job: typeof rowsJob | typeof windowsJob,
    disturb?: (stop: AbortSignal, committed: () => Promise<void>, retries: readonly string[]) => Promise<void>,
  ): Promise<{ readonly digest: string; readonly retries: string[]; readonly read: number }> => {
    const database = await server.createDatabase()
    const over = new AbortController()
    const retries: string[] = []
    let heard = Promise.withResolvers<void>()
    const onEvent = (event: RunEvent): void => {
      if (event.kind === 'retrying') retries.push(event.why)
      if (event.kind !== 'committed') return
      heard.resolve()
      heard = Promise.withResolvers()
    }
    const url = disturb === undefined ? server.url(database) : server.url(database, 'postgres', proxy.port)
    const run = await startPipeline(job(url), { epochEvents: 2000, onEvent })
    const committed = () => Promise.race([heard.promise, run.done.then(() => {})])
    const disturbing = disturb?.(over.signal, committed, retries)
    const report = await run.done
    over.abort()
    await disturbing
    return { digest: await digestOf(server, database), retries, read: report.run.read }
  }

  for (const [name, job] of Object.entries({ rows: rowsJob, windows: windowsJob })) {
    it(`F9, C24: asks for a commit whose answer was lost, and for one that was lost itself: ${name}`, async () => {
      const undisturbed = await load(job)
      const { digest, retries, read } = await load(job, async (stop, committed) => {
        for (const side of ['after', 'before', 'after'] as const) {
          await committed()
          if (stop.aborted) return
          await Promise.race([proxy.cutAround(side), committed().then(committed).then(committed)])
        }
      })
      deepEqual([digest, read], [undisturbed.digest, RECORDS])
      ok(retries.length >= 1, 'nothing was cut')
      ok(
        retries.every((why) => /127\.0\.0\.1/.test(why) && /trying again in/.test(why)),
        retries.join('\n'),
      )
    })

    it(`F7, F34: goes on once the server is back, and doubles nothing: ${name}`, async () => {
      const undisturbed = await load(job)
      const { digest, retries } = await load(job, async (stop, committed, heard) => {
        for (const mode of ['immediate', 'fast'] as const) {
          await committed()
          if (stop.aborted) return
          const before = heard.length
          await server.restart(mode)
          await until(() => stop.aborted || heard.length > before, 'another attempt')
        }
        if (!stop.aborted) proxy.reset()
      })
      deepEqual(digest, undisturbed.digest)
      ok(retries.length >= 1, 'nothing was cut')
    })
  }

  it('F7: gives up after its time, says where and why, and shows no password (S14)', async () => {
    const database = await server.createDatabase()
    const url = server.url(database, 'postgres', proxy.port).replace('postgres@', 'postgres:p%40ss@')
    const events: string[] = []
    const run = await startPipeline(rowsJob(url), {
      epochEvents: 1000,
      retryMs: 4000,
      onEvent: (event) => {
        events.push(JSON.stringify(event))
        if (event.kind === 'committed') void proxy.refuse()
      },
    })
    await rejects(run.done, (error) => {
      ok(isSluiceError(error, 'SINK_UNREACHABLE'), String(error))
      ok(
        /Cannot reach 127\.0\.0\.1:\d+\/\w+: \d attempts? within 4 s, the last failed with: /.test(error.message),
        error.message,
      )
      ok(!/p%40ss|p@ss/.test(`${error.message} ${error.stack} ${JSON.stringify(error.details)} ${events}`))
      return true
    })
    await proxy.accept()
  })
})
