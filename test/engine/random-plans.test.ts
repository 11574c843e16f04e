import { deepEqual, ok } from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isSluiceError } from '../../src/base/errors.ts'
import { beam, run } from '../../src/beam/index.ts'
import { totalsAddUp } from '../../src/connect/totals.ts'
import { rowsIn } from '../../src/testing/rows-in.ts'
import { tempFolder } from '../../src/testing/temp-folder.ts'
import { times } from '../../src/testing/times.ts'
import { prism, withoutPrism } from '../support/engine.ts'
import { builtOf, plansOf, type RandomPlan } from '../support/naive-flow.ts'

describe('plans at random, on Prism', { skip: withoutPrism }, () => {
  const engine = prism()
  const folder = tempFolder('sluice-engine-')
  let databases = 0
  const refused: string[] = []
  const done: string[] = []

  it('give what arrays give', async () => {
    await fc.assert(
      fc.asyncProperty(plansOf, async (plan) => {
        databases += 1
        const database = join(folder, `${databases}.db`)
        const { expected, names } = builtOf(plan)
        try {
          const report = await run(jobOf(plan, database), { on: beam(engine.address, { shards: 16 }) })
          ok(report.run !== undefined && totalsAddUp(report.run), names)
          deepEqual(textsIn(database), expected.map((event) => JSON.stringify(event) ?? '').sort(), names)
          done.push(names)
        } catch (error) {
          if (!isSluiceError(error, 'NOT_PORTABLE')) throw error
          refused.push(names)
        }
      }),
      { numRuns: times(60) },
    )
    ok(done.length > refused.length, `${done.length} of ${done.length + refused.length} plans ran`)
  })
})

function jobOf(plan: RandomPlan, database: string): URL {
  const job = new URL('./jobs/random-plan.ts', import.meta.url)
  job.search = new URLSearchParams({ plan: JSON.stringify(plan), database }).toString()
  return job
}

/** Every event as often as it came. */
function textsIn(database: string): string[] {
  // Nothing made a row: nobody knows its columns.
  if (rowsIn(database, "select name from sqlite_schema where name = 'found'").length === 0) return []
  return rowsIn(database, 'select event, n from found')
    .flatMap(({ event, n }) => Array.from({ length: Number(n) }, () => String(event)))
    .sort()
}
