// Runs a pipeline: source → flow → sink as three stages, with a barrier behind every epoch.

import { checkInteger, checkMs } from '../base/check.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { messageOf, SluiceError } from '../base/errors.ts'
import { type Params, readParams } from './param.ts'
import type { Pipeline, PipelineParts } from './pipeline.ts'
import { type MaxDeadLetters, RejectLimit } from './reject-limit.ts'
import type { Progress, RunEvent, RunReport } from './report.ts'

export interface StartOptions {
  /** Parameters as text, as the command line gives them. */
  readonly params?: ReadonlyMap<string, string>
  /** Any dead letter stops the run with REJECTS_OVER_LIMIT: the same as `maxDeadLetters: { count: 0 }`. */
  readonly strict?: boolean
  /** How many dead letters the run bears. No limit by default. */
  readonly maxDeadLetters?: MaxDeadLetters
  /** Longest time between reading and commit, in clock milliseconds. 1000 by default. */
  readonly epochMs?: number
  /** Records after which an epoch ends before its time: an integer, 1 or more. 50,000 by default. */
  readonly epochEvents?: number
  readonly onEvent?: (event: RunEvent) => void
  readonly clock?: Clock
  /** Aborting stops now: what is not committed is left to the next run. */
  readonly signal?: AbortSignal
}

/** A run under way. */
export interface PipelineRun {
  /** Settles when the run has ended and everything is closed. Rejects with the error that stopped it. */
  readonly done: Promise<RunReport>
  progress(): Progress
  /** Stops asking, finishes and commits what was read. `done` then resolves with the outcome `drained`. */
  drain(why: string): Promise<RunReport>
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Starts a pipeline: opens the sink, goes on from what it had committed, and loads what is new.
 *
 * - **Commits** rows, dead letters and positions together, every `epochMs` and every `epochEvents` records.
 * - **Ends** when the source is read to its end and committed, or when it is drained.
 *
 * @throws {SluiceError} before anything is read: CONFIG_INVALID, SOURCE_MISSING, or what the sink finds
 */
export async function startPipeline<P extends Params>(
  pipeline: Pipeline<P>,
  options: StartOptions = {},
): Promise<PipelineRun> {
  const { epochMs = 1000, epochEvents = 50_000, clock = systemClock, signal } = options
  checkMs('epochMs', epochMs, 1)
  checkInteger('epochEvents', epochEvents, 1)
  signal?.throwIfAborted()
  const limit = new RejectLimit(options.strict === true ? { count: 0 } : options.maxDeadLetters)
  const parts = buildPipeline(pipeline, options.params ?? new Map())
  const { source, sink, plan } = parts
  const waiting = signal === undefined ? {} : { signal }
  const splits = await source.splits(waiting)
  const keepsRows = plan.every((node) => node.kind === 'filter')
  const writer = await sink.open({
    pipeline: pipeline.name,
    ...(keepsRows && source.columns !== undefined ? { columns: source.columns } : {}),
    ...waiting,
  })
  const onEvent = options.onEvent ?? (() => {})
  // Not before it is needed: programs and threads without a pipeline start sooner.
  const { Running } = await import('./running.ts')
  const name = pipeline.name
  return new Running({ name, parts, splits, writer, limit, epochMs, epochEvents, clock, onEvent, signal })
}

/**
 * Makes a pipeline's parts for parameters given as text; starts nothing.
 *
 * @throws {SluiceError} CONFIG_INVALID for a parameter that does not fit, and for whatever the user's functions throw
 */
export function buildPipeline<P extends Params>(
  pipeline: Pipeline<P>,
  given: ReadonlyMap<string, string>,
): PipelineParts {
  const values = readParams(pipeline.params, given, pipeline.name)
  try {
    return pipeline.build(values)
  } catch (error) {
    if (error instanceof SluiceError) throw error
    const message = `Cannot build pipeline ${pipeline.name}: ${messageOf(error)}`
    throw new SluiceError(
      'CONFIG_INVALID',
      message,
      { key: pipeline.name, value: undefined, allowed: '' },
      { cause: error },
    )
  }
}
