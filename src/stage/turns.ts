// When a stage is at work: in its turns, one thing at a time, and not while a hook's promise is waited for.

import { isPromise } from '../base/promise.ts'
import type { Runnable, Scheduler } from './scheduler.ts'
import type { WorkTime } from './work-time.ts'

/** Whose turns they are. */
export interface TurnTaker {
  /** Whether there is nothing more to do, ever. */
  readonly isOver: () => boolean
  /** Does one thing; false if there is none, or never will be again. */
  readonly work: () => boolean
  readonly fail: (error: unknown) => void
  /** The end came while the owner was at work, or waited for a hook: now it is neither. */
  readonly close: () => void
}

/** Things done before the next stage has its turn. */
const WORK_PER_TURN = 16

/** Holds at most one place in the scheduler's queue. */
export class Turns implements Runnable {
  readonly #scheduler: Scheduler
  readonly #owner: TurnTaker
  #isScheduled = false
  /** Whether a hook's promise is being waited for. */
  #isWaiting = false
  /** Whether the owner is at work in this very call: it will look around again before it rests. */
  #isAtWork = false
  /** Set where its time is measured. */
  time: WorkTime | undefined

  constructor(scheduler: Scheduler, owner: TurnTaker) {
    this.#scheduler = scheduler
    this.#owner = owner
  }

  /** Whether a hook is running, or its promise is being waited for. */
  get isBusy(): boolean {
    return this.#isWaiting || this.#isAtWork
  }

  /** Asks for a turn, unless one is coming anyway. */
  wake(): void {
    if (this.#isScheduled || this.#isWaiting || this.#isAtWork || this.#owner.isOver()) return
    this.#isScheduled = true
    this.#scheduler.schedule(this)
  }

  step(): void {
    this.#isScheduled = false
    if (this.#isWaiting || this.#owner.isOver()) return
    this.#begin()
    let done = 0
    try {
      while (done < WORK_PER_TURN && !this.#isWaiting && this.#owner.work()) done += 1
    } catch (error) {
      this.#owner.fail(error)
    }
    this.#rest(done === WORK_PER_TURN)
  }

  /** Goes on with what a hook gave: now if it is there, else when its promise has settled. */
  whenGiven<T>(given: T | PromiseLike<T>, go: (value: T) => void): void {
    if (!isPromise(given)) return go(given)
    this.#isWaiting = true
    given.then(
      (value) => this.#goOn(() => go(value)),
      (error: unknown) => this.#goOn(() => this.#owner.fail(error)),
    )
  }

  #goOn(go: () => void): void {
    this.#isWaiting = false
    this.#begin()
    try {
      if (!this.#owner.isOver()) go()
    } catch (error) {
      this.#owner.fail(error)
    }
    this.#rest(true)
  }

  #begin(): void {
    this.#isAtWork = true
    this.time?.enter()
  }

  #rest(hasMore: boolean): void {
    this.#isAtWork = false
    this.time?.leave(this.#isWaiting)
    if (hasMore) this.wake()
    if (!this.#isWaiting && this.#owner.isOver()) this.#owner.close()
  }
}
