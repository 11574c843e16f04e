// A stage that reads the splits of a source, one after the other.

import { inTime } from '../base/closing.ts'
import { isPromise } from '../base/promise.ts'
import type { EpochReports, ResumePoint, SourceCommand } from '../checkpoint/epoch-reports.ts'
import { type Batch, chunkOf, type ReadBatch } from '../connect/batch.ts'
import type { Source, SplitReader } from '../connect/source.ts'
import { Chain } from '../flow/chain.ts'
import type { StageCore } from '../stage/core.ts'
import type { DispatcherSpec } from '../stage/dispatcher.ts'
import type { AnySpec, ChunkStage } from '../stage/hooks.ts'
import { chunkStage } from '../stage/make.ts'
import type { WorkTime } from '../stage/work-time.ts'
import type { Acknowledgements } from './acknowledgements.ts'
import { EpochReading } from './epoch-reading.ts'
import type { OperatorStageOptions } from './operator-stage.ts'
import { PipelineSource } from './pipeline-source.ts'
import { PlainReading, type Reading } from './reading.ts'
import type { SplitQueue } from './split-queue.ts'
import type { OwnCounts } from './stage-stats.ts'
import { StageContext } from './step-context.ts'

/** The steps are applied to events as they are read. */
export interface SourceStageOptions
  extends Omit<OperatorStageOptions, 'inputs' | 'meters' | 'place' | 'ownCounts' | 'epochs'> {
  readonly source: Source<unknown>
  /** Asked at the first demand. */
  readonly queue: SplitQueue
  /** Shown what goes out. */
  readonly meter: (batch: Batch) => void
  /** Its busy time, and what it has read. */
  readonly time: WorkTime
  readonly ownCounts: OwnCounts
  /** Of a pipeline: where it starts, and where it reports its epochs. */
  readonly epochs?:
    | { readonly resumePoint: ResumePoint; readonly reports: EpochReports; readonly acknowledgements: Acknowledgements }
    | undefined
}

/** The most records per read: barriers fall between two reads. */
const READ_AT_ONCE = 4096
const READ_FOR_EPOCHS = 2000
/** Reads without waiting, one after the other, before other stages get a turn. */
const READS_IN_A_ROW = 64

type Self = ChunkStage

export function sourceStage(options: SourceStageOptions): StageCore {
  return chunkStage('producer', new SourceStage(options))
}

/**
 * Reads split after split while events are wanted, and passes them to its steps. The events of one read are emitted as
 * a whole before a barrier.
 */
class SourceStage implements AnySpec {
  readonly name: string
  readonly dispatcher: DispatcherSpec<unknown, never>
  // At most the events of one read: nothing is read before they are emitted.
  readonly bufferSize = Number.POSITIVE_INFINITY
  readonly unwanted = 'end'
  readonly #options: SourceStageOptions
  readonly #context: StageContext
  readonly #chain: Chain
  readonly #reading: Reading
  readonly #stop = new AbortController()
  #self: Self | undefined
  /** Asked for and not emitted. */
  #missing = 0
  #loop: Promise<void> | undefined
  #isReading = false
  /** Whether events of a read are on their way through the steps. */
  #isWorking = false
  #isHeld: boolean
  #isExhausted = false
  #hasEnded = false
  /** Whoever awaits reading, or the steps, to continue. */
  #release: PromiseWithResolvers<void> | undefined
  /** Whether a part of the current work has been emitted. */
  #hasGiven = false
  /** Barriers, and the end, that wait. */
  readonly #ends: Extract<SourceCommand, { kind: 'barrier' | 'end' }>[] = []
  /** The most records per read. */
  readonly #atOnce: number

  constructor(options: SourceStageOptions) {
    const { name, dispatcher, steps, partition, clock, rejections, epochs, ownCounts } = options
    const { counts } = ownCounts
    this.name = name
    this.dispatcher = dispatcher
    this.#options = options
    this.#context = new StageContext({
      partition,
      inputs: 1,
      clock,
      rejections,
      counts,
      resumePoint: epochs?.resumePoint,
    })
    const out = { events: (batch: Batch) => this.#give(batch), watermark: () => {} }
    this.#chain = new Chain(steps, out, this.#context.steps)
    this.#reading = readingOf(options, () => this.#context.takeCounts())
    this.#isHeld = epochs?.resumePoint.isHeld === true
    this.#atOnce = epochs === undefined ? READ_AT_ONCE : epochs.resumePoint.isCareful ? 1 : READ_FOR_EPOCHS
  }

  onDemand(demand: number, self: Self): void {
    this.#self = self
    this.#missing += demand
    this.#goOn()
    this.#go(self)
  }

  onMessage(command: SourceCommand, self: Self): void {
    switch (command.kind) {
      case 'barrier':
      case 'end':
        this.#ends.push(command)
        return this.#endIfIdle(self)
      case 'stop':
        return this.#endReading()
      case 'hold':
        this.#isHeld = command.isHeld
        this.#goOn()
        return this.#go(self)
      case 'committed':
        return // Sent to all readers of this thread at once.
    }
  }

  /**
   * Sends the barriers, and the end, that are due: never between two events of one read, and after what a stopped read
   * still returns. Whatever has not begun to be emitted belongs to the next epoch.
   */
  #endIfIdle(self: Self): void {
    if (this.#hasGiven || (this.#isReading && this.#stop.signal.aborted)) return
    for (const command of this.#ends.splice(0)) {
      if (command.kind === 'end') self.complete()
      else this.#reading.endEpoch(command.epoch, () => self.barrier(command.epoch))
    }
  }

  async onEnd(): Promise<void> {
    this.#hasEnded = true
    this.#endReading()
    const isOver = this.#loop ?? Promise.resolve()
    await inTime(isOver.then(() => this.#reading.close()))
  }

  #endReading(): void {
    this.#stop.abort()
    this.#goOn()
  }

  #go(self: Self): void {
    if (this.#isReading || !this.#mayRead) return
    this.#loop = this.#run(self).then(
      () => this.#endIfIdle(self),
      (error: unknown) => {
        // A stopped read has nothing more to report; what the steps report counts.
        if (!this.#isWorking && this.#stop.signal.aborted) return this.#endIfIdle(self)
        if (!this.#isWorking) this.#options.rejections.readError ??= error
        self.fail(error)
      },
    )
  }

  get #mayRead(): boolean {
    return this.#missing > 0 && !this.#isHeld && !this.#isExhausted && !this.#stop.signal.aborted
  }

  async #run(self: Self): Promise<void> {
    this.#isReading = true
    try {
      for (let inARow = 1; this.#mayRead; inARow += 1) {
        const reader = this.#reading.reader ?? (await this.#reading.openNext(this.#stop.signal))
        if (reader === undefined) return this.#exhausted(self)
        const reading = this.#readFrom(reader)
        const read = isPromise(reading) ? await reading : reading
        if (isPromise(reading)) inARow = 0
        if (read === undefined) await this.#reading.endSplit()
        else {
          if (this.#isHeld) await this.#until(() => !this.#isHeld || this.#stop.signal.aborted)
          if (this.#hasEnded) return
          this.#work(read, self)
          if (this.#isWorking) await this.#workOn(self)
        }
        if (inARow >= READS_IN_A_ROW) {
          inARow = 0
          await new Promise(setImmediate)
        }
      }
    } finally {
      this.#isReading = false
    }
  }

  #exhausted(self: Self): void {
    this.#isExhausted = true
    this.#reading.exhausted()
    this.#atWork(() => this.#chain.end())
    if (this.#options.epochs === undefined) self.complete()
  }

  /** A read of an unbounded source that only waits does not count as busy. */
  #readFrom(
    reader: SplitReader<unknown>,
  ): ReadBatch<unknown> | undefined | PromiseLike<ReadBatch<unknown> | undefined> {
    const { time, source } = this.#options
    time.enter()
    try {
      const read = reader.read(Math.min(this.#missing, this.#atOnce))
      return isPromise(read) && source.isUnbounded !== true ? time.through(read) : read
    } finally {
      time.leave()
    }
  }

  /** Passes what was read to the steps. */
  #work(read: ReadBatch<unknown>, self: Self): void {
    this.#isWorking = true
    const events = this.#reading.begin(read)
    this.#atWork(() => {
      if (events.length > 0) this.#chain.events(events)
    })
    if (!this.#chain.isSuspended) this.#worked(self)
  }

  /** Continues deferred work of steps, while events are wanted. */
  async #workOn(self: Self): Promise<void> {
    for (let inARow = 1; this.#chain.isSuspended; inARow += 1) {
      await this.#ready()
      if (this.#hasEnded) return this.#chain.drop()
      this.#atWork(() => this.#chain.resume())
      if (inARow % READS_IN_A_ROW === 0) await new Promise(setImmediate)
    }
    this.#worked(self)
  }

  /** Waits until steps can continue deferred work. */
  async #ready(): Promise<void> {
    const { waitsFor } = this.#chain
    if (waitsFor === undefined) return await this.#until(() => this.#missing > 0)
    let isThere = false
    void waitsFor.then(() => {
      isThere = true
      this.#goOn()
    })
    await this.#until(() => isThere)
  }

  /** From here on what was read counts as emitted. */
  #worked(self: Self): void {
    this.#isWorking = false
    this.#hasGiven = false
    this.#reading.end()
    this.#endIfIdle(self)
  }

  #atWork(work: () => void): void {
    const { busy, layer, time } = this.#options
    busy?.begin(layer)
    time.enter()
    try {
      work()
    } finally {
      time.leave()
      busy?.end()
      this.#reading.letters(this.#context.takeLetters())
    }
  }

  #give(batch: Batch): void {
    this.#hasGiven = true
    this.#missing = Math.max(0, this.#missing - batch.length)
    this.#options.meter(batch)
    this.#self?.emit(chunkOf(batch))
  }

  /** Wakes whoever waits: something has changed. */
  #goOn(): void {
    this.#release?.resolve()
    this.#release = undefined
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo() && !this.#hasEnded) {
      this.#release ??= Promise.withResolvers()
      await this.#release.promise
    }
  }
}

function readingOf(options: SourceStageOptions, takeCounts: StageContext['takeCounts']): Reading {
  const { source, epochs } = options
  if (epochs === undefined) return new PlainReading(options)
  if (source instanceof PipelineSource) return new EpochReading({ ...options, ...epochs, source, takeCounts })
  throw new TypeError(`${options.name} was not prepared for a pipeline`)
}
