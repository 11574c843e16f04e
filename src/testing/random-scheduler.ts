// A scheduler that runs stages in a random order: what holds under it holds whatever the timing.

import { checkKeys } from '../base/check.ts'
import type { Runnable, Scheduler } from '../stage/scheduler.ts'
import { below, seededRandom } from './random.ts'

export interface RandomSchedulerOptions {
  /** The same seed gives the same order. */
  readonly seed: number
  /** `microtask`: one stage after another by itself, between promises. `hand`: by `runToIdle` only. */
  readonly runs?: 'microtask' | 'hand'
  /** Called after every step of a stage: for checking what must hold at all times. */
  readonly afterStep?: () => void
}

/**
 * Picks the next of all ready stages at random. Pass it to stages as `scheduler`.
 *
 * @example
 * const scheduler = new RandomScheduler({ seed: 1, runs: 'hand' })
 * const seen: number[] = []
 * const sink = consumer<number>({ onEvents: (events) => void seen.push(...events), scheduler })
 * subscribe(sink, from([1, 2, 3], { scheduler }), { maxDemand: 2 })
 * scheduler.runToIdle()
 * seen // => [1, 2, 3]
 */
export class RandomScheduler implements Scheduler {
  readonly #random: () => number
  readonly #runs: 'microtask' | 'hand'
  readonly #afterStep: (() => void) | undefined
  /** Whatever is ready, in random order. */
  readonly #ready: Runnable[] = []
  /** Whether a microtask is coming. */
  #isComing = false
  /** Steps so far. */
  steps = 0

  constructor(options: RandomSchedulerOptions) {
    checkKeys('RandomScheduler', options, ['seed', 'runs', 'afterStep'])
    const { seed, runs = 'microtask', afterStep } = options
    this.#random = seededRandom(seed)
    this.#runs = runs
    this.#afterStep = afterStep
  }

  schedule(runnable: Runnable): void {
    this.#ready.push(runnable)
    if (this.#runs === 'microtask') this.#come()
  }

  /** Runs stages until none is ready. Throws what `afterStep` throws. */
  runToIdle(): void {
    while (this.#step());
  }

  #come(): void {
    if (this.#isComing) return
    this.#isComing = true
    queueMicrotask(() => {
      this.#isComing = false
      this.#step()
      if (this.#ready.length > 0) this.#come()
    })
  }

  #step(): boolean {
    const [next] = this.#ready.splice(below(this.#ready.length, this.#random), 1)
    if (next === undefined) return false
    this.steps += 1
    next.step()
    this.#afterStep?.()
    return true
  }
}
