// Runs contestants against each other: each in a process of its own, in turns, and prints one table.

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** One program that answers a question. It prints one JSON line: `{ seconds, check, … }`. */
export interface Contestant {
  readonly name: string
  readonly argv: readonly string[]
  /** The one the others are compared with. */
  readonly isOurs?: boolean
  /** It runs on the built package, as users' programs do: what a worker's start costs is measured. */
  readonly isBuilt?: boolean
}

/** What a contestant printed in one run. */
export interface Result {
  readonly seconds: number
  readonly check: string
  readonly peakBytes?: number
}

/** A figure from elsewhere: shown, and said to be from elsewhere. */
export interface Published {
  readonly name: string
  readonly seconds: number
  readonly from: string
}

export interface Contest {
  readonly title: string
  readonly unit: string
  readonly amount: number
  readonly contestants: readonly Contestant[]
  readonly published?: readonly Published[]
  /** Counted runs of each. */
  readonly runs: number
}

/** Lets all run in turns (A B C A B C …), and prints medians, ratios and whether the answers agree. */
export function hold({ title, unit, amount, contestants, published = [], runs }: Contest): void {
  const results = new Map<string, Result[]>(contestants.map(({ name }) => [name, []]))
  for (let round = 0; round < runs; round += 1) {
    for (const contestant of contestants) results.get(contestant.name)?.push(runOnce(contestant))
  }
  const ours = contestants.find(({ isOurs }) => isOurs === true)
  const ourSeconds = medianSeconds(results.get(ours?.name ?? '') ?? [])
  const answer = results.get(ours?.name ?? '')?.[0]?.check
  const rows = contestants.map(({ name }) => {
    const all = results.get(name) ?? []
    const seconds = medianSeconds(all)
    const peaks = all.map(({ peakBytes }) => peakBytes ?? 0)
    return {
      contestant: name,
      seconds: seconds.toFixed(3),
      [unit]: Math.round(amount / seconds).toLocaleString('en'),
      'time / ours': (seconds / ourSeconds).toFixed(2),
      'peak MB': Math.max(...peaks) > 0 ? Math.round(Math.max(...peaks) / 1e6).toString() : '',
      answer: all.every(({ check }) => check === answer) ? 'equal' : 'DIFFERS',
    }
  })
  for (const { name, seconds, from } of published) {
    rows.push({
      contestant: name,
      seconds: seconds.toFixed(3),
      [unit]: Math.round(amount / seconds).toLocaleString('en'),
      'time / ours': (seconds / ourSeconds).toFixed(2),
      'peak MB': '',
      answer: from,
    })
  }
  console.log(`\n${title} (median of ${runs}, each run in a process of its own)`)
  console.table(rows)
}

function runOnce({ name, argv, isBuilt = false }: Contestant): Result {
  const conditions = isBuilt ? [] : ['--conditions=sluice-source']
  const { status, stdout, stderr } = spawnSync(process.execPath, [...conditions, ...argv], {
    encoding: 'utf8',
    maxBuffer: 1 << 26,
  })
  const line = stdout.trim().split('\n').at(-1) ?? ''
  if (status !== 0 || !line.startsWith('{')) throw new Error(`${name} failed (${status}): ${stderr.slice(0, 2000)}`)
  return JSON.parse(line)
}

function medianSeconds(results: readonly Result[]): number {
  const sorted = results.map(({ seconds }) => seconds).sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** The path of a file below `bench/`. */
export function benchFile(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
