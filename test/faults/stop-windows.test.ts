import { deepEqual, equal, match, ok } from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { rowsIn } from '../../src/testing/rows-in.ts'
import { type Outcome, sluice } from '../support/cli.ts'
import { untilHeld } from '../support/progress.ts'
import { ROOT } from '../support/project.ts'
import { randomOf, SEED, times } from '../support/seed.ts'

const RECORDS = 25_000
const JOB = join(ROOT, 'test', 'jobs', 'windows.ts')

describe(`windows that are killed (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-stop-windows-'))
  const input = join(folder, 'in.ndjson')
  const random = randomOf('stop-windows')
  let undisturbed: unknown[] = []
  /** How long a load takes, without the start of the process. */
  let loadMs = 0
  let databases = 0
  after(() => rmSync(folder, { recursive: true, force: true }))

  const argsOf = (db: string, by = 'functions'): string[] => {
    const params = [`input=${input}`, `db=${db}`, `by=${by}`].flatMap((param) => ['--param', param])
    return ['run', JOB, '--json', '--quiet', '--epoch-ms', '20', ...params]
  }

  /** Loads; is killed at a random moment after it has begun to write, if that is wanted. */
  const load = async (db: string, threads: number, { isKilled = false, by = 'functions' } = {}): Promise<Outcome> => {
    let killing = Promise.resolve()
    const outcome = await sluice([...argsOf(db, by), ...(threads === 0 ? [] : ['--threads', `${threads}`])], {
      onStart: (child) => {
        if (isKilled) killing = kill(child, db)
      },
    })
    await killing
    return outcome
  }

  const kill = async (child: ChildProcess, db: string): Promise<void> => {
    await untilHeld(db, child)
    await sleep(random() * loadMs)
    child.kill('SIGKILL')
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
    const { code, stderr, stdout } = await load(db, 0)
    equal(code, 0, stderr)
    loadMs = JSON.parse(stdout).elapsedMs
    undisturbed = rowsOf(db)
    ok(undisturbed.length > 500)
  })

  for (const [threads, by] of [
    [0, 'functions'],
    [0, 'names'],
    [2, 'functions'],
    [2, 'names'],
  ] as const) {
    const where = threads === 0 ? 'in one thread' : `on ${threads} threads`
    it(`F1, L110: ends with the same windows, by ${by}, ${where}`, async () => {
      let kills = 0
      for (let turn = 0; turn < times(30) && kills < times(3); turn += 1) {
        databases += 1
        const db = join(folder, `${databases}.db`)
        for (let attempt = 0; attempt < 3; attempt += 1) {
          const { signal } = await load(db, threads, { isKilled: true, by })
          if (signal === null) break
          kills += 1
        }
        const { code, stderr } = await load(db, threads, { by })
        equal(code, 0, stderr)
        deepEqual(rowsOf(db), undisturbed)
      }
      ok(kills >= times(3), `${kills} kills took effect`)
    })
  }

  it('F35: a second one is refused, and told who holds the pipeline', async () => {
    databases += 1
    const db = join(folder, `${databases}.db`)
    let pid = 0
    let second: Promise<Outcome> | undefined
    const first = await sluice(argsOf(db), {
      onStart: (child) => {
        pid = child.pid ?? 0
        second = (async () => {
          await untilHeld(db, child)
          return await load(db, 0)
        })()
      },
    })
    equal(first.code, 0, first.stderr)
    const refused = await second
    // It may have come too late to meet the first one.
    if (refused?.code !== 0) {
      equal(refused?.code, 75)
      match(refused?.stderr ?? '', new RegExp(`Cannot (start windows: it is held by|.*) process ${pid} on `))
    }
    deepEqual(rowsOf(db), undisturbed)
  })
})
