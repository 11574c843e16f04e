// Runs one of the flows: flow-ours.ts NAME INPUT THREADS EVENTS. Threads 0: in this thread.

import { existsSync } from 'node:fs'
import { collect } from 'sluice'

/** Empty lines are no events of `lines`, and malformed to the reference programs. */
const ACCESS_LINES = 1_000_000

/** What the flows give, all in one: each has some of these. */
interface Row {
  readonly key: string
  readonly n: number
  readonly min: number
  readonly max: number
  readonly sum: number
  readonly mean: number
  readonly requests: number
  readonly bytes: number
}
type Checks = Readonly<Record<string, (...args: unknown[]) => readonly [n: number, check: string]>>

const [name = 'empty', input = '', threads = '0', events = '1'] = process.argv.slice(2)
process.env.INPUT = input
process.env.EVENTS = events

const module = new URL('./flow-jobs.ts', import.meta.url)
const before = performance.now()
const rows =
  threads === '0'
    ? await collect((await import(module.href))[name])
    : await collect(module, { threads: Number(threads), name })
const seconds = (performance.now() - before) / 1000

console.log(
  JSON.stringify({ seconds, check: await checkOf(rows as Row[]), peakBytes: process.resourceUsage().maxRSS * 1024 }),
)

/** The answer in the words of the reference programs, where they are beside the project. */
async function checkOf(all: readonly Row[]): Promise<string> {
  const common = new URL('../../../shared/bench/limits/node/common.mjs', import.meta.url)
  if (name === 'windows') {
    const means = all.reduce((sum, { mean }) => sum + mean, 0)
    return `pairs=${all.length} sum_means=${means.toFixed(2)}`
  }
  if (!existsSync(common) || !['wordcount', 'accesslog', 'brc'].includes(name)) return `${all.length} events`
  const { checks } = (await import(common.href)) as { readonly checks: Checks }
  const tenths = (degrees: number): number => Math.round(degrees * 10)
  if (name === 'wordcount') return checks.words?.(new Map(all.map(({ key, n }) => [key, n])))[1] ?? ''
  if (name === 'brc') {
    const stations = all.map(({ key, min, max, sum, n }) => ({
      name: key,
      min: tenths(min),
      max: tenths(max),
      sum: tenths(sum),
      n,
    }))
    return checks.brc?.(stations)[1] ?? ''
  }
  const groups = all.filter(({ key }) => key !== '').map(({ key, requests, bytes }) => [key, requests, bytes])
  const whole = all.reduce((sum, { key, requests }) => (key === '' ? sum : sum + requests), 0)
  return checks.accesslog?.(groups, ACCESS_LINES - whole)[1] ?? ''
}
