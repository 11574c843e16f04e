import { deepEqual, equal, ok } from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sluice } from '../support/cli.ts'
import { type Into, LETTERS, LettersLoad, type LettersState, writeOrders } from '../support/dead-letters.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'
import { randomOf, SEED, times } from '../support/seed.ts'

const ORDERS = 2000

describe(`dead letters of loads that are killed (REPRO: SEED=${SEED} npm test)`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-letters-kill-'))
  const input = join(folder, 'orders.ndjson')
  const lines = writeOrders(input, ORDERS, 'killed letters')
  let postgres: PostgresServer | undefined
  let loads = 0
  before(async () => {
    if (missingPostgres() === false) postgres = await PostgresServer.start()
  })
  after(async () => {
    await postgres?.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const newLoad = async (into: Into): Promise<LettersLoad> => {
    loads += 1
    const to = postgres !== undefined && into === 'postgres' ? await newDatabase(postgres) : join(folder, `${loads}`)
    if (into !== 'postgres') mkdirSync(to)
    return new LettersLoad({ input, into, to, lines })
  }
  const run = (load: LettersLoad, threads: number, kill?: (child: { kill(signal: 'SIGKILL'): void }) => void) => {
    const more = ['--quiet', '--epoch-ms', '15', ...(threads === 0 ? [] : ['--threads', `${threads}`])]
    return sluice(['run', LETTERS, ...load.args, ...more], kill === undefined ? {} : { onStart: kill })
  }

  for (const into of ['sqlite', 'duckdb', 'postgres', 'files', 'several'] as const) {
    it(`C63: are as many as were counted, and the same, in ${into}`, {
      skip: into === 'postgres' && missingPostgres(),
    }, async () => {
      const random = randomOf(into)
      const plain = await newLoad(into)
      const { code, stderr, ...first } = await run(plain, 0)
      // The shortest of all: the machine may be less busy later.
      let { ms } = first
      deepEqual([code, stderr], [0, ''])
      const expected: LettersState = await plain.state()
      equal(expected.read, ORDERS)
      let kills = 0
      for (let turn = 0; turn < times(3) || (kills === 0 && turn < 12); turn += 1) {
        const load = await newLoad(into)
        const threads = turn % 3
        for (let attempt = 0; attempt < 2; attempt += 1) {
          const killed = await run(load, threads, (child) => {
            void sleep(ms * (0.3 + random() * 0.6)).then(() => child.kill('SIGKILL'))
          })
          if (killed.signal === null) ms = Math.min(ms, killed.ms)
          if (killed.signal === null) break
          kills += 1
          await load.look(async (inspector) => {
            const letters = await inspector.deadLetters({ limit: 1_000_000 })
            equal(letters.length, (await inspector.checkpoint())?.totals.dead ?? 0, 'at each commit')
          })
        }
        deepEqual([(await run(load, threads)).code], [0])
        deepEqual(await load.state(), expected, `on ${threads} threads`)
      }
      ok(kills > 0, 'no load was killed')
    })
  }
})

async function newDatabase(postgres: PostgresServer): Promise<string> {
  return postgres.url(await postgres.createDatabase())
}
