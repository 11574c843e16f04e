// Watermarks: made from the times of events, and combined over several inputs.

import { checkMs, checkTime } from '../base/check.ts'

/** How a {@link WatermarkMaker} makes watermarks; an event-time window has both. */
export interface WatermarkMakerOptions {
  /** How far the watermark stays behind the latest event. */
  readonly outOfOrdernessMs?: number
  /** How far ahead an event may be to advance the watermark. */
  readonly futureLimitMs?: number
}

/**
 * Makes the watermark of one input: the latest time seen, minus how far events may be out of order.
 *
 * An event too far in the future, for example from a clock that was never set, does not advance it: events count up to
 * `futureLimitMs` ahead of the clock, or, if no clock is read, of the latest event that advanced it. Without a clock
 * the first event always counts, and a gap in the events that is longer than the limit stops it.
 *
 * @example
 * const maker = new WatermarkMaker({ outOfOrdernessMs: 100, futureLimitMs: 1000 })
 * maker.observe(500) // => 400
 * maker.observe(450) // => 400
 * maker.observe(9_000_000) // => 400
 * maker.ignored // => 1
 */
export class WatermarkMaker {
  readonly #outOfOrdernessMs: number
  readonly #futureLimitMs: number
  /** The latest time of the events that may advance the watermark. */
  #latestMs = Number.NEGATIVE_INFINITY
  #ignored = 0

  constructor({ outOfOrdernessMs = 0, futureLimitMs = 86_400_000 }: WatermarkMakerOptions = {}) {
    checkMs('outOfOrdernessMs', outOfOrdernessMs)
    checkMs('futureLimitMs', futureLimitMs)
    this.#outOfOrdernessMs = outOfOrdernessMs
    this.#futureLimitMs = futureLimitMs
  }

  /** The watermark: -Infinity before the first event. */
  get current(): number {
    return this.#latestMs - this.#outOfOrdernessMs
  }

  /** How many events were too far in the future to count. */
  get ignored(): number {
    return this.#ignored
  }

  /** Takes the time of an event, with the clock's time (since 1970) if there is one; returns the watermark. */
  observe(timeMs: number, nowMs?: number): number {
    if (timeMs > this.#latestMs) {
      const since = nowMs ?? (this.#latestMs === Number.NEGATIVE_INFINITY ? timeMs : this.#latestMs)
      if (timeMs - since <= this.#futureLimitMs) this.#latestMs = timeMs
      else this.#ignored += 1
    }
    return this.#latestMs - this.#outOfOrdernessMs
  }

  /** What a later maker continues from; null before the first event. */
  snapshot(): number | null {
    return this.#latestMs === Number.NEGATIVE_INFINITY ? null : this.#latestMs
  }

  restore(saved: number | null): void {
    this.#latestMs = saved ?? Number.NEGATIVE_INFINITY
  }
}

interface Input {
  timeMs: number
  isIdle: boolean
  /** When it was last active, by the clock; undefined before a clock was read. */
  seenMs: number | undefined
}

/**
 * Combines the watermarks of several inputs by their minimum; it never goes back.
 *
 * An idle input is not awaited; if all are idle, the furthest of them counts. An input that wakes up is awaited from
 * then on, and its events may be late. A call that advances the combined watermark returns it, any other undefined.
 *
 * @example
 * const merger = new WatermarkMerger<string>()
 * merger.join('a')
 * merger.join('b')
 * merger.advance('a', 10) // => undefined
 * merger.advance('b', 7) // => 7
 * merger.idle('b') // => 10
 */
export class WatermarkMerger<I> {
  readonly #inputs = new Map<I, Input>()
  readonly #idleAfterMs: number
  /** The combined watermark. */
  #current = Number.NEGATIVE_INFINITY

  /** Without `idleAfterMs`, inputs are idle only when {@link idle} says so. */
  constructor({ idleAfterMs = Number.POSITIVE_INFINITY }: { readonly idleAfterMs?: number | undefined } = {}) {
    checkMs('idleAfterMs', idleAfterMs, 1)
    this.#idleAfterMs = idleAfterMs
  }

  /** The combined watermark: -Infinity until each input that counts has sent one. */
  get current(): number {
    return this.#current
  }

  /** A new input: the watermark stays until it has sent its own. */
  join(input: I, nowMs?: number): void {
    this.#inputs.set(input, { timeMs: Number.NEGATIVE_INFINITY, isIdle: false, seenMs: nowMs })
  }

  /** An input has ended: it is no longer awaited. */
  leave(input: I): number | undefined {
    return this.#inputs.delete(input) ? this.#combine() : undefined
  }

  /** An input's watermark; it wakes the input. */
  advance(input: I, timeMs: number, nowMs?: number): number | undefined {
    checkTime('watermark', timeMs)
    const found = this.#wake(input, nowMs)
    if (found === undefined || timeMs <= found.timeMs) return undefined
    found.timeMs = timeMs
    return this.#combine()
  }

  /** An input sent something, if not a later watermark: it is not idle. */
  seen(input: I, nowMs?: number): void {
    this.#wake(input, nowMs)
  }

  /** An input is not awaited until it sends something. */
  idle(input: I): number | undefined {
    const found = this.#inputs.get(input)
    if (found === undefined || found.isIdle) return undefined
    found.isIdle = true
    return this.#combine()
  }

  /** Excludes inputs that were silent for `idleAfterMs`. */
  tick(nowMs: number): number | undefined {
    let hasChanged = false
    for (const input of this.#inputs.values()) {
      if (input.isIdle) continue
      input.seenMs ??= nowMs
      if (nowMs - input.seenMs < this.#idleAfterMs) continue
      input.isIdle = true
      hasChanged = true
    }
    return hasChanged ? this.#combine() : undefined
  }

  #wake(input: I, nowMs: number | undefined): Input | undefined {
    const found = this.#inputs.get(input)
    if (found === undefined) return undefined
    found.isIdle = false
    if (nowMs !== undefined) found.seenMs = nowMs
    return found
  }

  #combine(): number | undefined {
    let least = Number.POSITIVE_INFINITY
    let furthest = Number.NEGATIVE_INFINITY
    let isAllIdle = true
    for (const { timeMs, isIdle } of this.#inputs.values()) {
      furthest = Math.max(furthest, timeMs)
      if (isIdle) continue
      isAllIdle = false
      least = Math.min(least, timeMs)
    }
    const next = isAllIdle ? furthest : least
    if (next <= this.#current) return undefined
    this.#current = next
    return next
  }
}
