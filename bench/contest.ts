// Runs contestants against each other: each in a process of its own, in turns, and reports one table.

import { fileURLToPath } from 'node:url'
import { report } from './report.ts'
import { type Contestant, runOnce } from './run-once.ts'
import { type Figures, verdictOf } from './target.ts'

export type { Contestant } from './run-once.ts'

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
  /** The one the others are compared with, in time and answer: its name, and how the column calls it. */
  readonly base: { readonly name: string; readonly as: string }
  readonly published?: readonly Published[]
  /** Counted runs of each. */
  readonly runs: number
}

/** Lets all run in turns (A B C A B C …), and reports medians, ratios, targets and whether the answers agree. */
export function hold({ title, unit, amount, contestants, base, published = [], runs }: Contest): void {
  const results = new Map(contestants.map((one) => [one.name, [runOnce(one)]]))
  for (let round = 1; round < runs; round += 1) {
    for (const contestant of contestants) results.get(contestant.name)?.push(runOnce(contestant))
  }
  const figures = new Map<string, Figures>()
  for (const [name, all] of results) {
    const peakBytes = Math.max(...all.map((one) => one.peakBytes ?? 0))
    figures.set(name, { seconds: median(all.map(({ seconds }) => seconds)), peakBytes, amount })
  }
  const baseSeconds = figures.get(base.name)?.seconds ?? Number.NaN
  const answer = results.get(base.name)?.[0]?.check
  const rowOf = (name: string, seconds: number) => ({
    contestant: name,
    seconds: seconds.toFixed(3),
    'CPU s': '',
    [unit]: Math.round(amount / seconds).toLocaleString('en'),
    [`time / ${base.as}`]: (seconds / baseSeconds).toFixed(2),
    'peak MB': '',
    answer: '',
    target: '',
  })
  const rows = contestants.map(({ name, targets = [] }) => {
    const all = results.get(name) ?? []
    const own = figures.get(name) ?? { seconds: Number.NaN, peakBytes: 0, amount }
    const verdicts = targets.map((target) => verdictOf(target, own, figures)).filter((words) => words !== undefined)
    return {
      ...rowOf(name, own.seconds),
      'CPU s': median(all.map(({ cpuSeconds }) => cpuSeconds ?? Number.NaN)).toFixed(2),
      'peak MB': own.peakBytes > 0 ? Math.round(own.peakBytes / 1e6).toString() : '',
      answer: all.every(({ check }) => check === answer) ? 'equal' : 'DIFFERS',
      target: verdicts.join('; '),
    }
  })
  for (const { name, seconds, from } of published) rows.push({ ...rowOf(name, seconds), answer: from })
  // A table without targets needs no column for them.
  const hasTargets = rows.some(({ target }) => target !== '')
  const shown = hasTargets ? rows : rows.map(({ target: _, ...row }) => row)
  report(title, runs === 1 ? 'one run of each' : `median of ${runs} runs, each in a process of its own`, shown)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}

/** The path of a file below `bench/`. */
export function benchFile(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url))
}
