// How fast do events pass through three stages, and fan out to four consumers?

import { benchFile, type Contestant, hold } from './contest.ts'

const ELSEWHERE = 'published: GenStage 1.3 on OTP 25, two cores'
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

export function benchStages(isQuick: boolean): void {
  const amount = isQuick ? 500_000 : 5_000_000
  for (const maxDemand of [1000, 100, 10]) {
    const rivals = maxDemand === 1000 ? [...RIVALS, ...RIVALS_BY_ONE] : RIVALS
    const seconds = ((GENSTAGE_PASS[maxDemand] ?? 0) * amount) / 5_000_000
    hold({
      title: `Pass-through: ${amount.toLocaleString('en')} numbers, + 1, sum; maxDemand (chunk) ${maxDemand}`,
      unit: 'events/s',
      amount,
      runs: isQuick ? 1 : 3,
      contestants: [
        ours('pass-through-ours.ts', `${amount}`, `${maxDemand}`),
        ...rivals.map(([name, mode]): Contestant => {
          return { name, argv: [benchFile('contestants/pass-through-rivals.ts'), mode, `${amount}`, `${maxDemand}`] }
        }),
      ],
      published: [{ name: 'GenStage', seconds, from: ELSEWHERE }],
    })
  }
}

export function benchFanOut(isQuick: boolean): void {
  const amount = isQuick ? 200_000 : 2_000_000
  for (const kind of ['demand', 'broadcast', 'partition', 'fair']) {
    const published = GENSTAGE_FAN[kind]
    const scaled = ((published ?? 0) * amount) / 2_000_000
    hold({
      title: `Fan-out: ${amount.toLocaleString('en')} numbers to four consumers by ${kind}`,
      unit: 'events/s',
      amount,
      runs: isQuick ? 1 : 3,
      contestants: [ours('fan-out-ours.ts', kind, `${amount}`)],
      published: published === undefined ? [] : [{ name: 'GenStage', seconds: scaled, from: ELSEWHERE }],
    })
  }
}

function ours(file: string, ...argv: readonly string[]): Contestant {
  return { name: 'Sluice', argv: [benchFile(`contestants/${file}`), ...argv], isOurs: true }
}
