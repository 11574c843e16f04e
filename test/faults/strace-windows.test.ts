import { deepEqual, ok } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { startPipeline } from 'sluice'
import { rowsIn } from '../../src/testing/rows-in.ts'
import minutes from '../jobs/minutes.ts'
import { sluice } from '../support/cli.ts'
import { ROOT } from '../support/project.ts'
import { randomOf, SEED, someOf, times } from '../support/seed.ts'
import { databaseFiles, killing, NO_STRACE, ONE_THREAD } from '../support/strace.ts'

const JOB = join(ROOT, 'test', 'jobs', 'minutes.ts')
/** Calls that put bytes on the disk, and about how many there are of each: behind the last all is committed. */
const CALLS = { pwrite64: 90, 'fsync,fdatasync': 12 } as const

describe(`windows under strace (REPRO: SEED=${SEED} npm test)`, { skip: NO_STRACE }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-strace-windows-'))
  const input = join(folder, 'in.ndjson')
  const random = randomOf('strace windows')
  let undisturbed: unknown[] = []
  after(() => rmSync(folder, { recursive: true, force: true }))

  const rowsOf = (db: string): unknown[] => {
    const { read, dead } = JSON.parse(String(rowsIn(db, 'select totals from sluice_checkpoints')[0]?.totals))
    return [
      ...rowsIn(db, 'select * from minutes order by sensor, start').map((row) => Object.values(row)),
      { read, dead },
    ]
  }

  const goOn = async (db: string): Promise<unknown[]> => {
    const run = await startPipeline(minutes, { params: new Map(Object.entries({ input, db })) })
    await run.done
    return rowsOf(db)
  }

  before(async () => {
    const lines = Array.from({ length: 3000 }, (_, n) => {
      const at = Date.UTC(2026, 2, 2) + n * 1500 - Math.floor(random() * 60_000)
      return `${JSON.stringify({ sensor: `s${n % 5}`, at, celsius: n % 40 })}\n`
    })
    writeFileSync(input, lines.join(''))
    undisturbed = await goOn(join(folder, 'undisturbed.db'))
    ok(undisturbed.length > 300)
  })

  /** Kills a load at its n-th call, goes on, and looks; false if there were fewer calls. */
  const killAt = async (call: string, when: number, threads: readonly string[]): Promise<boolean> => {
    const db = join(folder, `${threads.length}-${call}-${when}.db`)
    const words = [
      'run',
      JOB,
      '--quiet',
      '--epoch-ms',
      '5',
      ...threads,
      '--param',
      `input=${input}`,
      '--param',
      `db=${db}`,
    ]
    const under = killing({ call, when, paths: databaseFiles(db) })
    const { code, stderr } = await sluice(words, { under, env: ONE_THREAD })
    ok(code === null || code === 137 || code === 0, `${code} ${stderr}`)
    deepEqual(await goOn(db), undisturbed, `killed at ${call} ${when}`)
    return code !== 0
  }

  for (const [how, threads] of [
    ['in one thread', []],
    ['on two threads', ['--threads', '2']],
  ] as const) {
    it(`F2: killed at some n-th write and sync, end with the same windows, ${how}`, async () => {
      let kills = 0
      for (const [call, count] of Object.entries(CALLS)) {
        const moments = someOf(count, times(call === 'pwrite64' ? 4 : 2), random)
        for (let at = 0; at < moments.length; at += 2) {
          // Two at a time: each kill is a process of its own.
          const some = moments.slice(at, at + 2)
          const took = await Promise.all(some.map((when) => killAt(call, when, threads)))
          kills += took.filter((one) => one).length
        }
      }
      ok(kills >= 2, `${kills} kills took effect`)
    })
  }
})
