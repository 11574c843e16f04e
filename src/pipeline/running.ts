// A run under way: the three stages, how far they are, and how it ends.

import type { Clock } from '../base/clock.ts'
import type { Entry } from '../connect/origin.ts'
import type { SinkWriter } from '../connect/sink.ts'
import type { Split } from '../connect/source.ts'
import { Kernel, type KernelCounts } from '../flow/kernel.ts'
import { connect } from '../stage/connect.ts'
import { consumer, producer, producerConsumer } from '../stage/make.ts'
import type { Run } from '../stage/run.ts'
import type { Producer, ProducerConsumer } from '../stage/stage.ts'
import { Epochs } from './epochs.ts'
import { Extractor } from './extract.ts'
import { DRAIN, ExtractStage } from './extract-stage.ts'
import { LoadStage } from './load-stage.ts'
import type { PipelineParts } from './pipeline.ts'
import type { RejectLimit } from './reject-limit.ts'
import type { Progress, RunEvent, RunReport } from './report.ts'

type AnyEntry = Entry<unknown>

/** Records in flight between two stages. */
const MAX_DEMAND = 2000

export interface RunningOptions {
  readonly name: string
  readonly parts: PipelineParts
  readonly splits: readonly Split[]
  readonly writer: SinkWriter<unknown>
  readonly limit: RejectLimit
  readonly epochMs: number
  readonly epochEvents: number
  readonly clock: Clock
  readonly onEvent: (event: RunEvent) => void
  readonly signal: AbortSignal | undefined
}

/** A run under way: what `startPipeline` gives. */
export class Running {
  readonly #options: RunningOptions
  readonly #epochs: Epochs
  readonly #extractor: Extractor
  readonly #extract: Producer<AnyEntry>
  readonly #load: LoadStage
  readonly #startedMs: number
  /** Whether somebody asked for the end before the source had come to it. */
  #isDrained = false
  /** Settles when the run has ended and everything is closed. Rejects with the error that stopped it. */
  readonly done: Promise<RunReport>

  constructor(options: RunningOptions) {
    this.#options = options
    const { parts, splits, writer, limit, onEvent, clock } = options
    this.#startedMs = clock.nowMs()
    const restored = writer.checkpoint
    this.#epochs = new Epochs(restored)
    this.#extractor = new Extractor({
      source: parts.source,
      splits,
      positions: restored?.positions ?? new Map(),
      onOpen: ({ id, sizeBytes }, note, resumedBytes) => {
        onEvent({ kind: 'split-opened', split: id, note, resumedBytes, sizeBytes })
      },
    })
    this.#extract = producer(new ExtractStage({ ...options, extractor: this.#extractor, epochs: this.#epochs }))
    this.#load = new LoadStage({
      writer,
      epochs: this.#epochs,
      limit,
      top: parts.top,
      onEvent,
      onRejected: () => this.#checkLimit(),
    })
    const { source, sink } = parts
    onEvent({ kind: 'started', source: source.title, sink: sink.title, resumedEpoch: restored?.epoch })
    this.done = this.#run()
    this.done.catch(() => {}) // Heard by who waits for `done`; a run that nobody waits for is warned of by its stages.
  }

  progress(): Progress {
    return {
      pipeline: this.#options.name,
      doneBytes: this.#extractor.doneBytes,
      totalBytes: this.#extractor.totalBytes,
      read: this.#extractor.read,
      dead: this.#options.limit.rejected,
      elapsedMs: this.#options.clock.nowMs() - this.#startedMs,
      committed: this.#epochs.overall,
      epoch: this.#epochs.epoch,
      split: this.#extractor.split,
    }
  }

  /** Stops asking, finishes and commits what was read. `done` then resolves with the outcome `drained`. */
  drain(why: string): Promise<RunReport> {
    if (!this.#isDrained && this.#extract.ending === undefined) {
      this.#isDrained = true
      this.#options.onEvent({ kind: 'draining', why })
      this.#extractor.stop()
      this.#extract.notify(DRAIN)
    }
    return this.done
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain('the run is no longer needed')
  }

  async #run(): Promise<RunReport> {
    const { writer, signal } = this.#options
    try {
      const run: Run = await connect(this.#extract, this.#transform(), consumer(this.#load), {
        maxDemand: MAX_DEMAND,
        ...(signal === undefined ? {} : { signal }),
      })
      await run.done
    } catch (error) {
      // The run's own error is the one to hear of; what was not committed is given up with the writer.
      await Promise.allSettled([this.#extractor.close(), writer.close()])
      throw error
    }
    await writer.close()
    const { limit, parts } = this.#options
    if (limit.isOver(this.#extractor.read, true)) throw limit.error(this.#extractor.read, parts.sink.deadLetters)
    return this.#report()
  }

  /** The stage in the middle: the plan, over every batch; books what it let go. */
  #transform(): ProducerConsumer<AnyEntry, AnyEntry> {
    const kernel = new Kernel(this.#options.parts.plan)
    let booked: KernelCounts = { filtered: 0, derived: 0 }
    return producerConsumer<AnyEntry, AnyEntry>({
      name: 'transform',
      onEvents: (entries) => kernel.run(entries),
      onBarrier: (epoch) => {
        const { filtered, derived } = kernel.counts
        this.#epochs.book(epoch, { filtered: filtered - booked.filtered, derived: derived - booked.derived })
        booked = { filtered, derived }
      },
    })
  }

  #checkLimit(): void {
    const { limit } = this.#options
    if (limit.isOver(this.#extractor.read, false)) void this.drain('there are too many rejected records')
  }

  #report(): RunReport {
    const { name, splits, parts, limit, clock } = this.#options
    return {
      pipeline: name,
      outcome: this.#isDrained ? 'drained' : 'finished',
      run: this.#epochs.run,
      overall: this.#epochs.overall,
      doneBytes: this.#extractor.doneBytes,
      elapsedMs: clock.nowMs() - this.#startedMs,
      epoch: this.#epochs.epoch,
      splits: { all: splits.length, unchanged: this.#extractor.unchanged },
      top: this.#load.top(),
      firstRejects: limit.first,
      sink: parts.sink.title,
      deadLetters: parts.sink.deadLetters,
    }
  }
}
