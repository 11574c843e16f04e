import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeRotatedLogs } from '../../scripts/make-access-log.ts'
import { loadArgs, loadHere, type Outcome, sluice } from '../support/cli.ts'
import { type TableState, tableState } from '../support/oracle.ts'
import { untilHeld } from '../support/progress.ts'
import { randomOf, SEED, times } from '../support/seed.ts'

const LINES = 12_000
/** Commits so often that a kill falls into every part of an epoch. */
const EPOCH = ['--epoch-ms', '15']

describe(`a load of access logs that is stopped (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-stop-'))
  const input = join(folder, 'logs', '*')
  let undisturbed: TableState
  /** How long an undisturbed load takes, without starting the process. */
  let loadMs = 0
  let databases = 0
  const newDb = (): string => {
    databases += 1
    return join(folder, `db-${databases}.db`)
  }

  before(async () => {
    writeRotatedLogs(join(folder, 'logs'), { lines: LINES, seed: 11 })
    const db = newDb()
    await loadHere(input, db)
    const { code, stdout, stderr } = await sluice(loadArgs(input, newDb(), ...EPOCH, '--json'))
    equal(code, 0, stderr)
    loadMs = JSON.parse(stdout).elapsedMs
    undisturbed = tableState(db)
    ok(undisturbed.rows > LINES * 0.99)
  })
  after(() => rmSync(folder, { recursive: true, force: true }))

  /** Starts a load and does something to it at a random moment after it has begun to write. */
  const runAndDisturb = async (
    db: string,
    random: () => number,
    disturb: (child: ChildProcess) => void,
  ): Promise<Outcome> => {
    let disturbing = Promise.resolve()
    const outcome = await sluice(loadArgs(input, db, ...EPOCH), {
      onStart: (child) => {
        disturbing = disturbOnce(db, child, random(), disturb)
      },
    })
    await disturbing
    return outcome
  }

  const disturbOnce = async (
    db: string,
    child: ChildProcess,
    share: number,
    disturb: (child: ChildProcess) => void,
  ): Promise<void> => {
    await untilHeld(db, child)
    await sleep(share * loadMs)
    disturb(child)
  }

  /** Goes on without a fault, and looks at the table. */
  const finish = async (db: string): Promise<void> => {
    await loadHere(input, db)
    deepEqual(tableState(db), undisturbed)
  }

  it('F1: killed at random moments and started again, ends with the same table', async () => {
    const random = randomOf('F1')
    let kills = 0
    for (let load = 0; load < times(40) && kills < times(15); load += 1) {
      const db = newDb()
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const { signal } = await runAndDisturb(db, random, (child) => child.kill('SIGKILL'))
        if (signal === null) break
        kills += 1
      }
      await finish(db)
    }
    ok(kills >= times(15), `${kills} kills took effect`)
  })

  it('F30: told to stop by SIGTERM, commits what was read, says how to go on, and goes on', async () => {
    const random = randomOf('F30')
    let drains = 0
    for (let load = 0; load < times(20) && drains < times(5); load += 1) {
      const db = newDb()
      const { code, signal, stderr } = await runAndDisturb(db, random, (child) => child.kill('SIGTERM'))
      ok(code === 0 || code === 143 || signal === 'SIGTERM', `${code} ${stderr}`)
      // On its way out, with all done, it no longer listens: the signal may still find it there.
      if (signal !== null) deepEqual(tableState(db), undisturbed)
      if (code === 143) {
        drains += 1
        match(stderr, /stopping: received SIGTERM; finishing what was read/)
        match(stderr, /continue with: sluice run /)
      }
      await finish(db)
    }
    ok(drains >= times(5), `${drains} loads were stopped in time`)
  })

  it('F31: told twice, stops, and goes on', async () => {
    const db = newDb()
    const outcome = await runAndDisturb(
      db,
      () => 0.3,
      (child) => {
        child.kill('SIGINT')
        child.stderr?.once('data', () => child.kill('SIGINT'))
      },
    )
    ok(outcome.code === 130 || outcome.code === 0, `${outcome.code} ${outcome.stderr}`)
    await finish(db)
  })
})
