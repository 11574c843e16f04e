import { deepEqual, ok } from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { beam, run } from '../../src/beam/index.ts'
import { totalsAddUp } from '../../src/connect/totals.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { times } from '../../src/testing/times.ts'
import { prism, withoutPrism } from '../support/engine.ts'
import { builtOf, plansOf } from '../support/naive-flow.ts'
import { expectedOf, randomJob, textsIn } from '../support/random-jobs.ts'

describe('plans at random, on Prism', { skip: withoutPrism }, () => {
  const engine = prism()
  const folder = tempFolder('sluice-engine-')
  let databases = 0

  it('give what arrays give', async () => {
    await fc.assert(
      fc.asyncProperty(plansOf, async (plan) => {
        databases += 1
        const database = join(folder, `${databases}.db`)
        const { names } = builtOf(plan)
        const report = await run(randomJob(plan, database), { on: beam(engine.address, { shards: 16 }) })
        ok(report.run !== undefined && totalsAddUp(report.run), names)
        deepEqual(textsIn(database), expectedOf(plan), names)
      }),
      { numRuns: times(60) },
    )
  })
})
