// Runs a pipeline: source → flow → sink, with a barrier after every epoch.

import { checkMs } from '../base/check.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { orGivenUp } from '../base/closing.ts'
import { keepingAlive } from '../base/keep-alive.ts'
import {
  aFunction,
  anything,
  type Checks,
  checkOptions,
  fitting,
  integer,
  milliseconds,
  trueOrFalse,
} from '../base/options.ts'
import { LEASE_MS, newOwner } from '../connect/lease.ts'
import { isShard, type Shard, WHOLE } from '../connect/shard.ts'
import type { EpochLength, SinkWriter } from '../connect/sink.ts'
import type { Executor } from '../engine/executor.ts'
import { inline } from '../engine/executors/inline.ts'
import { MOST_THREADS } from '../engine/options.ts'
import { executorFor, jobOf } from '../engine/start.ts'
import type { Logger } from '../observe/log.ts'
import { buildPipeline, furtherSources, planOf, sourceOf } from './build.ts'
import { publishEvent } from './channels.ts'
import { DeadLetterLimit, type MaxDeadLetters } from './dead-letter-limit.ts'
import { refuseRepeats } from './guarantee.ts'
import { loadPipeline, PIPELINE_LAYOUT } from './load.ts'
import { refuseTakenPlaces } from './numbered.ts'
import type { Params } from './param.ts'
import { isPipeline, type Pipeline } from './pipeline.ts'
import { RecentEvents } from './recent-events.ts'
import type { Replayed } from './replayed.ts'
import type { Progress, RunEvent, RunReport } from './report.ts'
import { countResults } from './results.ts'
import { type ResumePositionsAt, resumePositions } from './resume-positions.ts'
import { Retries, retryText } from './retries.ts'
import { rowsKnown } from './rows-known.ts'
import { RunLog } from './run-log.ts'
import { refuseUnshared, shareSplits } from './shards.ts'
import type { RunSnapshot } from './snapshot.ts'

export interface StartOptions {
  /** Parameters as text, as the command line gives them. */
  readonly params?: ReadonlyMap<string, string>
  /** Any dead letter stops the run with TOO_MANY_DEAD_LETTERS: the same as `maxDeadLetters: { count: 0 }`. */
  readonly strict?: boolean
  /** The most dead letters before the run fails. No limit by default. */
  readonly maxDeadLetters?: MaxDeadLetters
  /**
   * The longest time between reading and commit, in clock milliseconds: by default what suits the sink, mostly 1000.
   */
  readonly epochMs?: number
  /** Records after which an epoch ends early: an integer, 1 or more. By default what suits the sink, mostly 50,000. */
  readonly epochEvents?: number
  /**
   * How long to retry a lost sink without a commit in between, in clock milliseconds: 60,000 by default. Nothing is
   * read meanwhile.
   */
  readonly retryMs?: number
  /** How often a worker thread that died is replaced without a commit in between: 5 by default. */
  readonly maxRestarts?: number
  /**
   * How long the lease holds without a heartbeat, in milliseconds, before another instance may take over. 15,000 by
   * default.
   */
  readonly leaseMs?: number
  /**
   * How many worker threads read, transform and aggregate; the sink stays in this thread. For a pipeline given as the
   * URL of its module. No workers by default.
   */
  readonly threads?: number
  /** Which of several copies this is that share the splits of the pipeline: `{ index: 2, count: 8 }` is the third of eight. */
  readonly shard?: Shard
  /** The name under which the module exports the pipeline: `default` by default. */
  readonly name?: string
  /** The longest a worker thread may take for one batch before it is replaced, in milliseconds: 60,000 by default. */
  readonly maxBatchMs?: number
  /** The heap limit of a worker thread, in MB: Node's own limit by default. */
  readonly heapMb?: number
  readonly onEvent?: (event: RunEvent) => void
  /**
   * Logs what happens, a line or two per epoch: `pino()`, or another logger of its shape. Dead letters appear with
   * place and reason, never with their raw form; credentials are removed.
   */
  readonly log?: Logger
  readonly clock?: Clock
  /**
   * Aborting stops at once: what is not committed is left to the next run. A source, function or sink that is busy then
   * has 3 seconds to end; after that `done` rejects with the signal's reason anyway.
   */
  readonly signal?: AbortSignal
}

const OPTIONS: Checks<StartOptions> = {
  params: fitting((value) => value instanceof Map, 'a Map, name → text'),
  strict: trueOrFalse,
  maxDeadLetters: anything,
  epochMs: milliseconds(1),
  epochEvents: integer(1),
  retryMs: milliseconds(),
  maxRestarts: integer(0),
  leaseMs: milliseconds(1),
  threads: integer(1, MOST_THREADS),
  shard: fitting(isShard, 'an index and a count: { index: 2, count: 8 }'),
  name: anything,
  maxBatchMs: (name, value) => {
    if (value !== Number.POSITIVE_INFINITY) checkMs(name, value, 1)
  },
  heapMb: integer(1),
  onEvent: aFunction,
  log: anything,
  clock: anything,
  signal: anything,
}

/** Rejects unknown options and unfit values. */
export function checkStart(what: string, options: StartOptions): void {
  checkOptions(what, options, OPTIONS)
}

/** A run under way. */
export interface PipelineRun {
  /** Settles when the run has ended and everything is closed. Rejects with the error that stopped it. */
  readonly done: Promise<RunReport>
  progress(): Progress
  /** A snapshot: its layers and stages with their figures, what it committed, what happened. */
  snapshot(): RunSnapshot
  /**
   * Pauses reading until `resume`: what was read is committed. The lease is kept. A paused run can be drained; an
   * ending or draining one cannot be paused.
   */
  pause(): void
  resume(): void
  /** Stops reading, finishes and commits what was read. `done` then resolves with the outcome `drained`. */
  drain(why: string): Promise<RunReport>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a pipeline: opens the sink, continues from its last commit, and loads what is new.
 *
 * - **Commits** rows, dead letters and positions together, every `epochMs` and every `epochEvents` records.
 * - **Ends** when the source is read to its end and committed, or when it is drained. The process stays alive until
 *   then, even while the run is paused or waits for something that would not keep it alive.
 *
 * @throws {SluiceError} before anything is read: CONFIG_INVALID, SOURCE_MISSING, or whatever the sink throws
 */
export async function startPipeline<P extends Params>(
  given: Pipeline<P> | URL | string,
  options: StartOptions = {},
): Promise<PipelineRun> {
  checkStart('startPipeline', options)
  return await startFrom(given, options, undefined)
}

/** Soon enough to be seen, and long enough to cost little. */
const EPOCHS: EpochLength = { ms: 1000, events: 50_000 }

/**
 * Starts a pipeline with its own source, or with dead letters.
 *
 * @param executor - runs it, instead of the one chosen by `threads`
 */
export async function startFrom<P extends Params>(
  given: Pipeline<P> | URL | string,
  options: StartOptions,
  replayed: Replayed | undefined,
  executor?: Executor,
): Promise<PipelineRun> {
  return await keepingAlive(orGivenUp(begin(given, options, replayed, executor), options.signal), options.clock)
}

async function begin<P extends Params>(
  given: Pipeline<P> | URL | string,
  options: StartOptions,
  replayed: Replayed | undefined,
  executor: Executor | undefined,
): Promise<PipelineRun> {
  const { clock = systemClock, signal, leaseMs = LEASE_MS, params = new Map() } = options
  const { retryMs = 60_000, maxRestarts = 5, threads, maxBatchMs = 60_000, heapMb } = options
  signal?.throwIfAborted()
  const laidOut = { laidOutBy: PIPELINE_LAYOUT, params }
  const job = isPipeline(given)
    ? undefined
    : jobOf('startPipeline', given, { name: options.name ?? 'default' }, laidOut)
  const pipeline = job === undefined ? (given as Pipeline) : await loadPipeline(job)
  const asked = executorFor('startPipeline', 'pipeline', job, { threads, maxBatchMs, heapMb })
  const limit = new DeadLetterLimit(options.strict === true ? { count: 0 } : options.maxDeadLetters)
  const { name } = pipeline
  const notices = new RecentEvents(clock)
  const runLog = options.log === undefined ? undefined : new RunLog(options.log, name)
  const onEvent = (event: RunEvent): void => {
    notices.onEvent(event)
    publishEvent(name, event)
    runLog?.onEvent(event)
    options.onEvent?.(event)
  }
  const built = buildPipeline(pipeline, params)
  refuseRepeats(built, name)
  const { shard = WHOLE } = options
  const isShared = shard.count > 1 && replayed === undefined
  if (isShared) refuseUnshared(built, name, shard)
  const parts = replayed === undefined ? built : { ...built, source: replayed.sourceOf(0) }
  const { source, sink } = parts
  const { ms, events } = sink.epochs ?? EPOCHS
  const { epochMs = ms, epochEvents = events } = options
  const waiting = signal === undefined ? {} : { signal }
  const onNote = (note: string): void => onEvent({ kind: 'noted', split: name, note })
  const listed = await source.splits({ ...waiting, onNote })
  const known = await rowsKnown(parts, waiting)
  const owner = newOwner()
  const open = () => sink.open({ pipeline: name, shard, ...known, leaseMs, owner, onNote, ...waiting })
  const retries = new Retries({
    retryMs,
    maxRestarts,
    clock,
    signal,
    onRetry: (retry) => onEvent({ kind: 'retrying', why: retryText(retry), ...retry }),
  })
  const plan = planOf(parts, name, replayed)
  const writer = await opened(open, retries)
  const reading = sourceOf(parts, plan, listed)
  let beginningAt: ResumePositionsAt
  try {
    // Copies begin next to dead letters of the others.
    if (writer.checkpoint === undefined && !isShared) await refuseTakenPlaces(parts, name)
    const sources = replayed === undefined ? [reading, ...furtherSources(plan)] : []
    beginningAt = await resumePositions(sources, writer.checkpoint, { ...waiting, onNote })
    if (isShared) await shareSplits(reading, writer, shard, onNote)
  } catch (error) {
    await Promise.allSettled([writer.close()])
    throw error
  }
  // Loaded on demand: programs and threads without a pipeline start sooner.
  const { Running } = await import('./running.ts')
  return new Running({
    name,
    parts,
    shard,
    plan,
    splits: await reading.splits(),
    beginningAt,
    writer,
    open: () => opened(open, retries),
    leaseMs,
    executor: executor ?? asked ?? inline,
    job,
    retries,
    limit,
    epochMs,
    epochEvents,
    clock,
    onEvent,
    notices,
    runLog,
    signal,
    replayed,
    results: writer.checkpoint === undefined && plan.hasResults ? await countResults(sink, name) : 0,
  })
}

/** A sink that cannot be reached for now is retried. */
async function opened(open: () => Promise<SinkWriter<unknown>>, retries: Retries): Promise<SinkWriter<unknown>> {
  for (;;) {
    try {
      return await open()
    } catch (error) {
      await retries.again(error, false, NEVER)
    }
  }
}

const NEVER = new AbortController().signal
