// Rivals in other languages: run where they are installed, otherwise as they were published.

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Contestant, Published } from './contest.ts'
import { FOLDER, SHARED } from './data.ts'

export interface Rivals {
  readonly contestants: readonly Contestant[]
  readonly published: readonly Published[]
}

/** Two cores, Elixir 1.14 on OTP 25. */
const ELSEWHERE = 'published, another machine'

/** One of the reference programs in Rust, on one thread and on two. */
export function rust(work: string, input: string, published: readonly [number, number], scale: number): Rivals {
  const program = built(work)
  const names = ['Rust, 1 thread', 'Rust, 2 threads']
  if (program === undefined) {
    const from = ELSEWHERE
    return {
      contestants: [],
      published: names.map((name, at) => ({ name, seconds: (published[at] ?? Number.NaN) * scale, from })),
    }
  }
  return {
    contestants: names.map((name, at) => ({ name, command: program, argv: [input, `${at + 1}`] })),
    published: [],
  }
}

/** The program, built once; undefined where there is no compiler. */
function built(work: string): string | undefined {
  const folder = join(FOLDER, 'rust')
  const program = join(folder, work)
  if (existsSync(program)) return program
  mkdirSync(folder, { recursive: true })
  const optimized = ['--edition', '2021', '-C', 'opt-level=3', '-C', 'target-cpu=native']
  const source = join(SHARED, 'limits/rust', `${work}.rs`)
  const { error, status, stderr } = spawnSync('rustc', [...optimized, source, '-o', program], { encoding: 'utf8' })
  if (error !== undefined) return undefined
  if (status !== 0) throw new Error(`rustc failed (${status}): ${stderr.slice(0, 2000)}`)
  return program
}

/** A script of Flow or GenStage, where both are found (`ERL_LIBS` names their folders). */
export function elixir(name: string, [script = '', ...words]: readonly string[], publishedSeconds: number): Rivals {
  if (!hasElixir()) {
    return { contestants: [], published: [{ name, seconds: publishedSeconds, from: ELSEWHERE }] }
  }
  return {
    contestants: [{ name, command: 'elixir', argv: [join(SHARED, 'elixir', script), ...words] }],
    published: [],
  }
}

let foundElixir: boolean | undefined

function hasElixir(): boolean {
  const load = 'Code.ensure_loaded!(Flow); Code.ensure_loaded!(GenStage)'
  foundElixir ??= existsSync(SHARED) && spawnSync('elixir', ['-e', load]).status === 0
  return foundElixir
}
