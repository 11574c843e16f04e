// Runs a contestant in a process of its own, and counts the CPU seconds that it and its children took.

import { spawnSync } from 'node:child_process'
import type { Target } from './target.ts'

/** One program that answers a question. It prints one JSON line: `{ seconds, check, … }`. */
export interface Contestant {
  readonly name: string
  readonly argv: readonly string[]
  /** The program, if it is not Node. */
  readonly command?: string
  readonly env?: Readonly<Record<string, string>>
  /** It runs on the built package, as users' programs do: what a worker's start costs is measured. */
  readonly isBuilt?: boolean
  readonly targets?: readonly Target[]
}

/** What a contestant printed in one run. */
export interface Result {
  readonly seconds: number
  readonly check: string
  readonly peakBytes?: number
  /** User and system together: of the whole process, unless the contestant says what its work alone took. */
  readonly cpuSeconds?: number
}

/** A shell tells what its children took, Node only what it took itself. */
const TIMED = '"$@"; status=$?; times >&2; exit $status'

export function runOnce({ name, argv, command, env, isBuilt = false }: Contestant): Result {
  const conditions = isBuilt || command !== undefined ? [] : ['--conditions=sluice-source']
  const words = [command ?? process.execPath, ...conditions, ...argv]
  const { status, stdout, stderr } = spawnSync('sh', ['-c', TIMED, 'sh', ...words], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { ...process.env, ...env },
  })
  const line = stdout.trim().split('\n').at(-1) ?? ''
  if (status !== 0 || !line.startsWith('{')) throw new Error(`${name} failed (${status}): ${stderr.slice(0, 2000)}`)
  return { cpuSeconds: childSeconds(stderr), ...JSON.parse(line) }
}

/** The last line of `times`: user and system time of the children, `0m1.23s 0m0.45s`. */
function childSeconds(stderr: string): number {
  const times = (stderr.trim().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.,]+)s/g)
  return [...times].reduce(
    (sum, [, minutes, rest = '']) => sum + Number(minutes) * 60 + Number(rest.replace(',', '.')),
    0,
  )
}
