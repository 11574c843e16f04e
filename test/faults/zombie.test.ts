import { deepEqual, match, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPipeline } from 'sluice'
import { rowsIn } from '../../src/testing/rows-in.ts'
import job from '../jobs/windows.ts'
import { isLocked } from '../support/locked.ts'
import { untilLeaseEnds } from '../support/progress.ts'
import { ROOT } from '../support/project.ts'
import { randomOf, SEED } from '../support/seed.ts'

const PROGRAM = join(ROOT, 'test', 'jobs', 'lease.ts')
const JOB = join(ROOT, 'test', 'jobs', 'windows.ts')
const RECORDS = 60_000
/** Of the program, too. */
const LEASE_MS = 500

describe(`a process that is stopped, and wakes when another has taken over (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-zombie-'))
  const input = join(folder, 'in.ndjson')
  const random = randomOf('zombie')
  let undisturbed: unknown[] = []
  after(() => rmSync(folder, { recursive: true, force: true }))

  const load = async (db: string): Promise<void> => {
    const run = await startPipeline(job, { params: new Map(Object.entries({ input, db })), leaseMs: LEASE_MS })
    await run.done
  }

  const rowsOf = (db: string) =>
    rowsIn(db, 'select * from minutes order by sensor, start').map((row) => Object.values(row))

  before(async () => {
    const lines = Array.from({ length: RECORDS }, (_, i) => {
      const at = 1_700_000_000_000 + i * 50 + Math.floor(random() * 1000)
      return JSON.stringify({ sensor: `s${Math.floor(random() * 40)}`, at, celsius: Math.floor(random() * 100) })
    })
    writeFileSync(input, `${lines.join('\n')}\n`)
    const db = join(folder, 'undisturbed.db')
    await load(db)
    undisturbed = rowsOf(db)
  })

  it('F35: is fenced off, says by whom, and has committed nothing since', async () => {
    let takenOver = 0
    for (let turn = 0; turn < 20 && takenOver < 3; turn += 1) {
      const db = join(folder, `${turn}.db`)
      const child = spawn(process.execPath, ['--conditions=sluice-source', PROGRAM, JOB, JSON.stringify({ input, db })])
      let said = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
      const exited = once(child, 'exit')
      await Promise.race([once(child.stdout, 'data'), exited])
      // Stopped at any moment of an epoch.
      await sleep(random() * 20)
      child.kill('SIGSTOP')
      if (child.exitCode !== null || said.includes('done') || isLocked(db)) {
        child.kill('SIGCONT')
        await exited
        continue
      }
      await untilLeaseEnds(db, LEASE_MS)
      await load(db)
      deepEqual(rowsOf(db), undisturbed)
      child.kill('SIGCONT')
      await exited
      if (said.includes('done')) continue
      takenOver += 1
      match(said, /PIPELINE_HELD: Cannot .* windows: this instance was fenced off/)
      deepEqual(rowsOf(db), undisturbed)
    }
    ok(takenOver >= 3, `${takenOver} processes were taken over from`)
  })
})
