import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { hash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { isSluiceError, pipeline, startPipeline, valuesSource } from 'sluice'
import { duckdbSink } from 'sluice/duckdb'
import { Session } from '../../src/connect/duckdb/connection.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { FaultLoad, type LoadParams, type LoadState, undisturbed } from '../support/fault-load.ts'
import { writeNumbered } from '../support/inputs.ts'
import { randomOf, SEED, someOf, times } from '../support/seed.ts'
import { NO_SMALL_DISK, SmallDisk } from '../support/small-disk.ts'
import { databaseFiles, failing, NO_STRACE, ONE_THREAD } from '../support/strace.ts'
import { until } from '../support/until.ts'

describe(`a disk of our own that is full (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-full-disk-'))
  const few = join(folder, 'few.log')
  const bad = join(folder, 'bad.log')
  const disk = join(folder, 'disk')
  const elsewhere = join(folder, 'elsewhere')
  after(() => rmSync(folder, { recursive: true, force: true }))
  before(() => {
    writeNumbered(few, { lines: 30_000, padding: 100 })
    writeNumbered(bad, { lines: 30_000, padding: 100, badEvery: 2 })
  })

  interface Full {
    readonly what: string
    readonly size: string
    readonly params: LoadParams
  }

  const everything: Full[] = [
    { what: 'the database', size: '1m', params: { input: few, out: join(disk, 'out.db') } },
    { what: 'the index of its log', size: '16k', params: { input: few, out: join(disk, 'out.db') } },
    { what: 'part files', size: '1m', params: { input: few, into: 'files', out: join(disk, 'out'), store: elsewhere } },
    {
      what: 'the store of checkpoints beside part files',
      size: '128k',
      params: { input: few, into: 'files', out: elsewhere, store: join(disk, 'state.db') },
    },
    {
      what: 'dead letters beside part files',
      size: '1m',
      params: { input: bad, into: 'files', out: elsewhere, store: join(disk, 'state.db') },
    },
    { what: 'dead letters in the database', size: '1m', params: { input: bad, out: join(disk, 'out.db') } },
  ]

  for (const { what, size, params } of everything) {
    it(`F13: stops the run with 74 and the path, and once there is room all is loaded: ${what}`, async (test) => {
      using small = SmallDisk.mount(disk, size)
      if (small === undefined) return test.skip(NO_SMALL_DISK)
      const plain = join(folder, 'plain')
      for (const path of [elsewhere, plain]) rmSync(path, { recursive: true, force: true })
      mkdirSync(plain)
      const { store: _, ...aside } = params
      const expected = await undisturbed({ ...aside, out: join(plain, 'out') })
      const load = new FaultLoad(params)
      const { code, stderr } = await load.run()
      equal(code, 74, stderr)
      match(stderr, /^sluice: Cannot [^\n]*ENOSPC\)[^\n]*\n$/)
      ok(stderr.includes(`"${disk}/`), stderr)
      const again = await load.run()
      equal(again.code, 74, 'there is no more room than before')
      small.grow('64m')
      await load.finish(expected)
    })
  }
})

describe('a disk of our own that is full, under DuckDB', () => {
  const folder = tempFolder('sluice-full-duck-')

  it('F13: ends the run with the reason, and once there is room all is loaded, once', async (test) => {
    using small = SmallDisk.mount(join(folder, 'disk'), '3m')
    if (small === undefined) return test.skip(NO_SMALL_DISK)
    const path = join(folder, 'disk', 'out.duckdb')
    // Digests, as DuckDB makes what repeats small.
    const rows = Array.from({ length: 60_000 }, (_, n) => ({ n, text: hash('sha256', `${n}`) }))
    const job = pipeline('full', {
      from: () => valuesSource(rows),
      into: () =>
        duckdbSink<{ n: number; text: string }>(path, { table: 'rows', columns: { n: 'integer', text: 'text' } }),
    })
    const leaseMs = 200
    const load = async () => await (await startPipeline(job, { epochEvents: 5000, leaseMs })).done
    const renewedMs = async (): Promise<number> => {
      const session = await Session.open(path, { isReading: true })
      const [lease] = await session.all('select max(renewed) as ms from sluice_leases')
      session.close()
      return Number(lease?.ms ?? 0)
    }
    for (let turn = 0; turn < 2; turn += 1) {
      await rejects(load(), (error: unknown) => {
        ok(isSluiceError(error, 'STORAGE_FAILED'), String(error))
        equal(error.details.errno, 'ENOSPC', error.message)
        ok(error.message.includes(JSON.stringify(path)), error.message)
        return true
      })
      // There was no room to write that the lease was let go of.
      await until(async () => Date.now() - (await renewedMs()) > leaseMs, 'the end of its lease')
    }
    small.grow('64m')
    const { overall } = await load()
    equal(overall.loaded, rows.length)
    const session = await Session.open(path)
    const [found] = await session.all('select count(*)::integer as rows, count(distinct n)::integer as n from rows')
    session.close()
    deepEqual(found, { rows: rows.length, n: rows.length })
  })
})

describe(`a disk that fails (REPRO: SEED=${SEED} npm test)`, { skip: NO_STRACE }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-bad-disk-'))
  const input = join(folder, 'in.log')
  const random = randomOf('bad disk')
  let expected: LoadState
  after(() => rmSync(folder, { recursive: true, force: true }))
  before(async () => {
    writeNumbered(input, { lines: 200, badEvery: 10 })
    expected = await undisturbed({ input, out: join(folder, 'undisturbed.db') })
  })

  /** Lets one call on the database fail, goes on, and looks; false if there were fewer such calls. */
  const failAt = async (call: string, errno: string, when: number): Promise<boolean> => {
    const load = new FaultLoad({ input, out: join(folder, `${call}-${errno}-${when}.db`) })
    const under = failing(errno, { call, when, paths: databaseFiles(load.out) })
    const { code, stderr } = await load.run([], { under, env: ONE_THREAD })
    // What fails when all is committed, as the log is tidied up, loses nothing.
    if (code !== 0) {
      equal(code, 74, stderr)
      match(stderr, /^sluice: Cannot [^\n]*\.db"[^\n]*(EIO|ENOSPC|SQLITE_CANTOPEN|SQLITE_CORRUPT)\)[^\n]*\n$/)
    }
    await load.finish(expected, `${errno} at ${call} ${when}`)
    return code !== 0
  }

  // How many calls there are varies little: at the last ones all is committed.
  for (const [call, errno, calls] of [
    ['fsync,fdatasync', 'EIO', 9],
    ['pwrite64', 'ENOSPC', 70],
    ['pwrite64', 'EIO', 70],
    ['pread64', 'EIO', 15],
    ['ftruncate', 'EIO', 2],
  ] as const) {
    it(`F14: stops the run with 74 where it is the database's, and nothing is doubled: ${errno} of ${call}`, async () => {
      // The first one always: that it fails is sure.
      const moments = [...new Set([1, ...someOf(calls, times(4), random)])]
      const failed: boolean[] = []
      for (let at = 0; at < moments.length; at += 2) {
        // Two at a time: each is a process of its own.
        failed.push(...(await Promise.all(moments.slice(at, at + 2).map((when) => failAt(call, errno, when)))))
      }
      ok(call === 'ftruncate' || failed.includes(true), `${failed} of ${moments}`)
    })
  }

  it('F14: stops the run with 66 and the path where it is the source that cannot be read', async () => {
    for (const [call, errno] of [
      ['pread64', 'EIO'],
      ['openat', 'EACCES'],
      ['statx', 'EIO'],
    ] as const) {
      const load = new FaultLoad({ input, out: join(folder, `source-${call}.db`) })
      const under = failing(errno, { call, when: 1, paths: [input] })
      const { code, stderr } = await load.run([], { under, env: ONE_THREAD })
      equal(code, 66, stderr)
      match(stderr, new RegExp(`^sluice: Cannot read "[^\\n]*in\\.log"[^\\n]*${errno}\\)[^\\n]*\\n$`))
      await load.finish(expected)
    }
  })

  it('F14: goes on where a call was only interrupted', async () => {
    for (const [call, path] of [
      ['pread64', input],
      ['pwrite64', undefined],
    ] as const) {
      const load = new FaultLoad({ input, out: join(folder, `interrupted-${call}.db`) })
      const paths = path === undefined ? databaseFiles(load.out) : [path]
      const { code, stderr } = await load.run([], {
        under: failing('EINTR', { call, when: 2, paths }),
        env: ONE_THREAD,
      })
      deepEqual([code, stderr], [0, ''])
      deepEqual(load.state(), expected)
    }
  })
})
