// Loads of numbers that a broker sends, into SQLite: looked at while they run, and over kills.

import { deepEqual, ok } from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { sluice } from './cli.ts'
import { until } from './until.ts'

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1)
/** The first of numbers from 1 on that is out of its place. Of tens of thousands, Node takes minutes to show how they differ. */
export const misplaced = (numbers: readonly number[]): number | undefined => numbers.find((n, at) => n !== at + 1)

/** The numbers in the table `numbers`, sorted, repeats kept; none before there is a table. */
export function numbersIn(out: string): number[] {
  if (!existsSync(out)) return []
  const database = new DatabaseSync(out)
  try {
    database.exec('pragma busy_timeout = 5000')
    return database
      .prepare('select n from numbers order by n')
      .all()
      .map(({ n }) => Number(n))
  } catch {
    return []
  } finally {
    database.close()
  }
}

export interface KilledLoad {
  /** The pipeline's module, and its parameters. */
  readonly job: string
  readonly params: Readonly<Record<string, string>>
  /** The database, and the numbers that are in it at the end: from 1 to `count`. */
  readonly out: string
  readonly count: number
  readonly kills: number
  readonly random: () => number
}

/** Runs a load that is killed at random moments and started again until all numbers are there, and looks. */
export async function loadOverKills({ job, params, out, count, kills: most, random }: KilledLoad): Promise<void> {
  const given = Object.entries(params).flatMap(([name, value]) => ['--param', `${name}=${value}`])
  let kills = 0
  for (let turn = 0; turn < 60 && numbersIn(out).length < count; turn += 1) {
    const over = new AbortController()
    const isLast = kills >= most
    const { signal, code, stderr } = await sluice(['run', job, '--quiet', '--epoch-ms', '20', ...given], {
      onStart: (child) => {
        void (async () => {
          if (isLast) await until(() => numbersIn(out).length >= count || over.signal.aborted, 'all numbers')
          // At any moment, also before it has begun; the first ones soon, as a fast machine has all loaded before long.
          else await sleep(150 + random() * 150 * (kills + 1))
          if (!over.signal.aborted) child.kill(isLast ? 'SIGTERM' : 'SIGKILL')
        })()
      },
    })
    over.abort()
    ok(signal === 'SIGKILL' || code === 0, stderr)
    if (signal === 'SIGKILL') kills += 1
  }
  ok(kills > 2, `${kills} kills took effect`)
  deepEqual(numbersIn(out), upTo(count))
}
