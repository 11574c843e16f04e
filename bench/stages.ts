// How fast do events pass through three stages, and fan out to four consumers?

import { benchFile, type Contestant, hold } from './contest.ts'
import { type Effort, runsOf, scalesOf } from './effort.ts'
import { elixir } from './rivals.ts'
import type { Target } from './target.ts'

/** Seconds for 5 million events, by maxDemand. */
const GENSTAGE_PASS: Readonly<Record<number, number>> = { 1000: 0.51, 100: 1.46, 10: 7.65 }
/** Seconds for 2 million events to four consumers. */
const GENSTAGE_FAN: Readonly<Record<string, number>> = { demand: 0.1, broadcast: 0.29, partition: 0.39 }

const RIVALS: readonly (readonly [name: string, mode: string])[] = [
  ['a loop, no stages', 'loop'],
  ['node:stream, by chunk', 'node-chunk'],
  ['web streams, by chunk', 'web-chunk'],
  ['async generators, by chunk', 'async-generator-chunk'],
  ['effect, one fiber', 'effect-chunk'],
  ['effect, a fiber a stage', 'effect-buffered'],
]
/** Ways that handle one event at a time: the same for every chunk size, and slow. */
const RIVALS_BY_ONE: readonly (readonly [name: string, mode: string])[] = [
  ['node:stream, object mode', 'node-one'],
  ['web streams', 'web-one'],
  ['async generators', 'async-generator-one'],
  ['effect, by one', 'effect-one'],
]

/** Level with the best rival that passes arrays through by hand, at a small demand. */
const LEVEL: Target = { kind: 'speed', atLeast: 1, than: RIVALS.slice(1).map(([name]) => name) }

export function benchStages(effort: Effort): void {
  for (const scale of scalesOf(effort))
    for (const maxDemand of [1000, 100, 10]) passThrough(5_000_000 * scale, maxDemand, runsOf(effort, scale))
}

function passThrough(amount: number, maxDemand: number, runs: number): void {
  const rivals = maxDemand === 1000 ? [...RIVALS, ...RIVALS_BY_ONE] : RIVALS
  const seconds = ((GENSTAGE_PASS[maxDemand] ?? 0) * amount) / 5_000_000
  const genStage = elixir('GenStage', ['stage_passthrough.exs', `${amount}`, `${maxDemand}`], seconds)
  hold({
    title: `Pass-through: ${amount.toLocaleString('en')} numbers, + 1, sum; maxDemand (chunk) ${maxDemand}`,
    unit: 'events/s',
    amount,
    base: { name: 'Sluice', as: 'ours' },
    runs,
    contestants: [
      ours('pass-through-ours.ts', `${amount}`, `${maxDemand}`),
      ...(maxDemand === 10 ? [atOnce(amount, maxDemand)] : []),
      ...rivals.map(([name, mode]): Contestant => {
        return { name, argv: [benchFile('contestants/pass-through-rivals.ts'), mode, `${amount}`, `${maxDemand}`] }
      }),
      ...genStage.contestants,
    ],
    published: genStage.published,
  })
}

export function benchFanOut(effort: Effort): void {
  for (const scale of scalesOf(effort)) {
    for (const kind of ['demand', 'broadcast', 'partition', 'fair'])
      fanOut(2_000_000 * scale, kind, runsOf(effort, scale))
  }
}

function fanOut(amount: number, kind: string, runs: number): void {
  const published = GENSTAGE_FAN[kind]
  const words = ['stage_fanout.exs', kind, `${amount}`]
  const genStage = published === undefined ? undefined : elixir('GenStage', words, (published * amount) / 2_000_000)
  hold({
    title: `Fan-out: ${amount.toLocaleString('en')} numbers to four consumers by ${kind}`,
    unit: 'events/s',
    amount,
    base: { name: 'Sluice', as: 'ours' },
    runs,
    contestants: [ours('fan-out-ours.ts', kind, `${amount}`), ...(genStage?.contestants ?? [])],
    published: genStage?.published ?? [],
  })
}

function ours(file: string, ...argv: readonly string[]): Contestant {
  return { name: 'Sluice', argv: [benchFile(`contestants/${file}`), ...argv] }
}

/** A subscription that asks again only when all that it asked for has come. */
function atOnce(amount: number, maxDemand: number): Contestant {
  const own = ours('pass-through-ours.ts', `${amount}`, `${maxDemand}`, '0')
  return { ...own, name: 'Sluice, minDemand 0', targets: [LEVEL] }
}
