// How fast are files loaded into each store, and what do epochs cost?

import { statSync } from 'node:fs'
import { join } from 'node:path'
import { PostgresServer } from '../test/support/postgres.ts'
import { benchFile, type Contestant, hold } from './contest.ts'
import { FOLDER, makeLog } from './data.ts'
import { type Effort, runsOf, scalesOf } from './effort.ts'
import type { Target } from './target.ts'

type Store = 'sqlite' | 'duckdb' | 'postgres'

const HAND = 'by hand, in bulk'
const OWN_SQL = "DuckDB's own SQL, 2 threads"
/** The rate beside the loop by hand, without a worker and with two. */
const WANTED: Readonly<Record<Store, readonly [none: number, two: number]>> = {
  sqlite: [1, 1.15],
  duckdb: [1.1, 1.6],
  postgres: [1.1, 1.6],
}

const PEAK: Target = { kind: 'peak', atMostMB: 200 }
const speed = (atLeast: number, than: string, as: string): Target => ({ kind: 'speed', atLeast, than, as })

export async function benchLoads(stores: readonly Store[], effort: Effort): Promise<void> {
  const server = stores.includes('postgres') ? await PostgresServer.start() : undefined
  const targetOf = async (store: Store, name: string): Promise<string> =>
    server !== undefined && store === 'postgres'
      ? server.url(await server.createDatabase())
      : join(FOLDER, `${name}.${store}`)
  try {
    for (const scale of scalesOf(effort)) {
      const log = makeLog(1_000_000 * scale)
      for (const isKeyed of [false, true]) {
        for (const store of stores) await benchLoad(log, scale, store, isKeyed, effort, targetOf)
      }
      if (stores.includes('duckdb')) benchOwnSql(log, scale, effort)
    }
  } finally {
    await server?.stop()
  }
}

async function benchLoad(
  log: string,
  scale: number,
  store: Store,
  isKeyed: boolean,
  effort: Effort,
  targetOf: (store: Store, name: string) => Promise<string>,
): Promise<void> {
  const words = async (name: string, threads: number): Promise<readonly string[]> => {
    return [log, store, await targetOf(store, name), `${isKeyed}`, `${threads}`]
  }
  const byHand =
    store === 'sqlite'
      ? [benchFile('contestants/load-hand.ts'), log, join(FOLDER, 'hand.db'), isKeyed ? 'keyed' : 'added']
      : [benchFile('contestants/load-store-hand.ts'), ...(await words('hand', 0))]
  const [none, two] = WANTED[store]
  // DuckDB's own memory comes on top of what a load takes.
  const peak = store === 'duckdb' ? [] : [PEAK]
  hold({
    title: `${sizeOf(log, scale)} into ${store}, ${isKeyed ? 'by a key' : 'added'}`,
    unit: 'lines/s',
    amount: 1_000_000 * scale,
    base: { name: HAND, as: 'hand' },
    // A table of PostgreSQL is there after the first run.
    runs: store === 'postgres' ? 1 : runsOf(effort, scale),
    contestants: [
      ours('Sluice, no worker', await words('ours', 0), [speed(none, HAND, 'hand'), ...peak]),
      ours('Sluice, 1 worker', await words('worker', 1)),
      ours('Sluice, 2 workers', await words('workers', 2), [speed(two, HAND, 'hand'), ...peak]),
      { name: HAND, argv: byHand },
    ],
  })
}

/** DuckDB knows no lines and offsets of what it reads: both load the fields of requests, without their places. */
function benchOwnSql(log: string, scale: number, effort: Effort): void {
  const words = (threads: number): readonly string[] => {
    return [log, 'duckdb', join(FOLDER, `fields-${threads}.duckdb`), 'false', `${threads}`, '', 'fields']
  }
  hold({
    title: `${sizeOf(log, scale)} into duckdb, the fields of requests without their places`,
    unit: 'lines/s',
    amount: 1_000_000 * scale,
    base: { name: OWN_SQL, as: 'SQL' },
    runs: runsOf(effort, scale),
    contestants: [
      ours('Sluice, no worker', words(0)),
      ours('Sluice, 2 workers', words(2), [speed(1, OWN_SQL, 'SQL')]),
      { name: OWN_SQL, argv: [benchFile('contestants/load-duckdb.ts'), log, join(FOLDER, 'sql.duckdb')] },
    ],
  })
}

function sizeOf(log: string, scale: number): string {
  return `${(1_000_000 * scale).toLocaleString('en')} lines (${Math.round(statSync(log).size / 1e6)} MB)`
}

export function benchEpochs(effort: Effort): void {
  for (const scale of scalesOf(effort)) {
    const lines = 1_000_000 * scale
    const log = makeLog(lines)
    const words = (epochMs: string): readonly string[] => {
      return [log, 'sqlite', join(FOLDER, `epochs-${epochMs}.db`), 'true', '0', epochMs, 'minutes']
    }
    hold({
      title: `What epochs cost: ${lines.toLocaleString('en')} lines in one-minute windows by path`,
      unit: 'lines/s',
      amount: lines,
      base: { name: 'one epoch in all', as: 'one epoch' },
      runs: runsOf(effort, scale),
      contestants: [ours('an epoch a second', words('1000')), ours('one epoch in all', words('1000000000'))],
    })
  }
}

function ours(name: string, words: readonly string[], targets: readonly Target[] = []): Contestant {
  return { name, argv: [benchFile('contestants/load-store.ts'), ...words], targets, isBuilt: true }
}
