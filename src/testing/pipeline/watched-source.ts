// A source under test: its events come when they are due, and after some of them the run is killed.

import type { Clock } from '../../base/clock.ts'
import type { ReadBatch } from '../../connect/batch.ts'
import type { Position, Source, SplitReader } from '../../connect/source.ts'

/** Something that is counted while a run is under way. */
export interface Counter {
  count: number
}

export interface WatchedOptions {
  /** Reads, and calls of the user's functions, that something outside must end. */
  readonly outside: Counter
  /** Records read. */
  readonly reads: Counter
  readonly clock: Clock
  /** When each event comes, in epoch milliseconds; all are there at once if absent. */
  readonly dueMs?: readonly number[]
  /** After how many records the run is killed, and how. */
  readonly killAfter?: number
  readonly kill?: () => never
}

export function watchedSource(source: Source<unknown>, options: WatchedOptions): Source<unknown> {
  return {
    ...source,
    open: async (split, from, opening = {}) => {
      return new WatchedReader(await source.open(split, from, opening), options, opening.signal)
    },
  }
}

class WatchedReader implements SplitReader<unknown> {
  readonly note?: string
  readonly #reader: SplitReader<unknown>
  readonly #options: WatchedOptions
  readonly #signal: AbortSignal | undefined

  constructor(reader: SplitReader<unknown>, options: WatchedOptions, signal: AbortSignal | undefined) {
    if (reader.note !== undefined) this.note = reader.note
    this.#reader = reader
    this.#options = options
    this.#signal = signal
  }

  get counts(): SplitReader<unknown>['counts'] {
    return this.#reader.counts
  }

  get doneBytes(): number {
    return this.#reader.doneBytes
  }

  position(): Position {
    return this.#reader.position()
  }

  async close(): Promise<void> {
    await this.#reader.close()
  }

  async read(max: number): Promise<ReadBatch<unknown> | undefined> {
    const { outside, reads, killAfter = Number.POSITIVE_INFINITY, kill } = this.#options
    if (reads.count >= killAfter) kill?.()
    const most = Math.min(max, killAfter - reads.count, await this.#due())
    const read = await untilDone(outside, this.#reader.read(most))
    reads.count += read === undefined ? 0 : read.events.length + read.rejected.length
    return read
  }

  /** How many events have come by now: at least one, or the end. */
  async #due(): Promise<number> {
    const { dueMs, clock } = this.#options
    if (dueMs === undefined) return Number.POSITIVE_INFINITY
    const next = Number(this.#reader.position())
    const waitMs = (dueMs[next] ?? 0) - clock.wallMs()
    if (waitMs > 0) await clock.sleep(waitMs, this.#signal)
    const later = dueMs.findIndex((one, at) => at > next && one > clock.wallMs())
    return later < 0 ? Number.POSITIVE_INFINITY : later - next
  }
}

/** Waits for something outside, which is counted meanwhile. */
export async function untilDone<T>(outside: Counter, work: T | PromiseLike<T>): Promise<T> {
  outside.count += 1
  try {
    return await work
  } finally {
    outside.count -= 1
  }
}
