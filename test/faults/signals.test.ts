import { deepEqual, equal, match, ok } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { FaultLoad, LOAD, type LoadState, undisturbed } from '../support/fault-load.ts'
import { writeNumbered } from '../support/inputs.ts'
import { untilHeld } from '../support/progress.ts'
import { ROOT } from '../support/project.ts'
import { randomOf, SEED, times } from '../support/seed.ts'

const BIN = join(ROOT, 'src', 'cli', 'bin.ts')
const LINES = 60_000

describe(`a load whose terminal, or reader, goes away (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-signals-'))
  const input = join(folder, 'in.log')
  const random = randomOf('signals')
  let expected: LoadState
  after(() => rmSync(folder, { recursive: true, force: true }))
  before(async () => {
    writeNumbered(input, { lines: LINES, padding: 50 })
    expected = await undisturbed({ input, out: join(folder, 'undisturbed.db') })
  })

  it('F33: stops with 129 and without a stack when its terminal hangs up, and goes on', async () => {
    let stopped = 0
    for (let turn = 0; turn < 10 && stopped < times(2); turn += 1) {
      const load = new FaultLoad({ input, out: join(folder, `hup-${turn}.db`) })
      const { code, signal, stderr } = await load.run([], {
        onStart: async (child) => {
          await untilHeld(load.store, child)
          await sleep(random() * 150)
          child.kill('SIGHUP')
        },
      })
      ok(code === 129 || code === 0 || signal === 'SIGHUP', `${code} ${stderr}`)
      if (code === 129) {
        stopped += 1
        match(
          stderr,
          /^stopping: received SIGHUP; finishing what was read\nstopped after .*; continue with: sluice run .*\n$/,
        )
      }
      await load.finish(expected)
    }
    ok(stopped > 0, 'no load was stopped in time')
  })

  /** Runs a line of the shell; the exit code of its first command is what it ends with. */
  const inShell = (line: string): { code: number | null; stdout: string; stderr: string } => {
    const { status, stdout, stderr } = spawnSync('bash', ['-c', `${line}; exit \${PIPESTATUS[0]}`], {
      cwd: ROOT,
      encoding: 'utf8',
    })
    return { code: status, stdout, stderr }
  }
  const hasBash = spawnSync('bash', ['-c', 'true']).status === 0
  const skip = hasBash ? false : 'there is no bash'
  const commandOf = (load: FaultLoad, more = ''): string => {
    const words = [process.execPath, '--conditions=sluice-source', BIN, 'run', LOAD, ...load.args]
    return `${words.map((word) => `'${word}'`).join(' ')} --epoch-ms 20 ${more}`
  }

  it('F33: ends with 0 where its rows went to a reader that has seen enough, and gives the rest again', {
    skip,
  }, async () => {
    const load = new FaultLoad({ input, into: 'stdout', out: join(folder, 'rows') })
    const first = inShell(`${commandOf(load, '--quiet')} | head -n 1`)
    deepEqual([first.code, first.stderr], [0, ''])
    equal(JSON.parse(first.stdout).text, `line 0 ${'x'.repeat(50)}`)
    // At least once: what was given before the last commit does not come again, what came after it does.
    const rest = inShell(`${commandOf(load, '--quiet 2>/dev/null')} | tail -n 1`)
    equal(rest.code, 0)
    equal(JSON.parse(rest.stdout).text, `line ${LINES - 2} ${'x'.repeat(50)}`)
    const { loaded, dead } = JSON.parse(inShell(`${commandOf(load, '--json --quiet 2>&1 >/dev/null')}`).stdout).overall
    deepEqual([loaded, dead], [expected.rows, expected.dead])
  })

  it('F33: loads all, and ends with 74, where nobody reads its summary', { skip }, () => {
    const load = new FaultLoad({ input, out: join(folder, 'summary.db') })
    // A pipe whose reader is gone when the summary is printed.
    const { code, stderr } = inShell(`${commandOf(load, '--quiet')} | true`)
    deepEqual([code, stderr], [74, ''])
    deepEqual(load.state(), expected)
  })

  it('F33: loads all where nobody reads what it says meanwhile', async () => {
    const load = new FaultLoad({ input, out: join(folder, 'silent.db') })
    const args = load.args
    const { status } = spawnSync(
      'sh',
      ['-c', 'exec "$0" "$@" 2>&-', process.execPath, '--conditions=sluice-source', BIN, 'run', LOAD, ...args],
      { cwd: ROOT, stdio: 'ignore' },
    )
    equal(status, 0)
    deepEqual(load.state(), expected)
    await load.finish(expected)
  })
})
