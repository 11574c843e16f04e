import { deepEqual, equal } from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { beam, run } from '../../src/beam/index.ts'
import { totalsAddUp } from '../../src/connect/totals.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { prism, withoutPrism } from '../support/engine.ts'
import { opsOf, type RandomPlan, tailsOf } from '../support/naive-flow.ts'
import { expectedOf, randomJob, textsIn } from '../support/random-jobs.ts'

const STAGES = 3
const items = Array.from({ length: 60 }, (_, id) => ({
  id,
  key: id % 4,
  at: ((id * 37) % 90) - 20,
  value: (id % 11) - 5,
}))
const plan = { sources: [items.slice(0, 25), items.slice(25)], ops: [], tail: 0, stages: STAGES, isNamed: false }

describe('each operator on Prism', { skip: withoutPrism }, () => {
  const engine = prism()
  const folder = tempFolder('sluice-operators-')
  let databases = 0

  async function check(made: RandomPlan): Promise<void> {
    databases += 1
    const database = join(folder, `${databases}.db`)
    const { run: totals } = await run(randomJob(made, database), { on: beam(engine.address, { shards: 8 }) })
    equal(totals !== undefined && totalsAddUp(totals), true)
    deepEqual(textsIn(database), expectedOf(made))
  }

  for (const [at, { name }] of opsOf(STAGES).entries()) {
    it(`${name}: as arrays do it`, async () => await check({ ...plan, isSplit: at % 2 === 0, ops: [at] }))
  }
  for (const [at, { name }] of tailsOf(STAGES).entries()) {
    it(`${name}: as arrays do it`, async () => await check({ ...plan, isSplit: at % 2 === 0, tail: at }))
  }
})
