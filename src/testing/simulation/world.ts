// A world in one thread, in which one seeded random decides what happens next, and time passes when nothing else can.

import type { Clock } from '../../base/clock.ts'

interface Timer {
  readonly atMs: number
  readonly fire: () => void
}

/**
 * Everything a pipeline does to the outside (reads, writes, waits) goes through here: it happens in an order that the
 * seed decides, at once or later. Hours of waiting take no time.
 */
export class World {
  readonly #random: () => number
  /** What can be done now. */
  readonly #ready: (() => void)[] = []
  readonly #timers = new Set<Timer>()
  #isOver = false
  nowMs = 1_700_000_000_000
  /** Things done so far. */
  steps = 0

  constructor(random: () => number) {
    this.#random = random
  }

  /** Whether something happens that happens with this probability. */
  chance(probability: number): boolean {
    return this.#random() < probability
  }

  /** An integer from 0 to `below`, exclusive. */
  upTo(below: number): number {
    return Math.floor(this.#random() * below)
  }

  /** Does `work` now, soon, or after some time. */
  touch<T>(work: () => T): T | Promise<T> {
    const when = this.upTo(4)
    if (when === 0) return work()
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const later = (): void => {
      try {
        resolve(work())
      } catch (error) {
        reject(error)
      }
    }
    if (when === 3) this.#after(this.upTo(5000), later)
    else this.#ready.push(later)
    return promise
  }

  readonly clock: Clock = {
    nowMs: () => this.nowMs,
    wallMs: () => this.nowMs,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason)
        const timer = this.#after(ms, resolve)
        signal?.addEventListener(
          'abort',
          () => {
            this.#timers.delete(timer)
            reject(signal.reason)
          },
          { once: true },
        )
      }),
  }

  /**
   * Lets things happen until `done` settles.
   *
   * @param most - more steps than this mean that it never will
   */
  async until<T>(done: Promise<T>, most: number): Promise<T> {
    let isDone = false
    const settled = (): void => {
      isDone = true
    }
    done.then(settled, settled)
    const limit = this.steps + most
    for (;;) {
      // All that follows from the last step comes first.
      await new Promise(setImmediate)
      if (isDone || this.#isOver) return await done
      if (this.steps >= limit) throw new Error(`nothing came of it in ${most} steps`)
      this.steps += 1
      if (!this.#step()) await this.#wait(() => isDone)
    }
  }

  #step(): boolean {
    if (this.#ready.length > 0 && (this.#timers.size === 0 || !this.chance(0.1))) {
      const [next] = this.#ready.splice(this.upTo(this.#ready.length), 1)
      next?.()
      return true
    }
    let first: Timer | undefined
    for (const timer of this.#timers) if (first === undefined || timer.atMs < first.atMs) first = timer
    if (first === undefined) return false
    this.#timers.delete(first)
    this.nowMs = Math.max(this.nowMs, first.atMs)
    first.fire()
    return true
  }

  /** Nothing is left to do: what is under way in promises alone must end by itself. */
  async #wait(isDone: () => boolean): Promise<void> {
    for (let turn = 0; turn < 50; turn += 1) {
      await new Promise(setImmediate)
      if (isDone() || this.#ready.length > 0 || this.#timers.size > 0) return
    }
    throw new Error('nothing can happen any more, and it is not done')
  }

  #after(ms: number, fire: () => void): Timer {
    const timer = { atMs: this.nowMs + ms, fire }
    this.#timers.add(timer)
    return timer
  }
}
