// A clock that stands still until a test moves it.

import { checkKeys, checkMs } from '../base/check.ts'
import type { Clock } from '../base/clock.ts'

interface Sleeper {
  readonly dueMs: number
  readonly wake: () => void
}

/**
 * A clock for tests: time passes by `advance` only, and every wait ends at the time at which it was due.
 *
 * @example
 * const clock = new ManualClock()
 * const seen: string[] = []
 * void clock.sleep(20).then(() => seen.push('late'))
 * void clock.sleep(10).then(() => seen.push('early'))
 * await clock.advance(15)
 * seen // => ['early']
 * clock.nowMs() // => 15
 */
export class ManualClock implements Clock {
  /** Milliseconds since the clock was made. */
  #nowMs = 0
  readonly #startMs: number
  /** Waits that have not come to their time, in the order in which they began. */
  #sleepers: Sleeper[] = []

  /**
   * @param startMs - the first `wallMs`, in epoch milliseconds
   */
  constructor(options: { readonly startMs?: number } = {}) {
    checkKeys('ManualClock', options, ['startMs'])
    this.#startMs = options.startMs ?? 0
  }

  /** How many waits there are. */
  get sleepers(): number {
    return this.#sleepers.length
  }

  /** When the first wait is over, as `nowMs` counts; undefined if nothing waits. */
  get dueMs(): number | undefined {
    return this.#next(Number.POSITIVE_INFINITY)?.dueMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#startMs + this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.reject(signal.reason)
    const slept = Promise.withResolvers<void>()
    const sleeper: Sleeper = { dueMs: this.#nowMs + ms, wake: slept.resolve }
    const stop = (): void => {
      this.#sleepers = this.#sleepers.filter((one) => one !== sleeper)
      slept.reject(signal?.reason)
    }
    this.#sleepers.push(sleeper)
    signal?.addEventListener('abort', stop, { once: true })
    return slept.promise.finally(() => signal?.removeEventListener('abort', stop))
  }

  /**
   * Moves time on, waking waits in the order of their times; after each, everything it triggers comes to rest.
   *
   * @throws {RangeError} if `ms` is not 0 or more
   */
  async advance(ms: number): Promise<void> {
    checkMs('advance', ms)
    const untilMs = this.#nowMs + ms
    await atRest()
    for (let next = this.#next(untilMs); next !== undefined; next = this.#next(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      this.#sleepers = this.#sleepers.filter((one) => one !== next)
      next.wake()
      await atRest()
    }
    this.#nowMs = untilMs
  }

  #next(untilMs: number): Sleeper | undefined {
    let next: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (sleeper.dueMs <= untilMs && (next === undefined || sleeper.dueMs < next.dueMs)) next = sleeper
    }
    return next
  }
}

/**
 * Resolves when everything that needs no timer, file or socket has happened: promises, stages, immediates.
 *
 * @example
 * const seen: number[] = []
 * subscribe(consumer<number>({ onEvents: (events) => void seen.push(...events) }), from([1, 2, 3]))
 * seen // => []
 * await atRest()
 * seen // => [1, 2, 3]
 */
export async function atRest(): Promise<void> {
  for (let turns = 0; turns < 4; turns += 1) await new Promise((resolve) => setImmediate(resolve))
}
