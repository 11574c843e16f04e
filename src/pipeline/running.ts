// A run under way: attempts from commit to commit, their progress, and how it ends.

import { orGivenUp } from '../base/closing.ts'
import { isSluiceError, messageOf } from '../base/errors.ts'
import { keepingAlive } from '../base/keep-alive.ts'
import { definedOf } from '../base/options.ts'
import { untilAborted } from '../base/promise.ts'
import { recordKey, type SplitOpened } from '../checkpoint/epoch-reports.ts'
import { type Shard, shardText } from '../connect/shard.ts'
import type { SinkWriter, Totals } from '../connect/sink.ts'
import type { Split } from '../connect/source.ts'
import { NO_TOTALS, subtractTotals } from '../connect/totals.ts'
import { Attempt, type AttemptOptions } from './attempt.ts'
import { sourceOf } from './build.ts'
import { publish } from './channels.ts'
import { promisedBy } from './guarantee.ts'
import type { PipelineParts } from './pipeline.ts'
import { type RecentEvents, shown } from './recent-events.ts'
import type { Progress, RunReport } from './report.ts'
import type { Retries } from './retries.ts'
import type { RunLog } from './run-log.ts'
import type { RunSnapshot, RunState } from './snapshot.ts'
import { TopCounters } from './top-counters.ts'

/** What differs between the attempts of a run. */
type OfAttempt = 'source' | 'tops' | 'before' | 'poison' | 'carefulFor' | 'isPaused' | 'onOpened' | 'onDeadLetters'

export interface RunningOptions extends Omit<AttemptOptions, OfAttempt> {
  readonly parts: PipelineParts
  /** Which of several copies it is. */
  readonly shard: Shard
  readonly splits: readonly Split[]
  /** Opens the writer of a later attempt; that of the first one is `writer`. */
  readonly open: () => Promise<SinkWriter<unknown>>
  readonly leaseMs: number
  readonly retries: Retries
  /** Receives every event of the run. */
  readonly notices: RecentEvents
  readonly runLog: RunLog | undefined
}

/** More records than were reported may have been read. */
const MORE_CAREFUL = 20_000

/** Renewals within one lease period. */
const RENEWALS = 3

/** A run under way: what `startPipeline` gives. */
export class Running {
  readonly #options: RunningOptions
  readonly #startedMs: number
  readonly #tops: TopCounters
  /** What was committed when the run began. */
  readonly #before: Totals
  #attempt: Attempt
  #writer: SinkWriter<unknown>
  /** Splits of all sources, and those of them with nothing new. */
  readonly #opened = new Set<string>()
  readonly #unchanged = new Set<string>()
  /** Records that crashed a worker, with what happened. */
  readonly #poison = new Map<string, string>()
  /** How many records to process one at a time. */
  #carefulFor: number | undefined
  /** Whether someone asked it to end before the source ended. */
  #isDrained = false
  #isPaused = false
  /** Whether it is waiting for another attempt. */
  #isWaiting = false
  #ending: { readonly state: 'finished' | 'drained' } | { readonly state: 'failed'; readonly error: string } | undefined
  readonly #startedWallMs: number
  /** Ends a wait between two attempts. */
  readonly #drain = new AbortController()
  /** Settles when the run has ended and everything is closed. Rejects with the error that stopped it. */
  readonly done: Promise<RunReport>

  constructor(options: RunningOptions) {
    this.#options = options
    const { parts, writer, onEvent, clock } = options
    this.#startedMs = clock.nowMs()
    this.#startedWallMs = clock.wallMs()
    this.#tops = new TopCounters(parts.top)
    this.#before = writer.checkpoint?.totals ?? NO_TOTALS
    options.runLog?.begin(this.#before)
    this.#writer = writer
    const { source, sink } = parts
    onEvent({
      kind: 'started',
      source: source.title,
      sink: sink.title,
      resumedEpoch: writer.checkpoint?.epoch || undefined,
    })
    this.#attempt = this.#newAttempt()
    this.done = this.#watched()
    this.done.catch(() => {}) // Handled by whoever awaits `done`; if nobody does, the stages print a warning.
  }

  progress(): Progress {
    const { doneBytes, skippedBytes, split } = this.#attempt.coordinator.figures
    const { name } = this.#options
    const { overall, epoch } = this.#attempt.epochs
    const earlier = subtractTotals(this.#attempt.start, this.#before)
    return {
      pipeline: name,
      ...this.#shard,
      doneBytes,
      totalBytes: this.#totalBytes(skippedBytes),
      read: earlier.read + this.#attempt.read,
      dead: earlier.dead + this.#attempt.dead,
      elapsedMs: this.#elapsedMs,
      committed: overall,
      epoch,
      split,
    }
  }

  /** Stops reading, finishes and commits what was read. `done` then resolves with the outcome `drained`. */
  drain(why: string): Promise<RunReport> {
    if (!this.#isDrained && !this.#attempt.coordinator.isStopping) {
      this.#isDrained = true
      this.#options.onEvent({ kind: 'draining', why })
      this.#drain.abort()
      this.#attempt.coordinator.stop()
    }
    return this.done
  }

  /** Pauses reading until `resume`; what was read is committed. A paused run can be drained. */
  pause(): void {
    if (this.#isPaused || this.#isDrained || this.#ending !== undefined) return
    this.#isPaused = true
    this.#options.onEvent({ kind: 'paused' })
    this.#attempt.coordinator.hold('person')
  }

  resume(): void {
    if (!this.#isPaused || this.#isDrained || this.#ending !== undefined) return
    this.#isPaused = false
    this.#options.onEvent({ kind: 'resumed' })
    this.#attempt.coordinator.letGo('person')
  }

  /** A snapshot of the run. */
  snapshot(): RunSnapshot {
    const { name, parts, clock, notices } = this.#options
    const { source, sink } = parts
    const { epochs, threads } = this.#attempt
    const { read, dead, doneBytes, totalBytes, committed, epoch } = this.progress()
    const { committedMs, commitTookMs, restarts, last } = notices
    const ending = this.#ending
    return {
      pipeline: name,
      ...this.#shard,
      source: shown(source.title),
      sink: shown(sink.title),
      state: this.#state,
      ...(ending?.state === 'failed' ? { error: ending.error } : {}),
      atMs: clock.wallMs(),
      startedMs: this.#startedWallMs,
      threads,
      ...this.#attempt.layers(sink.title),
      run: epochs.run,
      overall: committed,
      read,
      dead,
      doneBytes,
      epoch,
      ...definedOf({ totalBytes, committedMs, commitTookMs }),
      restarts,
      notices: last,
      memoryBytes: process.memoryUsage.rss(),
    }
  }

  get #shard(): { readonly shard?: string } {
    const { shard } = this.#options
    return shard.count === 1 ? {} : { shard: shardText(shard) }
  }

  get #state(): RunState {
    if (this.#ending !== undefined) return this.#ending.state
    if (this.#isWaiting) return 'waiting'
    if (this.#isDrained) return 'draining'
    return this.#isPaused ? 'paused' : 'running'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain('the run is no longer needed')
  }

  /** The run, and how it ended. */
  async #watched(): Promise<RunReport> {
    const { name: pipeline, notices, runLog } = this.#options
    try {
      const report = await keepingAlive(orGivenUp(this.#run(), this.#options.signal), this.#options.clock)
      this.#ending = { state: report.outcome }
      notices.ended(report)
      runLog?.ended(report)
      publish('sluice:run:end', { pipeline, outcome: report.outcome, report })
      return report
    } catch (error) {
      this.#ending = { state: 'failed', error: shown(messageOf(error)) }
      notices.failed(error)
      runLog?.failed(error)
      publish('sluice:run:end', { pipeline, outcome: 'failed', error })
      throw error
    }
  }

  async #run(): Promise<RunReport> {
    for (;;) {
      const renewing = this.#renew()
      try {
        await this.#attempt.run()
        const isOver = !this.#attempt.coordinator.hasStoppedAfter || this.#isDrained
        if (isOver) await untilAborted(this.#writer.flush?.() ?? Promise.resolve(), this.#options.signal)
        renewing.stop()
        if (isOver) break
        this.#carefulFor = undefined
        await this.#writer.close()
      } catch (error) {
        renewing.stop()
        // The error of the run itself is the one to report; what was not committed is dropped with the writer.
        await Promise.allSettled([this.#writer.close()])
        const failure = renewing.failure ?? error
        const mayBePoison = this.#inHand(failure)
        this.#isWaiting = true
        await this.#options.retries.again(failure, mayBePoison, this.#drain.signal)
      }
      this.#writer = await this.#options.open()
      this.#isWaiting = false
      this.#attempt = this.#newAttempt()
    }
    await this.#writer.close()
    const { limit, parts } = this.#options
    const { read } = this.#attempt.epochs.run
    if (limit.isOver(read, true)) throw limit.error(read, parts.sink.deadLetters)
    return this.#report()
  }

  /**
   * Whether one record may be why an attempt failed. Its records are then processed one at a time; the one at which
   * that fails, too, becomes a dead letter.
   */
  #inHand(error: unknown): boolean {
    const { rejections, coordinator, lastSuspect } = this.#attempt
    // Errors with a code of their own are not caused by a record: a damaged file stays damaged, however often it is read.
    const isNamed = isSluiceError(error) && error.code !== 'WORKER_FAILED'
    if (isNamed || !(isSluiceError(error) || rejections.failedCall !== undefined)) return false
    if (lastSuspect === undefined) this.#carefulFor = coordinator.figures.read + MORE_CAREFUL
    else this.#poison.set(recordKey(lastSuspect), messageOf(error))
    return true
  }

  #newAttempt(): Attempt {
    const { plan, parts, splits, limit, onEvent } = this.#options
    limit.goOn()
    return new Attempt({
      ...this.#options,
      source: sourceOf(parts, plan, splits),
      writer: this.#writer,
      carefulFor: this.#carefulFor,
      isPaused: this.#isPaused,
      poison: this.#poison,
      tops: this.#tops,
      before: this.#before,
      onEvent: (event) => {
        if (event.kind === 'committed') this.#options.retries.succeeded()
        onEvent(event)
      },
      onOpened: (opened) => this.#noteOpened(opened),
      onDeadLetters: () => this.#checkLimit(),
    })
  }

  #noteOpened({ split, note, resumedBytes, sizeBytes }: SplitOpened): void {
    this.#opened.add(split)
    if (note !== undefined) this.#unchanged.add(split)
    this.#options.onEvent({ kind: 'split-opened', split, note, resumedBytes, sizeBytes })
  }

  #checkLimit(): void {
    const { coordinator, committer } = this.#attempt
    const isOver = this.#options.limit.isOver(coordinator.figures.read, false, committer.heldLetters)
    if (isOver) void this.drain('there are too many rejected records')
  }

  /** Renews the lease for as long as the attempt lasts. */
  #renew(): { stop(): void; failure?: unknown } {
    const writer = this.#writer
    const state: { stop(): void; failure?: unknown } = { stop: () => clearInterval(timer) }
    const timer = setInterval(async () => {
      try {
        await writer.renewLease?.()
      } catch (error) {
        state.failure ??= error
        clearInterval(timer)
        this.#attempt.fail(error)
      }
    }, this.#options.leaseMs / RENEWALS)
    timer.unref()
    return state
  }

  /** Whole milliseconds. */
  get #elapsedMs(): number {
    return Math.round(this.#options.clock.nowMs() - this.#startedMs)
  }

  #totalBytes(skippedBytes: number): number | undefined {
    let bytes = -skippedBytes
    for (const { sizeBytes } of this.#options.splits) {
      if (sizeBytes === undefined) return undefined
      bytes += sizeBytes
    }
    return bytes
  }

  #report(): RunReport {
    const { name, splits, parts, limit } = this.#options
    const { epochs, coordinator } = this.#attempt
    return {
      pipeline: name,
      ...this.#shard,
      outcome: this.#isDrained ? 'drained' : 'finished',
      run: epochs.run,
      overall: epochs.overall,
      doneBytes: coordinator.figures.doneBytes,
      elapsedMs: this.#elapsedMs,
      epoch: epochs.epoch,
      splits: { all: Math.max(splits.length, this.#opened.size), unchanged: this.#unchanged.size },
      top: this.#tops.top(),
      firstDeadLetters: limit.first,
      sink: parts.sink.title,
      sinkKind: parts.sink.kind,
      promised: promisedBy(parts),
      isUnbounded: parts.source.isUnbounded === true,
      deadLetters: parts.sink.deadLetters,
    }
  }
}
