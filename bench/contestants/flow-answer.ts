// What a flow gave, in the words of the reference programs where they are beside the project.

import { existsSync } from 'node:fs'

/** What the flows give, all in one: each has some of these. */
interface Row {
  readonly key?: string
  readonly text: string
  readonly station: string
  readonly status: number
  readonly path: string
  readonly n: number
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly y: number
  readonly requests: number
  readonly bytes: number | null
}
type Checks = Readonly<Record<string, (...args: unknown[]) => readonly [n: number, check: string]>>

/** Everything that comes out must fit: a single event more or less, or in another group, gives another answer. */
export async function answerOf(name: string, results: readonly unknown[], events: number): Promise<string> {
  if (results.every((one) => typeof one === 'number')) return `${results.reduce((all, one) => all + one, 0)}`
  const rows = results as readonly Row[]
  if (name === 'named') return `${rows.reduce((all, { y }) => all + y, 0)}`
  if (name === 'windows') {
    const means = rows.reduce((sum, { mean }) => sum + mean, 0)
    return `pairs=${rows.length} sum_means=${means.toFixed(2)}`
  }
  const common = new URL('../../../shared/bench/limits/node/common.mjs', import.meta.url)
  if (!existsSync(common)) return `${rows.length} rows`
  const { checks } = (await import(common.href)) as { readonly checks: Checks }
  if (name === 'wordcount') return checks.words?.(rows.map(({ key, text, n }) => [key ?? text, n]))[1] ?? ''
  if (name === 'brc') return checks.brc?.(rows.map(stationOf))[1] ?? ''
  const groups = rows
    .filter(({ key }) => key !== '')
    .map(({ key, status, path, requests, bytes }) => [key ?? `${status} ${path}`, requests, bytes ?? 0] as const)
  // Empty lines are not events of a source, and malformed to the reference programs.
  const whole = groups.reduce((sum, [, requests]) => sum + requests, 0)
  return checks.accesslog?.(groups, events - whole)[1] ?? ''
}

/** Degrees in whole tenths. */
function stationOf({ key, station, min, mean, max, n }: Row): object {
  const tenths = (degrees: number): number => Math.round(degrees * 10)
  return { name: key ?? station, min: tenths(min), max: tenths(max), sum: Math.round(mean * n * 10), n }
}
