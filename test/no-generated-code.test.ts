import { equal } from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ROOT } from './support/project.ts'

const PROGRAMS = ['word-count', 'sensor-windows', 'join']
const FORBID = '--disallow-code-generation-from-strings'

/** What a program prints, in a process that may or may not make code from text. */
function printed(args: readonly string[]): string {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=sluice-source', ...args], {
    encoding: 'utf8',
    cwd: ROOT,
    timeout: 60_000,
  })
  equal(status, 0, stderr)
  return stdout
}

describe('where code from strings is forbidden', () => {
  it('is forbidden by the flag', () => {
    equal(spawnSync(process.execPath, [FORBID, '-e', 'new Function("")'], { stdio: 'ignore' }).status, 1)
  })

  for (const name of PROGRAMS) {
    it(`${name} gives what it gives elsewhere`, () => {
      const file = join('examples', `${name}.ts`)
      equal(printed([FORBID, file]), printed([file]))
    })
  }

  it('flows run on threads as they do elsewhere', () => {
    const args = ['src/cli/bin.ts', 'run', join('examples', 'word-count.ts'), '--threads', '2', '--quiet']
    const sorted = (text: string): string => text.split('\n').sort().join('\n')
    equal(sorted(printed([FORBID, ...args])), sorted(printed(args)))
  })
})
