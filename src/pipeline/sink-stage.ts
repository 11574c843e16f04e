// The last stage of a pipeline: writes rows, and has its epochs committed at every barrier.

import { isPromise } from '../base/promise.ts'
import type { Committer } from '../checkpoint/committer.ts'
import { type Batch, batchFrom, batchOf, joined, withOwnOrigins } from '../connect/batch.ts'
import type { DeadLetter } from '../connect/origin.ts'
import type { SinkWriter } from '../connect/sink.ts'
import { bytesOfSample } from '../engine/size.ts'
import type { Chunk } from '../stage/chunk.ts'
import type { AnySpec } from '../stage/hooks.ts'
import type { Subscription } from '../stage/link.ts'
import type { Stage } from '../stage/stage.ts'
import { resultOrigins } from './result-origins.ts'
import type { TopCounters } from './top-counters.ts'

export interface SinkStageOptions {
  readonly writer: SinkWriter<unknown>
  readonly committer: Committer
  /** Numbers for so many events without a record: the first of them. */
  readonly nextResults: (count: number) => number
  readonly tops: TopCounters
}

/** Hooks of the loading stage: waits only where the writer does. Between a barrier and its commit it writes nothing. */
export class SinkStage implements AnySpec {
  readonly name = 'load'
  readonly #options: SinkStageOptions
  /** Rows that were written in this attempt, and those that the sink refused. */
  written = 0
  refused = 0
  /** Rows that are gathered until there are enough to be written at once. */
  #gathered: Batch[] = []
  #gatheredRows = 0
  #gatheredBytes = 0
  /** The write under way, while others are gathered; never fails by itself. */
  #writing: Promise<void> | undefined
  /** The last write that is, or was, waited for; never fails by itself. */
  #last: Promise<void> | undefined
  /** What a write failed with that nobody waited for. */
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
    this.#gatheredBytes += bytesOfSample(rows.values())
    if (this.#gatheredRows < size.rows && this.#gatheredBytes < size.bytes) return
    if (this.#writing === undefined) return this.#writeGathered()
    return this.#writing.then(() => this.#writeGathered())
  }

  /** A stage that is given up waits for no report any more: one may never come. */
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

  /** Rows that wait until there are enough of them. */
  get gathered(): number {
    return this.#gatheredRows
  }

  /** Resolves when the writer has nothing to do any more, however that ended. */
  async idle(): Promise<void> {
    // A hook that waited for one write may have begun another.
    while (this.#writing !== undefined) await this.#writing
    await this.#last
    await this.#options.committer.idle()
  }

  /** Events with their origins: those without a record have a number. */
  #batchOf(batch: Batch): Batch {
    const { nextResults, tops } = this.#options
    const rows = batch.hasOrigins ? batch : batchOf(batch.values(), resultOrigins(batch, nextResults(batch.length)))
    return tops.isEmpty ? rows : withOwnOrigins(rows)
  }

  #write(rows: Batch): void | Promise<void> {
    const refused = this.#options.writer.write(rows)
    if (!isPromise(refused)) return this.#wrote(rows, refused)
    const done = refused.then((later) => this.#wrote(rows, later))
    this.#last = done.catch(() => {}) // Heard by who waits for the write.
    return done
  }

  #wrote(rows: Batch, refused: readonly DeadLetter[]): void {
    const { committer, tops } = this.#options
    this.written += rows.length - refused.length
    this.refused += refused.length
    tops.count(rows, refused)
    committer.wrote(rows.length - refused.length, refused)
  }

  /** Begins to write what was gathered; the stage goes on meanwhile. */
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
