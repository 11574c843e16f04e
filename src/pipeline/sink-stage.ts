// The last stage of a pipeline: writes rows, and has its epoch committed at every barrier.

import { isPromise } from '../base/promise.ts'
import type { Committer } from '../checkpoint/committer.ts'
import { type Batch, batchFrom, batchOf, joined, type Origins, withOwnOrigins } from '../connect/batch.ts'
import type { DeadLetter, Origin } from '../connect/origin.ts'
import type { SinkWriter } from '../connect/sink.ts'
import { bytesOfBatch } from '../engine/size.ts'
import { textOf } from '../flow/dead-letter.ts'
import type { Chunk } from '../stage/chunk.ts'
import type { AnySpec } from '../stage/hooks.ts'
import type { Subscription } from '../stage/link.ts'
import type { Stage } from '../stage/stage.ts'
import type { TopCounters } from './top-counters.ts'

export interface SinkStageOptions {
  readonly writer: SinkWriter<unknown>
  readonly committer: Committer
  /** Reserves numbers for this many events without a record; returns the first. */
  readonly nextResults: (count: number) => number
  readonly tops: TopCounters
}

/** Hooks of the sink stage: waits only where the writer does. Between a barrier and its commit it writes nothing. */
export class SinkStage implements AnySpec {
  readonly name = 'load'
  readonly #options: SinkStageOptions
  /** Rows written in this attempt, and those that the sink rejected. */
  written = 0
  refused = 0
  /** Rows gathered until there are enough to write at once. */
  #gathered: Batch[] = []
  #gatheredRows = 0
  #gatheredBytes = 0
  /** The write under way, while others are gathered; never rejects. */
  #writing: Promise<void> | undefined
  /** The last write that is, or was, awaited; never rejects. */
  #last: Promise<void> | undefined
  /** The error of a write that nobody awaited. */
  #failure: { readonly error: unknown } | undefined

  constructor(options: SinkStageOptions) {
    this.#options = options
  }

  onEvents(chunk: Chunk<unknown>): void | Promise<void> {
    const rows = this.#batchOf(batchFrom(chunk))
    const { batch: size } = this.#options.writer
    if (size === undefined) return this.#write(rows)
    this.#throwFailure()
    this.#gathered.push(rows)
    this.#gatheredRows += rows.length
    this.#gatheredBytes += bytesOfBatch(rows)
    if (this.#gatheredRows < size.rows && this.#gatheredBytes < size.bytes) return
    if (this.#writing === undefined) return this.#writeGathered()
    return this.#writing.then(() => this.#writeGathered())
  }

  /** An aborted stage no longer waits for reports: one may never come. */
  onSubscribe(_: Subscription, { signal }: Stage): void {
    signal.addEventListener('abort', () => this.#options.committer.close(), { once: true })
  }

  async onBarrier(epoch: number): Promise<void> {
    await this.#flush()
    await this.#options.committer.barrier(epoch)
  }

  async onComplete(): Promise<void> {
    await this.#flush()
    await this.#options.committer.end()
  }

  /** Rows that are being gathered. */
  get gathered(): number {
    return this.#gatheredRows
  }

  /** Resolves when the writer is idle, however it ended. */
  async idle(): Promise<void> {
    // A hook that awaited one write may have started another.
    while (this.#writing !== undefined) await this.#writing
    await this.#last
    await this.#options.committer.idle()
  }

  /** Events with their origins: those without a record get a number. */
  #batchOf(batch: Batch): Batch {
    const { nextResults, tops } = this.#options
    const rows = batch.hasOrigins ? batch : batchOf(batch.values(), resultOrigins(batch, nextResults(batch.length)))
    return tops.isEmpty ? rows : withOwnOrigins(rows)
  }

  #write(rows: Batch): void | Promise<void> {
    const refused = this.#options.writer.write(rows)
    if (!isPromise(refused)) return this.#wrote(rows, refused)
    const done = refused.then((later) => this.#wrote(rows, later))
    this.#last = done.catch(() => {}) // Handled by whoever awaits the write.
    return done
  }

  #wrote(rows: Batch, refused: readonly DeadLetter[]): void {
    const { committer, tops } = this.#options
    this.written += rows.length - refused.length
    this.refused += refused.length
    tops.count(rows, refused)
    committer.wrote(rows.length - refused.length, refused)
  }

  /** Starts writing what was gathered; the stage continues meanwhile. */
  #writeGathered(): void {
    this.#throwFailure()
    const rows = joined(this.#gathered)
    this.#gathered = []
    this.#gatheredRows = 0
    this.#gatheredBytes = 0
    const done = this.#write(rows)
    if (done === undefined) return
    this.#writing = done
      .catch((error: unknown) => {
        this.#failure = { error }
      })
      .finally(() => {
        this.#writing = undefined
      })
  }

  /** Writes all that was gathered. */
  async #flush(): Promise<void> {
    await this.#writing
    this.#throwFailure()
    if (this.#gatheredRows > 0) this.#writeGathered()
    await this.#writing
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error
  }
}

/** Origins for a batch of events without a record: numbers from `first` on. */
export function resultOrigins(batch: Batch, first: number): Origins {
  return { at: (index) => new ResultOrigin(first + index, batch.at(index)) }
}

/** The origin of an event made from many records: its text is made only on request. */
class ResultOrigin implements Origin {
  readonly source = ''
  readonly line = 0
  readonly offset: number
  readonly #value: unknown

  constructor(offset: number, value: unknown) {
    this.offset = offset
    this.#value = value
  }

  get raw(): string {
    return textOf(this.#value)
  }
}
