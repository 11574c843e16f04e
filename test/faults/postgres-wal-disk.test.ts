import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { chownSync, cpSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isSluiceError, ndjsonSource, pipeline, type RunEvent, startPipeline } from 'sluice'
import { postgresSink } from 'sluice/postgres'
import { exitCodeOf } from '../../src/cli/exit.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'
import { digestOf } from '../support/postgres-sink.ts'
import { SEED } from '../support/seed.ts'
import { NO_SMALL_DISK, SmallDisk } from '../support/small-disk.ts'
import { until } from '../support/until.ts'

const RECORDS = 20_000
const NOBODY = 65_534

describe(`a PostgreSQL sink whose log has no room (REPRO: SEED=${SEED} npm test)`, { skip: missingPostgres() }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-wal-'))
  const input = join(folder, 'in.ndjson')
  let server: PostgresServer
  after(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  before(async () => {
    writeFileSync(input, Array.from({ length: RECORDS }, (_, id) => `${JSON.stringify({ id })}\n`).join(''))
    server = await PostgresServer.start()
  })

  /** The second half of the records waits for `gate`. */
  const job = (database: string, gate: Promise<unknown> = Promise.resolve()) =>
    pipeline('rows', {
      from: () => ndjsonSource<{ id: number }>(input),
      flow: (rows) =>
        rows.mapAsync(
          async (row) => {
            if (row.id > RECORDS / 2) await gate
            return row
          },
          { name: 'gate' },
        ),
      into: () => postgresSink<{ id: number }>(server.url(database), { table: 't', timeoutMs: 3000 }),
    })

  it('F12: is given up after its time (69), and once there is room all is loaded, each once', async (test) => {
    const plain = await server.createDatabase()
    await (await startPipeline(job(plain))).done
    const undisturbed = await digestOf(server, plain)
    const database = await server.createDatabase()
    await server.query(database, 'create table filler (text text)')

    using small = SmallDisk.mount(join(server.folder, 'small'), '40m')
    if (small === undefined) return test.skip(NO_SMALL_DISK)
    // Before its disk goes, so does the server.
    await using _ = { [Symbol.asyncDispose]: () => server.halt('immediate') }
    const log = join(server.folder, 'data', 'pg_wal')
    await server.halt('fast')
    cpSync(log, join(small.path, 'wal'), { recursive: true })
    if (process.getuid?.() === 0) chownAll(small.path)
    renameSync(log, `${log}.before`)
    symlinkSync(join(small.path, 'wal'), log)
    await server.startAgain()

    let isFilling = false
    const panic = Promise.withResolvers<unknown>()
    const retries: string[] = []
    const onEvent = (event: RunEvent): void => {
      if (event.kind === 'retrying') retries.push(event.why)
      if (event.kind !== 'committed') return
      // Somebody else fills the disk: the server panics, and does not come back.
      const sql = 'insert into filler select repeat(md5(i::text), 30) from generate_series(1, 80000) i'
      if (!isFilling) server.query(database, sql).then(panic.reject, panic.resolve)
      isFilling = true
    }
    const run = await startPipeline(job(database, panic.promise), {
      epochEvents: 200,
      retryMs: 4000,
      leaseMs: 500,
      onEvent,
    })
    await rejects(run.done, (error) => {
      ok(isSluiceError(error, 'SINK_UNREACHABLE'), String(error))
      equal(exitCodeOf(error), 69)
      match(error.message, /^Cannot reach 127\.0\.0\.1:\d+\/\w+: \d attempts? within 4 s, the last failed with: /)
      return true
    })
    ok(retries.length <= 4, 'a server that is down is not hammered')
    match(String(await panic.promise), /Connection terminated|No space left/)
    await server.halt('immediate')

    small.grow('512m')
    await server.startAgain()
    // It could not let go of the pipeline, and its process is not gone: its lease has to end.
    const leases = `select renewed < clock_timestamp() - interval '500 ms' as over from sluice_leases`
    await until(async () => (await server.query(database, leases))[0]?.over === true, 'the end of its lease')
    await (await startPipeline(job(database), { leaseMs: 500 })).done
    deepEqual(await digestOf(server, database), undisturbed)
  })
})

function chownAll(path: string): void {
  chownSync(path, NOBODY, NOBODY)
  for (const name of readdirSync(path, { recursive: true, encoding: 'utf8' }))
    chownSync(join(path, name), NOBODY, NOBODY)
}
