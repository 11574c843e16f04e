// How a stage reads splits: for a flow from their start to their end, for a pipeline in epochs.

import { type Batch, batchOf, type ReadBatch } from '../connect/batch.ts'
import type { DeadLetter } from '../connect/origin.ts'
import type { Source, SplitReader } from '../connect/source.ts'
import type { RejectionLog } from './rejection-log.ts'
import type { SplitQueue } from './split-queue.ts'

/** The splits that a stage reads, and what becomes of what they give. */
export interface Reading {
  /** That of the split that is open. */
  readonly reader: SplitReader<unknown> | undefined
  /** Opens the next split; undefined after the last one. */
  openNext(signal: AbortSignal): Promise<SplitReader<unknown> | undefined>
  /** The open split is at its end. */
  endSplit(): Promise<void>
  /** Something was read: gives the events that go on. */
  begin(read: ReadBatch<unknown>): Batch
  /** Letters that the steps made of it. */
  letters(letters: readonly DeadLetter[]): void
  /** All that was made of it has gone out. */
  end(): void
  /** @param send - sends the barrier */
  endEpoch(epoch: number, send: () => void): void
  /** There is no split left. */
  exhausted(): void
  close(): Promise<void>
}

export interface ReadingOptions {
  readonly source: Source<unknown>
  readonly queue: SplitQueue
  readonly rejections: RejectionLog
}

/** Each split from its start: a flow keeps no positions. */
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
    // A flow has no use for where they came from.
    return batchOf(events.values())
  }

  letters(): void {}

  /** Without commits, what has gone out is acknowledged at once. */
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
