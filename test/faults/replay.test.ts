import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { rowsIn } from '../../src/testing/rows-in.ts'
import { type CliOptions, type Outcome, sluice } from '../support/cli.ts'
import { untilHeld } from '../support/progress.ts'
import { ROOT } from '../support/project.ts'
import { randomOf, SEED, times } from '../support/seed.ts'

const JOB = join(ROOT, 'test', 'jobs', 'mended.ts')
const RECORDS = 12_000

describe(`dead letters that are tried again, and killed while they are (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-replay-'))
  const input = join(folder, 'in.ndjson')
  const random = randomOf('replay')
  let expected: unknown
  let replayMs = 0
  after(() => rmSync(folder, { recursive: true, force: true }))

  const call = (words: readonly string[], db: string, most: number, options: CliOptions = {}): Promise<Outcome> => {
    const params = { input, db, most: `${most}` }
    const pairs = Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${value}`])
    const [command = 'run', ...rest] = words
    return sluice([command, JOB, ...rest, ...pairs], options)
  }

  /** Rows, letters and what the checkpoint says became of the records. */
  const stateOf = (db: string) => ({
    rows: rowsIn(db, 'select n from t order by n').map(({ n }) => n),
    letters: rowsIn(db, 'select line, reason from dead_letters order by line').map((row) => Object.values(row)),
    totals: JSON.parse(String(rowsIn(db, 'select totals from sluice_checkpoints')[0]?.totals)),
  })

  before(async () => {
    writeFileSync(input, Array.from({ length: RECORDS }, (_, n) => `{"n":${n}}\n`).join(''))
    // What comes out is what a run would have made that could do it from the start.
    const db = join(folder, 'undisturbed.db')
    equal((await call(['run', '--quiet'], db, RECORDS - 3)).code, 0)
    expected = stateOf(db)
    const timed = join(folder, 'timed.db')
    await call(['run', '--quiet'], timed, 10)
    const { ms, stdout } = await call(['dead-letters', 'replay'], timed, RECORDS - 3)
    match(stdout, /11,987 loaded, 2 failed again/)
    deepEqual(stateOf(timed), expected)
    replayMs = ms
  })

  it('F37: come to the same, however often and wherever it is', async () => {
    let kills = 0
    for (let turn = 0; turn < 6 && kills < times(3); turn += 1) {
      const db = join(folder, `${turn}.db`)
      await call(['run', '--quiet'], db, 10)
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const { signal } = await call(['dead-letters', 'replay'], db, RECORDS - 3, {
          onStart: async (child) => {
            await untilHeld(db, child)
            await sleep(random() * replayMs * 0.5)
            child.kill('SIGKILL')
          },
        })
        if (signal === 'SIGKILL') kills += 1
        const { totals, rows, letters } = stateOf(db)
        deepEqual([totals.read, totals.loaded, totals.dead], [RECORDS, rows.length, letters.length], 'it adds up')
      }
      for (let again = 0; again < 2; again += 1) {
        const { code, stderr } = await call(['dead-letters', 'replay'], db, RECORDS - 3)
        deepEqual([code, stderr], [0, ''])
        deepEqual(stateOf(db), expected)
      }
    }
    ok(kills > 0, 'no replay was killed')
  })
})
