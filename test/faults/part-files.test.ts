import { deepEqual, match, ok } from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type NumberLoad, writeNumbers } from '../support/number-load.ts'
import { idsIn, unfinishedIn } from '../support/part-files.ts'
import { ROOT } from '../support/project.ts'
import { randomOf, SEED, times } from '../support/seed.ts'
import { failing, killing, NO_STRACE } from '../support/strace.ts'

const PROGRAM = join(ROOT, 'test', 'jobs', 'write-files.ts')

interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stderr: string
}

/** Runs the program until it ends; `killAfter` gives the moment at which it is killed. */
function write(load: NumberLoad, under: readonly string[] = [], killAfter?: Promise<unknown>): Promise<Ended> {
  const args = ['--conditions=sluice-source', PROGRAM, load.folder, String(load.count), String(load.perEpoch)]
  const [program, ...rest] = [...under, process.execPath, ...args]
  const child = spawn(program as string, rest, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  })
  const stderr: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => stderr.push(text))
  void killAfter?.then(() => child.kill('SIGKILL'))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, stderr: stderr.join('') }))
  })
}

/** Goes on without a fault, and looks at what there is. */
async function finish(load: NumberLoad, fault: string): Promise<void> {
  await writeNumbers(load)
  const all = Array.from({ length: load.count }, (_, id) => id)
  deepEqual(idsIn(load.folder), all, fault)
  deepEqual(unfinishedIn(load.folder), [], fault)
}

describe(`a load of part files that is killed (REPRO: SEED=${SEED} npm test)`, () => {
  const root = mkdtempSync(join(tmpdir(), 'sluice-part-files-'))
  after(() => rmSync(root, { recursive: true, force: true }))

  it('F1: at random moments, ends with every row in one file that counts', async () => {
    const random = randomOf('part files')
    const timed = { folder: join(root, 'timed'), count: 600, perEpoch: 20 }
    const startedMs = performance.now()
    await write(timed)
    const allMs = performance.now() - startedMs
    let kills = 0
    for (let loads = 0; loads < times(20) && kills < times(8); loads += 1) {
      const load = { ...timed, folder: join(root, `load-${loads}`) }
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const { signal } = await write(load, [], sleep(random() * allMs))
        if (signal === 'SIGKILL') kills += 1
      }
      await finish(load, `load ${loads}`)
    }
    ok(kills >= times(8), `${kills} kills took effect`)
  })

  const skip = NO_STRACE
  const small = { count: 12, perEpoch: 6 }

  /** Goes through n = 1, 2 … until there are fewer such calls; two at a time. */
  const forEveryCall = async (call: string, one: (n: number) => Promise<boolean>): Promise<number> => {
    for (let n = 1; ; n += 2) {
      const took = await Promise.all([one(n), one(n + 1)])
      const done = took.indexOf(false)
      if (done >= 0) return n - 1 + done
      ok(n < 200, `${call} never ends`)
    }
  }

  it('F2: at its n-th sync, rename, and folder, for every n, ends with the same rows', { skip }, async () => {
    let kills = 0
    for (const call of ['rename', 'fsync', 'fdatasync', 'mkdir']) {
      kills += await forEveryCall(call, async (n) => {
        const load = { ...small, folder: join(root, `${call}-${n}`) }
        const { code, stderr } = await write(load, killing({ call, when: n }))
        if (code === 0) return false
        ok(code === null || code === 137, `${code} ${stderr}`)
        await finish(load, `killed at ${call} ${n}`)
        return true
      })
    }
    ok(kills >= 20, `${kills} kills took effect`)
  })

  it('F14: a sync or rename that fails stops the run, is never tried again, and costs nothing', { skip }, async () => {
    for (const call of ['fsync', 'rename']) {
      const failed = await forEveryCall(call, async (n) => {
        const load = { count: 6, perEpoch: 6, folder: join(root, `eio-${call}-${n}`) }
        const { code, stderr } = await write(load, failing('EIO', { call, when: n }))
        if (code === 0) return false
        match(stderr, /^STORAGE_FAILED: Cannot [^\n]*EIO/, `${call} ${n}`)
        await finish(load, `EIO at ${call} ${n}`)
        return true
      })
      ok(failed >= 3, `${failed} calls of ${call} failed`)
    }
  })
})
