import { deepEqual, equal, match, rejects } from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { beam, run } from '../../src/beam/index.ts'
import { startPipeline } from '../../src/pipeline/start.ts'
import { rowsIn } from '../../src/testing/rows-in.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { flink, withoutFlink } from '../support/engine.ts'
import { opsOf, tailsOf } from '../support/naive-flow.ts'
import { missingPostgres, PostgresServer } from '../support/postgres.ts'
import { expectedOf, randomJob, textsIn } from '../support/random-jobs.ts'

const jobOf = (name: string): URL => new URL(`./jobs/${name}.ts`, import.meta.url)
const WORDS = 'select * from words order by key'

describe('pipelines on Flink, in one process', { skip: withoutFlink }, () => {
  const folder = tempFolder('sluice-flink-')
  const engine = flink()
  const path = (name: string): string => join(folder, name)
  const on = () => beam(engine.address, { parallelism: 2 })

  const words = Array.from({ length: 100_000 }, (_, n) => `w${(n * 7919) % 5003}`)
  const lines = Array.from({ length: 10_000 }, (_, n) => words.slice(10 * n, 10 * n + 10).join(' '))
  const paramsOf = (db: string, more: Readonly<Record<string, string>> = {}) =>
    new Map(Object.entries({ input: path('words.txt'), db: path(db), ...more }))

  async function expected(): Promise<unknown[]> {
    if (!existsSync(path('words.txt'))) {
      writeFileSync(path('words.txt'), `${lines.join('\n')}\n`)
      await (await startPipeline(jobOf('words'), { params: paramsOf('here.db') })).done
    }
    return rowsIn(path('here.db'), WORDS)
  }

  it('count words as a local run does', async () => {
    const rows = await expected()
    const report = await run(jobOf('words'), { on: on(), params: paramsOf('there.db') })
    deepEqual(rowsIn(path('there.db'), WORDS), rows)
    deepEqual([report.run?.read, report.run?.loaded, report.run?.derived], [10_000, 5003, 90_000])
  })

  it('give a total over nothing', async () => {
    await run(jobOf('nothing'), { on: on(), params: new Map([['db', path('nothing.db')]]) })
    deepEqual(rowsIn(path('nothing.db'), 'select n, name from totals'), [{ n: 0, name: 'all' }])
  })

  it('give what arrays give: merges, joins, calls, sorts and windows in one plan', async () => {
    const [merge, join, call, sort] = ['merge of two branches', 'join', 'mapAsync', 'sort'].map((name) =>
      placeOf(opsOf(3), name),
    )
    const items = Array.from({ length: 40 }, (_, id) => ({ id, key: id % 4, at: (id * 37) % 90, value: (id % 11) - 5 }))
    for (const tail of ['full join in windows', 'sessions']) {
      const plan = {
        sources: [items.slice(0, 15), items.slice(15)],
        isSplit: tail === 'sessions',
        ops: [merge, join, call, sort] as number[],
        tail: placeOf(tailsOf(3), tail),
        stages: 3,
        isNamed: false,
      }
      const database = path(`${tail}.db`)
      await run(randomJob(plan, database), { on: beam(engine.address, { parallelism: 2, shards: 8 }) })
      deepEqual(textsIn(database), expectedOf(plan))
    }
  })

  it('make a table of PostgreSQL once, whichever worker comes first', { skip: missingPostgres() }, async () => {
    const rows = await expected()
    await using server = await PostgresServer.start()
    const database = await server.createDatabase()
    await run(jobOf('words'), {
      on: on(),
      params: new Map([
        ['input', path('words.txt')],
        ['db', server.url(database)],
      ]),
    })
    const found = await server.query(database, 'select key, n::float8 as n from words order by key collate "C"')
    deepEqual(found, rows)
  })

  for (const at of ['reading', 'writing']) {
    it(`give the same rows when a worker is killed while it is ${at}`, async () => {
      const rows = await expected()
      const marker = path(`${at}.killed`)
      await run(jobOf('killed'), { on: on(), params: paramsOf(`${at}.db`, { marker, at }) })
      equal(existsSync(marker), true)
      deepEqual(rowsIn(path(`${at}.db`), WORDS), rows)
    })
  }

  it('fail with the operator and the cause where a function of many events throws', async () => {
    const params = new Map(Object.entries({ at: 'fold', db: path('fold.db') }))
    await rejects(run(jobOf('throws'), { on: on(), params }), (error: Error) => {
      match(error.message, /failed in sums.*three cannot be added/)
      return true
    })
  })
})

function placeOf(all: readonly { readonly name: string }[], name: string): number {
  return all.findIndex((one) => one.name === name)
}
