import { deepEqual, ok } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { writeRotatedLogs } from '../../scripts/make-access-log.ts'
import { sluice } from '../support/cli.ts'
import { rowsIn } from '../support/part-files.ts'
import { untilHeld } from '../support/progress.ts'
import { ROOT } from '../support/project.ts'
import { randomOf, SEED } from '../support/seed.ts'

const LINES = 15_000
const JOB = join(ROOT, 'test', 'jobs', 'fan-out.ts')

interface State {
  readonly requests: readonly string[]
  readonly failed: readonly string[]
  readonly errors: readonly string[]
  readonly archive: readonly string[]
}

describe(`a load into several sinks that is killed (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-several-kill-'))
  const input = join(folder, 'logs', '*')
  let undisturbed: State
  let loadMs = 0
  let loads = 0
  after(() => rmSync(folder, { recursive: true, force: true }))

  const newFolder = (): string => {
    loads += 1
    const to = join(folder, `load-${loads}`)
    mkdirSync(to)
    return to
  }
  const argsOf = (to: string): string[] => {
    return ['run', JOB, '--param', `input=${input}`, '--param', `to=${to}`, '--quiet', '--epoch-ms', '30']
  }

  before(async () => {
    writeRotatedLogs(join(folder, 'logs'), { lines: LINES, seed: 12 })
    const to = newFolder()
    const startMs = performance.now()
    const { code, stderr } = await sluice(argsOf(to))
    loadMs = performance.now() - startMs
    deepEqual([code, stderr], [0, ''])
    undisturbed = await stateOf(to)
    ok(undisturbed.requests.length > LINES * 0.99 && undisturbed.failed.length > 100)
    ok(undisturbed.errors.length > 50 && undisturbed.errors.length < undisturbed.failed.length)
    deepEqual(undisturbed.archive, undisturbed.requests)
  })

  it('F1: at random moments, ends with the same rows in each of them', async () => {
    const random = randomOf('several')
    let kills = 0
    for (let load = 0; load < 20 && kills < 8; load += 1) {
      const to = newFolder()
      for (let attempt = 0; attempt < 3; attempt += 1) {
        let killing = Promise.resolve()
        const { signal } = await sluice(argsOf(to), {
          onStart: (child) => {
            killing = (async () => {
              await untilHeld(join(to, 'requests.db'), child)
              await sleep(random() * loadMs * 0.7)
              child.kill('SIGKILL')
            })()
          },
        })
        await killing
        if (signal === null) break
        kills += 1
      }
      const { code, stderr } = await sluice(argsOf(to))
      deepEqual(code, 0, stderr)
      deepEqual(await stateOf(to), undisturbed)
      deepEqual(readdirSync(join(to, 'spool')), [])
    }
    ok(kills >= 8, `${kills} kills took effect`)
  })
})

/** The places of the rows in each sink, sorted, repeats kept. */
async function stateOf(to: string): Promise<State> {
  const database = new DatabaseSync(join(to, 'requests.db'), { readOnly: true })
  const requests = database.prepare('select file, "offset" from requests').all()
  const errors = database.prepare('select file, "offset" from errors').all()
  database.close()
  const instance = await DuckDBInstance.create(join(to, 'failed.duckdb'))
  const connection = await instance.connect()
  const failed = (await connection.runAndReadAll('select file, "offset" from failed')).getRowObjects()
  connection.closeSync()
  instance.closeSync()
  const archive = rowsIn(join(to, 'archive'))
  const placesOf = (rows: readonly Record<string, unknown>[]) => rows.map((row) => `${row.file}@${row.offset}`).sort()
  return {
    requests: placesOf(requests),
    failed: placesOf(failed),
    errors: placesOf(errors),
    archive: placesOf(archive),
  }
}
