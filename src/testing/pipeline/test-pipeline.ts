// Runs a pipeline in memory, for tests of its author.

import { mkdtemp, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { describeValue } from '../../base/check.ts'
import { anything, type Checks, checkOptions, fitting, integer } from '../../base/options.ts'
import { branchPipeline } from '../../connect/fan-out/branches/record.ts'
import type { DeadLetter } from '../../connect/origin.ts'
import type { Totals } from '../../connect/sink.ts'
import { NO_TOTALS } from '../../connect/totals.ts'
import { buildPipeline } from '../../pipeline/build.ts'
import { refuseRepeats } from '../../pipeline/guarantee.ts'
import { isPipeline, type Pipeline } from '../../pipeline/pipeline.ts'
import { ManualClock } from '../manual-clock.ts'
import { type Given, GivenSources } from './given.ts'
import { live } from './life.ts'
import { type Held, MemoryStore } from './memory-store.ts'

/** A moment: a date, epoch milliseconds, or a text that `Date.parse` reads. */
export type Moment = Date | number | string

export interface TestPipelineOptions {
  /** What the pipeline reads in place of its source. */
  readonly given: Given
  /**
   * What time it is when the run begins: now by default. Or a function that says when each event comes, if events are
   * given: `at: (order) => order.placed`. No event comes before the one ahead of it.
   */
  readonly at?: Moment | { comes(event: unknown, index: number): Moment }['comes']
  /** What is read in place of the sources that its flow joins and merges, in their order; they are read themselves by default. */
  readonly joined?: readonly Given[]
  /** Values of its parameters, beside their defaults. */
  readonly params?: Readonly<Record<string, string | number | boolean>>
  /**
   * Kills the run: the first time once it has read so many records, then again after so many more as each number says.
   * The last run comes to its end.
   */
  readonly kills?: readonly number[]
  /** Restarts it after its end, with this in addition: `[]` for nothing new. */
  readonly again?: Given
  /** Records after which there is a commit: 1 by default if there are kills, else as in a run. */
  readonly epochEvents?: number
}

/** What a pipeline has loaded. */
export interface TestedSink<Row> {
  /** As the table would hold them: a later row of the same key has replaced an earlier one. */
  readonly rows: readonly Row[]
  /** With place, step, reason and raw form. */
  readonly deadLetters: readonly DeadLetter[]
}

export interface TestedPipeline<Row> extends TestedSink<Row> {
  /** What became of every record, over all runs. */
  readonly totals: Totals
  /** What its branches have loaded, by their names. */
  readonly branches: Readonly<Record<string, TestedSink<unknown>>>
  /** What it has told people: of late events, for one. */
  readonly notes: readonly string[]
}

const isMoment = (value: unknown): boolean => {
  return ['number', 'string', 'function'].includes(typeof value) || value instanceof Date
}

const OPTIONS: Checks<TestPipelineOptions> = {
  given: anything,
  at: fitting(isMoment, 'a date, epoch milliseconds, a text, or a function of an event'),
  joined: fitting(Array.isArray, 'an array'),
  params: fitting((value) => typeof value === 'object' && value !== null, 'an object'),
  kills: fitting(
    (value) => Array.isArray(value) && value.every((one) => Number.isSafeInteger(one) && one > 0),
    'an array of counts of records, 1 or more',
  ),
  again: anything,
  epochEvents: integer(1),
}

/**
 * Runs a pipeline as it is, from what is given to the end of its flow, and returns what it loads: its sink is replaced
 * by one in memory, and nothing is loaded, asked or published elsewhere. Works in any test runner.
 *
 * - **Time** is that of a clock that moves on only when everything waits for it: windows of the clock, `batch`,
 *   retries and rates take no time. Calls of your own functions take what they take.
 * - **Ends** when everything given has been read, even if the source never would: open windows then emit their results.
 * - **Rows** are as the flow makes them. What a table would reject of them, or change, is not seen.
 * - **Kills** leave what `kill -9` would: everything after the last commit is lost, and read again.
 *
 * @throws {TypeError | RangeError} for options that do not fit
 * @throws what a run would throw
 * @example
 * const job = pipeline('orders', {
 *   from: ndjsonSource<{ id: number; price: number }>('orders/*.ndjson'),
 *   flow: (orders) => orders.filter(({ price }) => price > 0),
 *   into: sqliteSink('shop.db', { table: 'orders', key: ['id'] }),
 * })
 * const { rows, deadLetters } = await testPipeline(job, { given: { text: '{"id":1,"price":5}\n{"id":\n' } })
 * rows // => [{ id: 1, price: 5 }]
 * deadLetters.map(({ origin }) => origin.line) // => [2]
 */
export async function testPipeline<Row = Record<string, unknown>>(
  job: Omit<Pipeline, 'build'> & { readonly build: (values: never) => unknown },
  options: TestPipelineOptions,
): Promise<TestedPipeline<Row>> {
  if (!isPipeline(job)) throw new TypeError(`testPipeline runs a pipeline: found ${describeValue(job)}`)
  checkOptions('testPipeline', options, OPTIONS)
  const { given, joined = [], kills = [], again, epochEvents = kills.length > 0 ? 1 : undefined } = options
  const params = new Map(Object.entries(options.params ?? {}).map(([name, value]) => [name, `${value}`]))
  const real = buildPipeline(job, params)
  refuseRepeats(real, job.name)
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-test-')))
  try {
    const sources = new GivenSources(folder)
    await sources.add(0, given)
    for (const [at, one] of joined.entries()) await sources.add(at + 1, one)
    const { startMs, dueMs } = timesOf(options)
    const [store, notes] = [new MemoryStore(), [] as string[]]
    const life = {
      ...{ pipeline: job, params, sources, store, dueMs, epochEvents },
      clock: new ManualClock({ startMs }),
      onNote: (note: string) => void notes.push(note),
    }
    for (const killAfter of [...kills, undefined]) await live({ ...life, killAfter })
    if (again !== undefined) {
      await sources.add(0, again)
      await live({ ...life, killAfter: undefined })
    }
    const own = store.of(job.name)
    const branches = [...(real.sink.branches?.keys() ?? [])].map((name) => {
      return [name, loadedOf(store.of(branchPipeline(job.name, name)), folder)]
    })
    return {
      ...loadedOf<Row>(own, folder),
      totals: own.checkpoint?.totals ?? NO_TOTALS,
      branches: Object.fromEntries(branches),
      notes,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

function loadedOf<Row>({ rows, letters }: Held, folder: string): TestedSink<Row> {
  return {
    rows: [...rows.values()] as Row[],
    deadLetters: [...letters.values()].map((letter) => {
      const { origin } = letter
      // The folder is another one each time.
      return dirname(origin.source) === folder
        ? { ...letter, origin: { ...origin, source: basename(origin.source) } }
        : letter
    }),
  }
}

/** When the run begins, and when each event comes if that is said. */
function timesOf({ at, given, again = [] }: TestPipelineOptions): {
  readonly startMs: number
  readonly dueMs: readonly number[] | undefined
} {
  if (typeof at !== 'function') return { startMs: at === undefined ? Date.now() : momentMs(at), dueMs: undefined }
  if (!Array.isArray(given) || !Array.isArray(again))
    throw new TypeError('at is a function of events: give them as an array')
  let latestMs = Number.NEGATIVE_INFINITY
  const dueMs = [...given, ...again].map((event, index) => {
    latestMs = Math.max(latestMs, momentMs(at(event, index)))
    return latestMs
  })
  return { startMs: dueMs[0] ?? 0, dueMs }
}

function momentMs(moment: unknown): number {
  const ms = typeof moment === 'number' ? moment : moment instanceof Date ? moment.getTime() : Date.parse(`${moment}`)
  if (Number.isFinite(ms)) return ms
  throw new RangeError(`at must be a date, epoch milliseconds or a text of a date: found ${describeValue(moment)}`)
}
