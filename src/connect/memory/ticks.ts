// The source of time: an event at every interval, without end.

import { checkKeys, checkMs, isCount } from '../../base/check.ts'
import { type Clock, systemClock } from '../../base/clock.ts'
import { SluiceError } from '../../base/errors.ts'
import { batchOf, type ReadBatch } from '../batch.ts'
import type { Json, Source, SourceCounts, SplitReader } from '../source.ts'

/** One tick. */
export interface Tick {
  /** Counts from 0, over all runs. */
  readonly count: number
  /** When it was emitted, in epoch milliseconds: different at every replay. */
  readonly timeMs: number
}

export interface TicksSourceOptions {
  /** The clock for the intervals: the system's by default. */
  readonly clock?: Clock
}

const SPLIT = 'ticks'

/**
 * Emits an event at once, and then one at every interval, without end.
 *
 * - **Time** comes from a monotonic clock. Missed ticks are not made up for: the next comes when it is due.
 * - **Resume**: the position is how many were emitted; counting continues there.
 *
 * @param everyMs - clock milliseconds between two ticks, 1 or more
 * @throws {RangeError} for an invalid interval
 * @example
 * ticksSource(1000).title // => 'a tick every 1000 ms'
 * ticksSource(1000).isUnbounded // => true
 */
export function ticksSource(everyMs: number, options: TicksSourceOptions = {}): Source<Tick> {
  checkKeys('ticksSource', options, ['clock'])
  checkMs('everyMs', everyMs, 1)
  if (!Number.isFinite(everyMs)) throw new RangeError(`everyMs must be a finite interval: found ${everyMs}`)
  const { clock = systemClock } = options
  return {
    kind: 'ticks',
    title: `a tick every ${everyMs} ms`,
    isUnbounded: true,
    splits: async () => [{ id: SPLIT }],
    open: async (_split, from, { signal } = {}) => {
      signal?.throwIfAborted()
      return new TickReader(everyMs, clock, from === undefined ? 0 : countOf(from), signal)
    },
  }
}

class TickReader implements SplitReader<Tick> {
  readonly #everyMs: number
  readonly #clock: Clock
  readonly #signal: AbortSignal | undefined
  readonly counts: SourceCounts = { read: 0, blank: 0, invalidUtf8: 0 }
  /** How many were emitted, in all runs. */
  #count: number
  /** When the next one is due, in clock milliseconds. */
  #dueMs: number

  constructor(everyMs: number, clock: Clock, count: number, signal: AbortSignal | undefined) {
    this.#everyMs = everyMs
    this.#clock = clock
    this.#signal = signal
    this.#count = count
    this.#dueMs = clock.nowMs()
  }

  get doneBytes(): number {
    return 0
  }

  position(): Json {
    return this.#count
  }

  async read(): Promise<ReadBatch<Tick>> {
    const waitMs = this.#dueMs - this.#clock.nowMs()
    this.#signal?.throwIfAborted()
    if (waitMs > 0) await this.#clock.sleep(waitMs, this.#signal)
    const missed = Math.max(0, Math.floor((this.#clock.nowMs() - this.#dueMs) / this.#everyMs))
    this.#dueMs += (missed + 1) * this.#everyMs
    const tick = { count: this.#count, timeMs: this.#clock.wallMs() }
    this.#count += 1
    this.counts.read += 1
    const at = () => ({ source: SPLIT, line: 0, offset: tick.count, raw: String(tick.count) })
    return { events: batchOf([tick], { at }), rejected: [] }
  }

  async close(): Promise<void> {}
}

function countOf(from: Json): number {
  if (isCount(from)) return from
  const position = String(JSON.stringify(from)).slice(0, 60)
  const message = `Cannot resume ticks after ${position}: the checkpoint holds no number of ticks`
  throw new SluiceError('POSITION_LOST', message, { source: SPLIT, position })
}
