// Decides which stage runs next: one queue for all stages of a thread, so that no stage ever calls another.

import { Ring } from '../base/ring.ts'

/** Something with work to do. */
export interface Runnable {
  /** Does a bounded piece of its work. */
  step(): void
}

/** Runs what is scheduled, each as often as it was scheduled. Tests pass one with an order of their own. */
export interface Scheduler {
  schedule(runnable: Runnable): void
}

/** The longest time before the event loop gets its turn, in clock milliseconds. */
const STRETCH_MS = 4
/** Steps between two looks at the clock. */
const STEPS_PER_LOOK = 32

/**
 * The scheduler of a thread. It starts in a microtask, so that small work is done before any timer; longer work yields
 * to the event loop every few milliseconds. When idle it holds no handle.
 */
class ThreadScheduler implements Scheduler {
  readonly #ready = new Ring<Runnable>(64)
  /** Whether a turn is pending, as a microtask or an immediate. */
  #isComing = false

  schedule(runnable: Runnable): void {
    this.#ready.push(runnable)
    if (this.#isComing) return
    this.#isComing = true
    queueMicrotask(this.#turn)
  }

  readonly #turn = (): void => {
    const endMs = performance.now() + STRETCH_MS
    for (let steps = 1; ; steps += 1) {
      const runnable = this.#ready.shift()
      if (runnable === undefined) break
      runnable.step()
      if (steps % STEPS_PER_LOOK === 0 && performance.now() >= endMs) {
        setImmediate(this.#turn)
        return
      }
    }
    this.#isComing = false
  }
}

export const threadScheduler: Scheduler = new ThreadScheduler()
