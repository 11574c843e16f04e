// Random plans as pipelines that an engine runs, and what comes of them.

import { rowsIn } from '../../src/testing/rows-in.ts'
import { builtOf, type RandomPlan } from './naive-flow.ts'

/** The module of a plan, with a database of its own. */
export function randomJob(plan: RandomPlan, database: string): URL {
  const job = new URL('../engine/jobs/random-plan.ts', import.meta.url)
  job.search = new URLSearchParams({ plan: JSON.stringify(plan), database }).toString()
  return job
}

/** Every event as often as it came. */
export function textsIn(database: string): string[] {
  // Nothing made a row: nobody knows its columns.
  if (rowsIn(database, "select name from sqlite_schema where name = 'found'").length === 0) return []
  return rowsIn(database, 'select event, n from found')
    .flatMap(({ event, n }) => Array.from({ length: Number(n) }, () => String(event)))
    .sort()
}

/** What arrays give. */
export function expectedOf(plan: RandomPlan): string[] {
  return builtOf(plan)
    .expected.map((event) => JSON.stringify(event) ?? '')
    .sort()
}
