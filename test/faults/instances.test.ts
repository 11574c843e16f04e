import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startPipeline } from 'sluice'
import loadJob from '../jobs/load.ts'
import type { Outcome } from '../support/cli.ts'
import { FaultLoad, LOAD, type LoadState, undisturbed } from '../support/fault-load.ts'
import { writeNumbered } from '../support/inputs.ts'
import { isLocked } from '../support/locked.ts'
import { untilHeld, untilLeaseEnds, valueIn } from '../support/progress.ts'
import { ROOT } from '../support/project.ts'
import { randomOf, SEED, times } from '../support/seed.ts'
import { until } from '../support/until.ts'

const PROGRAM = join(ROOT, 'test', 'jobs', 'lease.ts')
const LINES = 60_000
/** Of the program, too. */
const LEASE_MS = 500

describe(`two instances that write the same part files (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-instances-'))
  const input = join(folder, 'in.log')
  const random = randomOf('instances')
  let expected: LoadState
  after(() => rmSync(folder, { recursive: true, force: true }))
  before(async () => {
    writeNumbered(input, { lines: LINES, padding: 50 })
    expected = await undisturbed({ input, into: 'files', out: join(folder, 'undisturbed') })
  })

  const readOf = (store: string) => valueIn(store, "select totals ->> 'read' as value from sluice_checkpoints")

  it('F35: refuse the second one with 75, and say who is the first', async () => {
    // What never ends by itself holds the pipeline as long as is wanted.
    const load = new FaultLoad({ input, as: 'tail', into: 'files', out: join(folder, 'two') })
    let pid = 0
    let second: Promise<Outcome> | undefined
    const first = await load.run([], {
      onStart: (child) => {
        pid = child.pid ?? 0
        second = (async () => {
          await untilHeld(load.store, child)
          const outcome = await load.run()
          await until(() => readOf(load.store) === LINES || child.exitCode !== null, 'all lines')
          child.kill('SIGTERM')
          return outcome
        })()
      },
    })
    equal(first.code, 0, first.stderr)
    const refused = await second
    equal(refused?.code, 75, refused?.stderr)
    match(refused?.stderr ?? '', new RegExp(`^sluice: Cannot start load: it is held by process ${pid} on [^\\n]*\\n$`))
    const { rows, dead, digest } = load.state()
    deepEqual({ rows, dead, digest }, { rows: expected.rows, dead: expected.dead, digest: expected.digest })
  })

  it('F35: fence off the one that was stopped and wakes, and it has written nothing since', async () => {
    let takenOver = 0
    for (let turn = 0; turn < 20 && takenOver < times(2); turn += 1) {
      const params = { input, into: 'files', out: join(folder, `zombie-${turn}`) } as const
      const child = spawn(process.execPath, ['--conditions=sluice-source', PROGRAM, LOAD, JSON.stringify(params)])
      let said = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said += text
      })
      const exited = once(child, 'exit')
      await Promise.race([once(child.stdout, 'data'), exited])
      // Stopped at any moment of an epoch.
      await sleep(random() * 40)
      child.kill('SIGSTOP')
      const successor = new FaultLoad(params)
      if (child.exitCode !== null || said.includes('done') || isLocked(successor.store)) {
        child.kill('SIGCONT')
        await exited
        continue
      }
      await untilLeaseEnds(successor.store, LEASE_MS)
      const run = await startPipeline(loadJob, { params: new Map(Object.entries(params)), leaseMs: LEASE_MS })
      await run.done
      deepEqual(successor.state(), expected)
      child.kill('SIGCONT')
      await exited
      if (said.includes('done')) continue
      takenOver += 1
      match(said, /PIPELINE_HELD: Cannot .* load: this instance was fenced off/)
      await successor.finish(expected)
    }
    ok(takenOver > 0, 'none was taken over from')
  })
})
