// Readers whose senders wait for commits: they are notified of each commit, and stay open until the last one.

import { inTime } from '../base/closing.ts'
import type { Position, SplitReader } from '../connect/source.ts'

/** A reader that acknowledges commits to its sender. */
export type AcknowledgedReader = SplitReader<unknown> & Required<Pick<SplitReader<unknown>, 'acknowledge'>>

export function needsAck(reader: SplitReader<unknown>): reader is AcknowledgedReader {
  return reader.acknowledge !== undefined
}

/**
 * Keeps, for the stages of one thread, where readers stood at the end of each epoch. A stage ends before its last epoch
 * is committed: its readers stay open here until the run is over.
 */
export class Acknowledgements {
  readonly #open = new Set<AcknowledgedReader>()
  /** Epoch → where readers stood at its end. */
  readonly #stood = new Map<number, Map<AcknowledgedReader, Position>>()

  /** Whether any open reader has commits to come. */
  get isWaiting(): boolean {
    return this.#open.size > 0
  }

  opened(reader: AcknowledgedReader): void {
    this.#open.add(reader)
  }

  /** Everything of `epoch` was emitted: up to where its reader stood then, as it may have read more since. */
  ended(epoch: number, reader: AcknowledgedReader, position: Position): void {
    const stood = this.#stood.get(epoch) ?? new Map<AcknowledgedReader, Position>()
    this.#stood.set(epoch, stood.set(reader, position))
  }

  committed(epoch: number): void {
    const last = new Map<AcknowledgedReader, Position>()
    for (const [ended, stood] of [...this.#stood].sort(([a], [b]) => a - b)) {
      if (ended > epoch) break
      this.#stood.delete(ended)
      for (const [reader, position] of stood) last.set(reader, position)
    }
    for (const [reader, position] of last) reader.acknowledge(position)
  }

  /** Closes all readers: nothing will be committed any more. */
  async close(): Promise<void> {
    const readers = [...this.#open]
    this.#open.clear()
    await Promise.allSettled(readers.map((reader) => inTime(Promise.resolve(reader.close()))))
  }
}
