import { deepEqual, equal } from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { totalsAddUp } from '../src/connect/totals.ts'
import { collect } from '../src/engine/collect.ts'
import type { Executor } from '../src/engine/executor.ts'
import { inline } from '../src/engine/executors/inline.ts'
import { onThreads } from '../src/engine/executors/threads.ts'
import { begin } from '../src/engine/running.ts'
import { startFrom } from '../src/pipeline/start.ts'
import { tempFolder } from '../src/testing/temp-folder.ts'
import { times } from '../src/testing/times.ts'
import { islands } from './support/islands.ts'
import { builtOf, itemsOf, namedOnes, plansOf, type RandomPlan } from './support/naive-flow.ts'

/** By chance: how many threads, how messages are late, how few events may be under way, and how long epochs are. */
const chancesOf = fc.record({
  threads: fc.integer({ min: 1, max: 3 }),
  seed: fc.nat(),
  inFlight: fc.record({ events: fc.integer({ min: 1, max: 60 }), bytes: fc.constantFrom(1, 500, 1e6) }),
  epochEvents: fc.integer({ min: 1, max: 40 }),
})
type Chances = typeof chancesOf extends fc.Arbitrary<infer T> ? T : never

/** Executors, and on how many plans each is tried: as a flow, and as a pipeline. */
const EXECUTORS: readonly {
  readonly name: string
  readonly runs: readonly [flows: number, pipelines: number]
  readonly of: (chances: Chances, stages: number) => Executor
}[] = [
  { name: 'in one thread', runs: [250, 100], of: () => inline },
  { name: 'on islands', runs: [40, 40], of: ({ seed }, stages) => islands(stages, seed) },
  {
    name: 'on threads',
    runs: [10, 10],
    of: ({ threads }) => onThreads(threads, { maxBatchMs: 60_000, heapMb: undefined }),
  },
]

const folder = tempFolder('sluice-plans-')
let databases = 0

/** The module of a plan, with a database of its own. */
function jobOf(plan: RandomPlan): { readonly job: URL; readonly database: string } {
  databases += 1
  const database = join(folder, `${databases}.db`)
  const job = new URL('./jobs/random-plan.ts', import.meta.url)
  job.search = new URLSearchParams({ plan: JSON.stringify(plan), database }).toString()
  return { job, database }
}

function asText(events: readonly unknown[]): string[] {
  return events.map((event) => JSON.stringify(event) ?? '').sort()
}

function rowsIn(database: string): string[] {
  const db = new DatabaseSync(database)
  try {
    const has = db.prepare("SELECT count(*) AS n FROM sqlite_schema WHERE name = 'found'").get()?.n === 1
    if (!has) return []
    return db
      .prepare('SELECT event FROM found')
      .all()
      .map(({ event }) => String(event))
      .sort()
  } finally {
    db.close()
  }
}

describe('operators by name', () => {
  it('L110: give what they give by functions that follow the same rules, each alone', async () => {
    await fc.assert(
      fc.asyncProperty(itemsOf, fc.integer({ min: 1, max: 4 }), async (items, stages) => {
        for (const { name, flows, expected } of namedOnes(items, stages)) {
          for (const each of flows) deepEqual(asText(await collect(each, { stages })), asText(expected), name)
        }
      }),
      { numRuns: times(20) },
    )
  })
})

for (const { name, runs, of } of EXECUTORS) {
  describe(`plans at random, ${name}`, () => {
    const executorOf = (chances: Chances, { stages }: RandomPlan): Executor => ({ ...of(chances, stages), stages })

    it('L40: give as flows what arrays give, however many stages there are, and however little may be under way', async () => {
      await fc.assert(
        fc.asyncProperty(plansOf, chancesOf, async (plan, chances) => {
          const { expected, names } = builtOf(plan)
          const found: unknown[] = []
          const into = (events: readonly unknown[]): void => void found.push(...events)
          const options = { into, inFlight: chances.inFlight }
          await (await begin('run', jobOf(plan).job, options, executorOf(chances, plan))).done
          deepEqual(asText(found), asText(expected), names)
        }),
        { numRuns: times(runs[0]) },
      )
    })

    it('L40: give as pipelines what arrays give, however long their epochs are', async () => {
      await fc.assert(
        fc.asyncProperty(plansOf, chancesOf, async (plan, chances) => {
          const { expected, names } = builtOf(plan)
          const { job, database } = jobOf(plan)
          const options = { name: 'load', epochEvents: chances.epochEvents, maxRestarts: 0 }
          const { overall } = await (await startFrom(job, options, undefined, executorOf(chances, plan))).done
          deepEqual(rowsIn(database), asText(expected), names)
          const read = plan.sources.reduce((sum, { length }) => sum + length, 0)
          deepEqual([overall.read, overall.loaded, overall.dead], [read, expected.length, 0], names)
          equal(totalsAddUp(overall), true, names)
          rmSync(database, { force: true })
        }),
        { numRuns: times(runs[1]) },
      )
    })
  })
}
