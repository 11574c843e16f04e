import { deepEqual, ok } from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { beam, run } from '../../src/beam/index.ts'
import { totalsAddUp } from '../../src/connect/totals.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { times } from '../../src/testing/times.ts'
import { flink, prism, withoutFlink, withoutPrism } from '../support/engine.ts'
import { builtOf, plansOf } from '../support/naive-flow.ts'
import { expectedOf, randomJob, textsIn } from '../support/random-jobs.ts'

/** Engines, and on how many plans each is tried: Flink takes seconds for each. */
const ENGINES = [
  { name: 'Prism', start: prism, skip: withoutPrism, runs: 60 },
  { name: 'Flink', start: flink, skip: withoutFlink, runs: 10 },
]

for (const { name, start, skip, runs } of ENGINES) {
  describe(`plans at random, on ${name}`, { skip }, () => {
    const engine = start()
    const folder = tempFolder('sluice-engine-')
    let databases = 0

    it('give what arrays give', async () => {
      await fc.assert(
        fc.asyncProperty(plansOf, async (plan) => {
          databases += 1
          const database = join(folder, `${databases}.db`)
          const { names } = builtOf(plan)
          const report = await run(randomJob(plan, database), {
            on: beam(engine.address, { shards: 16, parallelism: 2 }),
          })
          ok(report.run !== undefined && totalsAddUp(report.run), names)
          deepEqual(textsIn(database), expectedOf(plan), names)
        }),
        { numRuns: times(runs) },
      )
    })
  })
}
