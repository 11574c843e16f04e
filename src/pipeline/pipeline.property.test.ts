import { deepEqual } from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import fc from 'fast-check'
import { untilAborted } from '../base/promise.ts'
import { deadLetterAt, type ReadBatch, readOf } from '../connect/batch.ts'
import { type DeadLetter, deadLetter, type Origin, type SourceRecord, tracked } from '../connect/origin.ts'
import type { Checkpoint, Sink, SinkWriter, Totals } from '../connect/sink.ts'
import type { Source, SourceCounts, SplitReader } from '../connect/source.ts'
import { NO_TOTALS } from '../connect/totals.ts'
import type { Flow } from '../flow/flow.ts'
import { type Cut, CutProcess } from '../testing/cut-short.ts'
import { oneAtATime } from '../testing/one-at-a-time.ts'
import { times } from '../testing/times.ts'
import { pipeline } from './pipeline.ts'
import { startPipeline } from './start.ts'

/** A record of a split: a number, a blank, or what its format refuses. */
type Item = number | 'blank' | 'bad'

/** A step of a flow; `mod` says which numbers it lets go, throws at, doubles or refuses. */
interface Op {
  readonly kind: 'map' | 'filter' | 'flatMap' | 'validate' | 'validateLater'
  readonly mod: number
  readonly throwsAt: number
}

interface World {
  readonly splits: readonly (readonly Item[])[]
  readonly ops: readonly Op[]
  /** The sink refuses multiples of this. */
  readonly refuses: number
  /** How many rows the sink likes to be given at once; 0 for as they come. */
  readonly batchRows: number
  readonly epochEvents: number
  /** Taken in turn wherever something may go one way or another: sizes of batches, waits, ticks of the clock. */
  readonly chances: readonly number[]
  readonly cuts: readonly Cut[]
}

const items: fc.Arbitrary<Item> = fc.oneof(
  { weight: 8, arbitrary: fc.nat(60) },
  { weight: 1, arbitrary: fc.constantFrom<Item>('blank', 'bad') },
)

const worlds: fc.Arbitrary<World> = fc.record({
  splits: fc.array(fc.array(items, { maxLength: 40 }), { minLength: 1, maxLength: 4 }),
  ops: fc.array(
    fc.record({
      kind: fc.constantFrom<Op['kind'][]>('map', 'filter', 'flatMap', 'validate', 'validateLater'),
      mod: fc.integer({ min: 2, max: 5 }),
      throwsAt: fc.integer({ min: 3, max: 9 }),
    }),
    { maxLength: 4 },
  ),
  refuses: fc.integer({ min: 2, max: 20 }),
  batchRows: fc.constantFrom(0, 1, 3, 10, 1000),
  epochEvents: fc.integer({ min: 1, max: 20 }),
  chances: fc.array(fc.nat(9), { minLength: 1, maxLength: 30 }),
  cuts: fc.array(
    fc.record({
      kind: fc.constantFrom<Cut['kind'][]>('kill', 'abort', 'drain', 'fail'),
      at: fc.integer({ min: 1, max: 30 }),
    }),
    { maxLength: 6 },
  ),
})

/** What every record comes to: the tables of a run that nothing disturbs, worked out one record after the other. */
interface Tables {
  readonly rows: readonly string[]
  readonly letters: readonly string[]
  readonly totals: Totals
}

function expected({ splits, ops, refuses }: World): Tables {
  const rows: string[] = []
  const letters: string[] = []
  const totals = { ...NO_TOTALS }
  const writeDeadLetters = (origin: Origin, step: string, reason: string): void => {
    totals.dead += 1
    letters.push(letterText({ origin, step, reason }))
  }
  const send = (value: number, origin: Origin, from: number): void => {
    const op = ops[from]
    if (op === undefined) {
      if (value % refuses === 0) return writeDeadLetters(origin, 'table', `${value} is refused`)
      totals.loaded += 1
      rows.push(rowText(value, origin))
      return
    }
    if (value % op.throwsAt === 0) return writeDeadLetters(origin, `step ${from}`, `${value} is too much`)
    const made = becomes(op, value)
    if (made.length === 0) totals.filtered += 1
    else totals.derived += made.length - 1
    for (const one of made) send(one, origin, from + 1)
  }
  for (const [split, all] of splits.entries()) {
    for (const [index, item] of all.entries()) {
      totals.read += 1
      const origin = originOf(`split ${split}`, index, item)
      if (item === 'blank') totals.blank += 1
      else if (item === 'bad') writeDeadLetters(origin, 'numbers', 'no number')
      else send(item, origin, 0)
    }
  }
  return { rows, letters, totals }
}

/** The values that an operator makes of one that it does not throw at. */
function becomes({ kind, mod }: Op, value: number): number[] {
  switch (kind) {
    case 'filter':
      return value % mod === 0 ? [] : [value]
    case 'flatMap':
      return Array.from({ length: value % mod }, (_, index) => value + index)
    default:
      return [value + mod]
  }
}

function flowOf(ops: readonly Op[]): (numbers: Flow<number>) => Flow<number> {
  return (numbers) =>
    ops.reduce((flow, op, index) => {
      const name = `step ${index}`
      const make = (value: number): number[] => {
        if (value % op.throwsAt === 0) throw new RangeError(`${value} is too much`)
        return becomes(op, value)
      }
      if (op.kind === 'filter') return flow.filter((value) => make(value).length > 0, { name })
      if (op.kind === 'flatMap') return flow.flatMap(make, { name })
      if (op.kind === 'map') return flow.map((value) => make(value)[0] ?? 0, { name })
      return flow.validate(schemaOf(make, op.kind === 'validateLater'), { name })
    }, numbers)
}

function schemaOf(make: (value: number) => number[], isLater: boolean): StandardSchemaV1<number> {
  type Result = StandardSchemaV1.Result<number>
  const judge = (value: unknown): Result => {
    try {
      return { value: make(value as number)[0] ?? 0 }
    } catch (error) {
      return { issues: [{ message: (error as Error).message }] }
    }
  }
  const validate = (value: unknown): Result | Promise<Result> => {
    return isLater && (value as number) % 2 === 0 ? Promise.resolve().then(() => judge(value)) : judge(value)
  }
  return { '~standard': { version: 1, vendor: 'test', validate } }
}

/** What is durable: nothing of it changes but by a commit. */
interface Store {
  rows: readonly string[]
  letters: readonly string[]
  checkpoint: Checkpoint | undefined
}

function sourceOf(splits: World['splits'], process: CutProcess, chance: () => number): Source<number> {
  return {
    kind: 'numbers',
    title: 'numbers',
    splits: async () => splits.map((all, index) => ({ id: `split ${index}`, sizeBytes: all.length })),
    open: async (split, from, { signal } = {}) => {
      const all = splits[Number(split.id.slice('split '.length))] ?? []
      const at = typeof from === 'number' ? from : 0
      return await process.touch(() => readerOf(split.id, all, at, process, chance, signal))
    },
  }
}

function readerOf(
  id: string,
  all: readonly Item[],
  from: number,
  process: CutProcess,
  chance: () => number,
  signal: AbortSignal | undefined,
): SplitReader<number> {
  let at = from
  const counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  const take = (max: number): ReadBatch<number> | undefined => {
    const entries: SourceRecord<number>[] = []
    while (at < all.length && entries.length < max) {
      const item = all[at] as Item
      const origin = originOf(id, at, item)
      at += 1
      counts.read += 1
      if (item === 'blank') counts.blank += 1
      else entries.push(item === 'bad' ? deadLetter(origin, 'numbers', 'no number') : tracked(item, origin))
    }
    return entries.length === 0 ? undefined : readOf(entries)
  }
  return {
    ...(from > 0 && from === all.length ? { note: 'nothing new' } : {}),
    read: (max) => {
      const given = process.touch(() => take(Math.min(max, 1 + chance())))
      // Some sources stop waiting when they are told to, others do not.
      return given instanceof Promise && chance() % 2 === 0 ? untilAborted(given, signal) : given
    },
    position: () => at,
    counts,
    get doneBytes() {
      return at
    },
    close: async () => {},
  }
}

function sinkOf(store: Store, { refuses, batchRows }: World, process: CutProcess): Sink<number> {
  const open = async (): Promise<SinkWriter<number>> => {
    let rows: string[] = []
    let letters: string[] = []
    return {
      checkpoint: store.checkpoint,
      ...(batchRows === 0 ? {} : { batch: { rows: batchRows, bytes: 10_000 } }),
      write: (batch) =>
        process.touch(() => {
          const refused: DeadLetter[] = []
          for (const [at, value] of batch.values().entries()) {
            if (value % refuses === 0) refused.push(deadLetterAt(batch, at, 'table', `${value} is refused`))
            else rows.push(rowText(value, batch.origin(at) as Origin))
          }
          return refused
        }),
      writeDeadLetters: (more) => process.touch(() => void letters.push(...more.map(letterText))),
      commit: ({ epoch, positions, totals }) =>
        process.touch(() => {
          store.rows = [...store.rows, ...rows]
          store.letters = [...store.letters, ...letters]
          store.checkpoint = {
            epoch,
            states: new Map(),
            positions: new Map([...(store.checkpoint?.positions ?? []), ...positions]),
            totals,
          }
          rows = []
          letters = []
        }),
      close: async () => {},
    }
  }
  return oneAtATime({ kind: 'table', title: 'table', deadLetters: 'letters', guarantee: 'exactly-once', open })
}

function originOf(source: string, index: number, item: Item): Origin {
  return { source, line: index + 1, offset: index, raw: `${item}` }
}

function rowText(value: number, { source, offset }: Origin): string {
  return `${source}@${offset}: ${value}`
}

function letterText({ origin, step, reason }: Pick<DeadLetter, 'origin' | 'step' | 'reason'>): string {
  return `${origin.source}@${origin.offset} ${step}: ${reason}`
}

/** Runs once, up to the cut if there is one. */
async function runOnce(world: World, store: Store, cut: Cut | undefined, chance: () => number): Promise<void> {
  const process = new CutProcess(cut, chance)
  const job = pipeline('numbers', {
    from: () => sourceOf(world.splits, process, chance),
    flow: flowOf(world.ops),
    into: () => sinkOf(store, world, process),
  })
  const { epochEvents } = world
  const before = store.checkpoint?.totals ?? NO_TOTALS
  const run = await startPipeline(job, { epochEvents, clock: process.clock, signal: process.signal })
  process.run = run
  try {
    const report = await Promise.race([run.done, process.killed])
    if (report === 'killed') return
    // What a run says that it did is what it committed.
    deepEqual(report.overall, store.checkpoint?.totals ?? NO_TOTALS)
    deepEqual(report.run.read, report.overall.read - before.read)
  } catch (error) {
    if (cut === undefined || !(error instanceof Error) || error.message !== 'cut') throw error
  }
}

describe('A pipeline that is cut short and started again', () => {
  it('C2, C6, C20: ends with the rows, dead letters and totals of one that nothing disturbs, in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(worlds, async (world) => {
        let turn = 0
        const chance = (): number => world.chances[turn++ % world.chances.length] ?? 0
        const store: Store = { rows: [], letters: [], checkpoint: undefined }
        for (const cut of [...world.cuts, undefined]) {
          await runOnce(world, store, cut, chance)
          const { read, derived, loaded, dead, filtered, blank } = store.checkpoint?.totals ?? NO_TOTALS
          deepEqual(read + derived, loaded + dead + filtered + blank)
          deepEqual([loaded, dead], [store.rows.length, store.letters.length])
        }
        const { rows, letters, totals } = expected(world)
        deepEqual(store.rows, rows)
        deepEqual(store.letters.toSorted(), letters.toSorted())
        deepEqual(store.checkpoint?.totals ?? NO_TOTALS, totals)
      }),
      { numRuns: times(300) },
    )
  })
})
