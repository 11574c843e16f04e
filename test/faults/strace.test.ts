import { deepEqual, ok } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { logLines } from '../../scripts/make-access-log.ts'
import { loadArgs, loadHere, sluice } from '../support/cli.ts'
import { type TableState, tableState } from '../support/oracle.ts'

const canTrace = spawnSync('strace', ['-qq', '-o', '/dev/null', 'true']).status === 0
const skip = canTrace ? false : 'strace cannot be used here'

/** The calls that put bytes on the disk, in the order of their danger. */
const CALLS = ['pwrite64', 'fdatasync', 'fsync', 'ftruncate', 'unlink']

describe('a small load under strace', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-strace-'))
  const input = join(folder, 'small.log')
  after(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(input, [...logLines({ lines: 200, seed: 5 })].join('\n'))

  /** Kills a load at its n-th call, starts it again, and looks at the table; false if there were fewer than n calls. */
  const killAt = async (call: string, n: number, undisturbed: TableState): Promise<boolean> => {
    const db = join(folder, `${call}-${n}.db`)
    const files = ['', '-wal', '-shm', '-journal'].flatMap((ending) => ['-P', `${db}${ending}`])
    const inject = ['-e', `trace=${call}`, '-e', `inject=${call}:signal=KILL:when=${n}`]
    const under = ['strace', '-f', '-qq', '-o', '/dev/null', ...files, ...inject]
    const { code, stderr } = await sluice(loadArgs(input, db), { under, env: { UV_THREADPOOL_SIZE: '1' } })
    if (code === 0) return false
    // strace ends as what it traced: by the signal, or with its number.
    ok(code === null || code === 137, `${code} ${stderr}`)
    await loadHere(input, db)
    deepEqual(tableState(db), undisturbed, `killed at ${call} ${n}`)
    return true
  }

  it('F2: killed at its n-th write, sync and removal, for every n, ends with the same table', async () => {
    const clean = join(folder, 'clean.db')
    await loadHere(input, clean)
    const undisturbed = tableState(clean)
    let kills = 0
    for (const call of CALLS) {
      // Two at a time: each kill is a process of its own.
      for (let n = 1, isMore = true; isMore; n += 2) {
        const killed = await Promise.all([killAt(call, n, undisturbed), killAt(call, n + 1, undisturbed)])
        kills += killed.filter((took) => took).length
        isMore = killed.every((took) => took)
      }
    }
    ok(kills >= 20, `${kills} kills took effect`)
  })
})
