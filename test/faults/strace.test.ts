import { deepEqual, ok } from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { logLines } from '../../scripts/make-access-log.ts'
import { loadArgs, loadHere, sluice } from '../support/cli.ts'
import { type TableState, tableState } from '../support/oracle.ts'
import { randomOf, SEED, times } from '../support/seed.ts'
import { databaseFiles, killing, NO_STRACE, ONE_THREAD } from '../support/strace.ts'

/** The calls that put bytes on the disk, in the order of their danger. */
const CALLS = ['pwrite64', 'fdatasync', 'fsync', 'ftruncate', 'unlink']

describe(`a small load under strace (REPRO: SEED=${SEED} npm test)`, { skip: NO_STRACE }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-strace-'))
  const input = join(folder, 'small.log')
  const random = randomOf('strace')
  after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(input, [...logLines({ lines: 200, seed: 5 })].join('\n'))

  /** Kills a load at its n-th call, starts it again, and looks at the table; false if there were fewer than n calls. */
  const killAt = async (call: string, n: number, undisturbed: TableState): Promise<boolean> => {
    const db = join(folder, `${call}-${n}.db`)
    const under = killing({ call, when: n, paths: databaseFiles(db) })
    const { code, stderr } = await sluice(loadArgs(input, db), { under, env: ONE_THREAD })
    if (code === 0) return false
    // strace ends as what it traced: by the signal, or with its number.
    ok(code === null || code === 137, `${code} ${stderr}`)
    await loadHere(input, db)
    deepEqual(tableState(db), undisturbed, `killed at ${call} ${n}`)
    return true
  }

  it('F2: killed at each sync, cut and removal, and at some of its writes, ends with the same table', async () => {
    const clean = join(folder, 'clean.db')
    await loadHere(input, clean)
    const undisturbed = tableState(clean)
    let kills = 0
    for (const call of CALLS) {
      // Of the many writes one of a few, another one in each run; all of them in a soak.
      const stride = call === 'pwrite64' ? Math.max(1, Math.ceil(8 / times(1))) : 1
      // Two at a time: each kill is a process of its own.
      for (let n = 1 + Math.floor(random() * stride), isMore = true; isMore; n += 2 * stride) {
        const killed = await Promise.all([killAt(call, n, undisturbed), killAt(call, n + stride, undisturbed)])
        kills += killed.filter((took) => took).length
        isMore = killed.every((took) => took)
      }
    }
    ok(kills >= 20, `${kills} kills took effect`)
  })
})
