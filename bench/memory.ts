// How much memory does a process take that holds as much as operators and sources may by default?

import { spawnSync } from 'node:child_process'
import { benchFile } from './contest.ts'

const CASE = benchFile('contestants/memory.ts')

function ask(words: readonly string[]): unknown {
  const { stdout, stderr, status } = spawnSync(process.execPath, ['--conditions=sluice-source', CASE, ...words], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout)
}

export function benchMemory(): void {
  console.log('\nMost memory of a process that holds all of it at once, in one thread, in MB')
  const names = ask([]) as readonly string[]
  console.table(Object.fromEntries(names.map((name) => [name, { MB: Math.round(ask([name]) as number) }])))
}
