// How fast are files loaded into each store, and what do epochs cost?

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { PostgresServer } from '../test/support/postgres.ts'
import { FOLDER, makeLog } from './access-log-load.ts'
import { benchFile, type Contestant, hold } from './contest.ts'

type Store = 'sqlite' | 'duckdb' | 'postgres'

/** How much is measured: few lines, or all of them; once, or the median of three. */
interface Effort {
  readonly quick: boolean
  readonly once: boolean
}

export async function benchLoads(stores: readonly Store[], { quick, once }: Effort): Promise<void> {
  const lines = quick ? 50_000 : 1_000_000
  const log = makeLog(lines)
  const runs = quick || once ? 1 : 3
  const server = await PostgresServer.start()
  try {
    for (const keyed of [false, true]) {
      for (const store of stores) {
        const targetOf = async (name: string): Promise<string> =>
          store === 'postgres' ? server.url(await server.createDatabase()) : join(FOLDER, `${name}.${store}`)
        const words = async (name: string, threads: number): Promise<readonly string[]> => [
          log,
          store,
          await targetOf(name),
          `${keyed}`,
          `${threads}`,
        ]
        const hand: Contestant[] = []
        if (store === 'sqlite' && keyed) {
          hand.push({
            name: 'a hand-written loop',
            argv: [benchFile('contestants/load-hand.ts'), log, join(FOLDER, 'hand.db'), 'sums'],
          })
        }
        if (store !== 'sqlite') {
          hand.push({
            name: 'by hand, in bulk',
            argv: [benchFile('contestants/load-store-hand.ts'), ...(await words('hand', 0))],
          })
        }
        hold({
          title: `${lines.toLocaleString('en')} lines (${Math.round(statSync(log).size / 1e6)} MB) into ${store}, ${keyed ? 'by a key' : 'added'}`,
          unit: 'lines/s',
          amount: lines,
          // A table of PostgreSQL is there after the first run.
          runs: store === 'postgres' ? 1 : runs,
          contestants: [
            ours('Sluice', await words('ours', 0), true),
            ours('Sluice, 1 worker', await words('worker', 1), false),
            ours('Sluice, 2 workers', await words('workers', 2), false),
            ...hand,
          ],
        })
      }
    }
  } finally {
    await server.stop()
  }
}

export function benchEpochs({ quick, once }: Effort): void {
  const lines = quick ? 50_000 : 1_000_000
  const log = makeLog(lines)
  const words = (epochMs: string) => [
    log,
    'sqlite',
    join(FOLDER, `epochs-${epochMs}.db`),
    'true',
    '0',
    epochMs,
    'minutes',
  ]
  hold({
    title: `What epochs cost: ${lines.toLocaleString('en')} lines in one-minute windows by path`,
    unit: 'lines/s',
    amount: lines,
    runs: quick || once ? 1 : 3,
    contestants: [ours('an epoch a second', words('1000'), true), ours('one epoch in all', words('1000000000'), false)],
  })
}

function ours(name: string, words: readonly string[], isOurs: boolean): Contestant {
  return { name, argv: [benchFile('contestants/load-store.ts'), ...words], isOurs, isBuilt: true }
}
