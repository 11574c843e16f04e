// How a stage reads splits: for a flow from start to end, for a pipeline in epochs.

import type { Batch, ReadBatch } from '../connect/batch.ts'
import { withoutOrigins } from '../connect/column-batch.ts'
import type { DeadLetter } from '../connect/origin.ts'
import type { Source, SplitReader } from '../connect/source.ts'
import type { RejectionLog } from './rejection-log.ts'
import type { SplitQueue } from './split-queue.ts'

/** The splits that a stage reads, and what becomes of their records. */
export interface Reading {
  /** The reader of the open split. */
  readonly reader: SplitReader<unknown> | undefined
  /** Opens the next split; undefined after the last one. */
  openNext(signal: AbortSignal): Promise<SplitReader<unknown> | undefined>
  /** The open split is at its end. */
  endSplit(): Promise<void>
  /** Something was read: returns the events to pass on. */
  begin(read: ReadBatch<unknown>): Batch
  /** Dead letters that the steps made from it. */
  letters(letters: readonly DeadLetter[]): void
  /** Everything made from it has been emitted. */
  end(): void
  /** @param send - sends the barrier */
  endEpoch(epoch: number, send: () => void): void
  /** There are no more splits. */
  exhausted(): void
  close(): Promise<void>
}

export interface ReadingOptions {
  readonly source: Source<unknown>
  readonly queue: SplitQueue
  readonly rejections: RejectionLog
}

/** Each split from its start: a flow stores no positions. */
export class PlainReading implements Reading {
  readonly #options: ReadingOptions
  reader: SplitReader<unknown> | undefined

  constructor(options: ReadingOptions) {
    this.#options = options
  }

  async openNext(signal: AbortSignal): Promise<SplitReader<unknown> | undefined> {
    const { queue, source } = this.#options
    const split = await queue.take(signal)
    if (split !== undefined) this.reader = await source.open(split, undefined, { signal })
    return this.reader
  }

  async endSplit(): Promise<void> {
    await this.close()
  }

  begin({ events, rejected }: ReadBatch<unknown>): Batch {
    for (const { letter } of rejected) this.#options.rejections.dead(letter.step, letter.origin.raw, letter.reason)
    // A flow does not need to know where they came from.
    return withoutOrigins(events)
  }

  letters(): void {}

  /** Without commits, whatever was emitted is acknowledged at once. */
  end(): void {
    this.reader?.acknowledge?.(this.reader.position())
  }

  endEpoch(): void {}

  exhausted(): void {}

  async close(): Promise<void> {
    const { reader } = this
    this.reader = undefined
    await reader?.close()
  }
}
