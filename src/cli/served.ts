// A supervised pipeline: started, watched, and restarted when it fails.

import { type Backoff, backoffMs } from '../base/backoff.ts'
import { systemClock } from '../base/clock.ts'
import { type ErrorCode, isSluiceError, messageOf } from '../base/errors.ts'
import { definedOf } from '../base/options.ts'
import type { Shard } from '../connect/shard.ts'
import { NO_TOTALS } from '../connect/totals.ts'
import { branchesOf, inspecting, type WatchedRun } from '../dashboard/watched.ts'
import { excerpt } from '../observe/escape.ts'
import type { Logger } from '../observe/log.ts'
import { redact } from '../observe/redact.ts'
import { durationText } from '../observe/text.ts'
import { equation } from '../pipeline/figures.ts'
import { RunHistory } from '../pipeline/history.ts'
import type { Params } from '../pipeline/param.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { RunSnapshot } from '../pipeline/snapshot.ts'
import { type PipelineRun, startPipeline } from '../pipeline/start.ts'
import { nothingYet } from './broken.ts'

export interface ServedOptions {
  readonly pipeline: Pipeline<Params>
  readonly params: ReadonlyMap<string, string>
  /** Its module, which worker threads import, and their number; without it everything runs in this thread. */
  readonly onThreads?: { readonly module: URL; readonly threads: number }
  /** Which of several copies it is; undefined: the only one. */
  readonly shard?: Shard | undefined
  readonly log: Logger
  /** Ends it now. */
  readonly signal: AbortSignal
  readonly backoff?: Backoff
}

const BACKOFF: Backoff = { firstMs: 1000, capMs: 60_000 }
/** A run that lasted this long was healthy: its failure counts as a first one. */
const WELL_MS = 60_000

/** How often it is looked whether a line of history is due, in clock milliseconds. */
const LOOK_MS = 10_000

/** Permanent failures: someone has to change something first. */
const LASTING: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'CONFIG_INVALID',
  'TOO_MANY_DEAD_LETTERS',
  'SOURCE_CORRUPT',
  'SOURCE_LIMIT',
  'POSITION_LOST',
  'SINK_MISMATCH',
  'CHECKPOINT_INVALID',
  'STATE_OVER_LIMIT',
  'STATE_NOT_KEPT',
  'OPERATOR_FAILED',
  'FLOW_MISMATCH',
])

/** Mistakes in the code of a pipeline are reported as built-in errors. */
function willComeAgain(error: unknown): boolean {
  if (isSluiceError(error)) return LASTING.has(error.code)
  return error instanceof TypeError || error instanceof RangeError
}

/** One pipeline of `sluice serve`. What it committed stands, whatever happens: each start continues from there. */
export class Served implements WatchedRun {
  readonly pipeline: string
  readonly inspect: WatchedRun['inspect']
  readonly branches: () => readonly string[]
  readonly #options: ServedOptions
  readonly #startedMs = systemClock.wallMs()
  /** The run under way, or the last one. */
  #run: PipelineRun | undefined
  /** The error that prevents a run, while none is under way. */
  #trouble: { readonly state: 'waiting' | 'failed' | 'drained'; readonly error: string } | undefined
  /** How often a run was started, successfully or not. */
  #starts = 0
  #isPaused = false
  /** Ends a wait for the next start: it is no longer wanted. */
  readonly #drain = new AbortController()

  constructor(options: ServedOptions) {
    this.#options = options
    this.pipeline = options.pipeline.name
    this.inspect = inspecting(options.pipeline, options.params)
    this.branches = branchesOf(options.pipeline, options.params)
  }

  /** Resolves once it has completed, was drained, or failed for good. Never rejects. */
  async serve(): Promise<void> {
    const { log, signal, backoff = BACKOFF } = this.#options
    for (let failures = 1; !this.#drain.signal.aborted && !signal.aborted; failures += 1) {
      const startMs = systemClock.nowMs()
      this.#starts += 1
      try {
        await this.#runOnce()
        return
      } catch (error) {
        if (signal.aborted) return
        if (systemClock.nowMs() - startMs > WELL_MS) failures = 1
        const why = excerpt(redact(messageOf(error)), 300)
        const isLasting = willComeAgain(error)
        this.#trouble = { state: isLasting ? 'failed' : 'waiting', error: why }
        if (isLasting) return log.error({}, `${this.pipeline} failed, and is not restarted: ${why}`)
        const waitMs = backoffMs(failures, backoff)
        log.warn({ failures }, `${this.pipeline} failed; it is restarted in ${durationText(waitMs)}: ${why}`)
        await this.#wait(waitMs)
        if (this.#drain.signal.aborted) this.#trouble = { state: 'drained', error: why }
      }
    }
  }

  snapshot(): RunSnapshot {
    const run = this.#run?.snapshot() ?? this.#nothingYet()
    const restarts = run.restarts + Math.max(0, this.#starts - 1)
    return this.#trouble === undefined ? { ...run, restarts } : { ...run, ...this.#trouble, restarts }
  }

  /** Records read by the last run, and committed over all runs. */
  progress(): { readonly read: number; readonly committed: { readonly read: number } } {
    return this.#run?.progress() ?? { read: 0, committed: NO_TOTALS }
  }

  pause(): void {
    this.#isPaused = true
    this.#run?.pause()
  }

  resume(): void {
    this.#isPaused = false
    this.#run?.resume()
  }

  async drain(why: string): Promise<void> {
    this.#drain.abort()
    await this.#run?.drain(why)
  }

  async #runOnce(): Promise<void> {
    const history = new RunHistory()
    const { pipeline, params, shard, signal, log, onThreads } = this.#options
    const run = await startPipeline(onThreads?.module ?? pipeline, {
      params,
      ...definedOf({ threads: onThreads?.threads, shard }),
      signal,
      onEvent: (event) => {
        history.onEvent(event)
        if (event.kind === 'retrying') log.warn({}, `${this.pipeline}: ${event.why}`)
      },
    })
    this.#run = run
    this.#trouble = undefined
    const looking = setInterval(() => {
      const told = history.look(run.progress())
      if (told !== undefined) log.info({ event: 'history', ...told.figures }, `${this.pipeline}, ${told.text}`)
    }, LOOK_MS)
    looking.unref()
    run.done.then(
      () => clearInterval(looking),
      () => clearInterval(looking),
    )
    if (this.#isPaused) run.pause()
    if (this.#drain.signal.aborted) void run.drain('requested before it was started').catch(() => {}) // Handled below.
    const { outcome, run: totals } = await run.done
    log.info({ outcome, ...totals }, `${this.pipeline} ${outcome}: ${equation(totals)}`)
  }

  async #wait(ms: number): Promise<void> {
    try {
      await systemClock.sleep(ms, AbortSignal.any([this.#drain.signal, this.#options.signal]))
    } catch {
      // It is to end: the loop checks that before the next start.
    }
  }

  #nothingYet(): RunSnapshot {
    return nothingYet(this.pipeline, this.#trouble?.state ?? 'waiting', systemClock.wallMs(), this.#startedMs)
  }
}
