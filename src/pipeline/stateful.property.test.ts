import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { type ReadBatch, readOf } from '../connect/batch.ts'
import { type Origin, tracked } from '../connect/origin.ts'
import type { Checkpoint, Sink } from '../connect/sink.ts'
import type { Position, Source, SourceCounts } from '../connect/source.ts'
import { NO_TOTALS, totalsAddUp } from '../connect/totals.ts'
import type { Flow } from '../flow/flow.ts'
import { type Cut, CutProcess } from '../testing/cut-short.ts'
import { oneAtATime } from '../testing/one-at-a-time.ts'
import { FLOWS, type Reading, type Row } from '../testing/simulation/flows.ts'
import { times } from '../testing/times.ts'
import { pipeline } from './pipeline.ts'
import { startPipeline } from './start.ts'

interface World {
  readonly flow: keyof typeof FLOWS
  readonly splits: readonly (readonly number[])[]
  readonly epochEvents: number
  readonly chances: readonly number[]
  readonly cuts: readonly Cut[]
}

const worlds: fc.Arbitrary<World> = fc.record({
  flow: fc.constantFrom(...Object.keys(FLOWS)),
  splits: fc.array(fc.array(fc.nat(40), { maxLength: 30 }), { minLength: 1, maxLength: 3 }),
  epochEvents: fc.integer({ min: 1, max: 12 }),
  chances: fc.array(fc.nat(9), { minLength: 1, maxLength: 30 }),
  cuts: fc.array(
    fc.record({
      kind: fc.constantFrom<Cut['kind'][]>('kill', 'abort', 'drain', 'fail'),
      at: fc.integer({ min: 1, max: 40 }),
    }),
    { maxLength: 5 },
  ),
})

/** What is durable. */
interface Store {
  readonly rows: Map<string, Row>
  readonly letters: string[]
  checkpoint: Checkpoint | undefined
}

/** Readings out of order by 4 ms at most, each a little later than the one before, over all splits. */
function readingOf(splits: World['splits'], split: number, index: number): Reading {
  const before = splits.slice(0, split).reduce((sum, all) => sum + all.length, 0)
  const n = splits[split]?.[index] ?? 0
  return { n, at: (before + index) * 2 + (n % 5) }
}

function sourceOf(splits: World['splits'], process: CutProcess, chance: () => number): Source<Reading> {
  return {
    kind: 'readings',
    title: 'readings',
    splits: async () => splits.map((_, index) => ({ id: `${index}` })),
    open: async ({ id }, from) => {
      const split = Number(id)
      const size = splits[split]?.length ?? 0
      let at = typeof from === 'number' ? from : 0
      const counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
      const take = (max: number): ReadBatch<Reading> | undefined => {
        if (at >= size) return undefined
        const to = Math.min(size, at + max)
        const entries = Array.from({ length: to - at }, (_, i) => {
          const origin = { source: id, line: at + i + 1, offset: at + i, raw: '' }
          return tracked(readingOf(splits, split, at + i), origin)
        })
        counts.read += entries.length
        at = to
        return readOf(entries)
      }
      return await process.touch(() => ({
        read: (max: number) => process.touch(() => take(Math.min(max, 1 + chance()))),
        position: (): Position => at,
        counts,
        get doneBytes() {
          return at
        },
        close: async () => {},
      }))
    },
  }
}

function sinkOf(store: Store, key: readonly string[] | undefined, process: CutProcess): Sink<Row> {
  return oneAtATime({
    kind: 'table',
    title: 'table',
    deadLetters: 'letters',
    guarantee: 'exactly-once',
    open: async () => {
      let rows: [string, Row][] = []
      let letters: string[] = []
      return {
        checkpoint: store.checkpoint,
        write: (batch) =>
          process.touch(() => {
            for (const [at, row] of batch.values().entries()) {
              const { source, offset } = batch.origin(at) as Origin
              rows.push([key === undefined ? `${source}@${offset}` : key.map((name) => row[name]).join(), row])
            }
            return []
          }),
        writeDeadLetters: (more) =>
          process.touch(
            () =>
              void letters.push(...more.map(({ origin, reason }) => `${origin.source}@${origin.offset}: ${reason}`)),
          ),
        commit: ({ epoch, positions, totals, states }) =>
          process.touch(() => {
            for (const [id, row] of rows) store.rows.set(id, row)
            store.letters.push(...letters)
            const before = store.checkpoint
            const all = new Map([...(before?.states ?? []), ...states])
            for (const [part, bytes] of states) if (bytes.length === 0) all.delete(part)
            store.checkpoint = {
              epoch,
              positions: new Map([...(before?.positions ?? []), ...positions]),
              totals,
              states: all,
            }
            rows = []
            letters = []
          }),
        close: async () => {},
      }
    },
  })
}

/** Runs once, up to the cut if there is one. */
async function runOnce(world: World, store: Store, cut: Cut | undefined, chance: () => number): Promise<void> {
  const process = new CutProcess(cut, chance)
  const found = FLOWS[world.flow]
  if (found === undefined) throw new TypeError(world.flow)
  const job = pipeline<Record<never, never>, Reading, Row>('readings', {
    from: () => sourceOf(world.splits, process, chance),
    flow: (readings) => found.of(readings) as Flow<Row>,
    into: () => sinkOf(store, found.key, process),
  })
  const run = await startPipeline(job, { epochEvents: world.epochEvents, clock: process.clock, signal: process.signal })
  process.run = run
  try {
    await Promise.race([run.done, process.killed])
  } catch (error) {
    if (cut === undefined || !(error instanceof Error) || error.message !== 'cut') throw error
  }
}

async function tablesOf(world: World, cuts: readonly Cut[]): Promise<Store> {
  let turn = 0
  const chance = (): number => world.chances[turn++ % world.chances.length] ?? 0
  const store: Store = { rows: new Map(), letters: [], checkpoint: undefined }
  for (const cut of [...cuts, undefined]) {
    await runOnce(world, store, cut, chance)
    deepEqual(totalsAddUp(store.checkpoint?.totals ?? NO_TOTALS), true)
  }
  return store
}

function contents({ rows, letters }: Store): readonly string[] {
  return [...rows.values(), ...letters].map((row) => JSON.stringify(row)).sort()
}

describe('A pipeline that remembers, cut short and started again', () => {
  it('C2, C10, C20: ends with the rows and dead letters of one that nothing disturbs', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        const undisturbed = await tablesOf(world, [])
        deepEqual(contents(await tablesOf(world, world.cuts)), contents(undisturbed))
      }),
      { numRuns: times(400) },
    )
  })

  it('keeps what an event that failed was made of', async () => {
    const world: World = {
      flow: 'calls that fail at some',
      splits: [[1, 11, 2, 22]],
      epochEvents: 9,
      chances: [1],
      cuts: [],
    }
    const { letters, rows } = await tablesOf(world, [])
    deepEqual(letters, ['0@1: 11 is too much', '0@3: 22 is too much'])
    deepEqual([...rows.values()], [{ n: 1 }, { n: 2 }])
  })
})
