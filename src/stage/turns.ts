// When a stage is busy: in its turns, one thing at a time, and not while a hook's promise is awaited.

import { CLOSING_MS } from '../base/closing.ts'
import { isPromise } from '../base/promise.ts'
import type { Runnable, Scheduler } from './scheduler.ts'
import type { WorkTime } from './work-time.ts'

/** Whose turns they are. */
export interface TurnTaker {
  /** Whether there is nothing more to do, ever. */
  readonly isOver: boolean
  /** Does one thing; false if there is nothing to do, now or ever. */
  advance(): boolean
  fail(error: unknown): void
  /** The end came while the owner was busy, or awaited a hook: now it is neither. */
  close(): void
}

/** A hook's promise is being awaited. */
interface Wait {
  readonly mayLeave: boolean
  /** Set once nobody wants its result. */
  limit?: NodeJS.Timeout
}

/** Things done before the next stage has its turn. */
const WORK_PER_TURN = 16

/** Holds at most one place in the scheduler's queue. */
export class Turns implements Runnable {
  readonly #scheduler: Scheduler
  readonly #owner: TurnTaker
  /** Whether no turn is pending or under way, and nothing is awaited. */
  #isResting = true
  /** The wait for a hook's promise that is under way. */
  #wait: Wait | undefined
  /** Whether the owner is busy in this very call: it will check again before it rests. */
  #isAtWork = false
  /** Set if its time is measured. */
  time: WorkTime | undefined

  constructor(scheduler: Scheduler, owner: TurnTaker) {
    this.#scheduler = scheduler
    this.#owner = owner
  }

  /** Whether a hook is running, or its promise is being awaited. */
  get isBusy(): boolean {
    return this.#wait !== undefined || this.#isAtWork
  }

  /**
   * The awaited promise is no longer wanted: it is abandoned at the next turn of the loop, if that is allowed, and else
   * after 3 seconds. What the hook still does is ignored.
   */
  leaveWait(): void {
    const wait = this.#wait
    if (wait === undefined) return
    const leave = (): void => {
      if (this.#wait === wait) this.#goOn(wait, () => {})
    }
    if (wait.mayLeave) setImmediate(leave)
    else wait.limit ??= setTimeout(leave, CLOSING_MS)
  }

  /** Requests a turn, unless one is pending. */
  wake(): void {
    if (!this.#isResting || this.#owner.isOver) return
    this.#isResting = false
    this.#scheduler.schedule(this)
  }

  step(): void {
    if (this.#owner.isOver) return
    this.#begin()
    let done = 0
    try {
      while (done < WORK_PER_TURN && this.#wait === undefined && this.#owner.advance()) done += 1
    } catch (error) {
      this.#owner.fail(error)
    }
    this.#rest(done === WORK_PER_TURN)
  }

  /**
   * Continues with the result of a hook: now if it is there, else when its promise has settled.
   *
   * @param mayLeave - whether the owner's end need not wait for that promise: it may never settle
   */
  whenGiven<T>(given: T | PromiseLike<T>, go: (value: T) => void, mayLeave = false): void {
    if (!isPromise(given)) return go(given)
    const wait: Wait = { mayLeave }
    this.#wait = wait
    given.then(
      (value) => this.#goOn(wait, () => go(value)),
      (error: unknown) => this.#goOn(wait, () => this.#owner.fail(error)),
    )
    if (this.#owner.isOver) this.leaveWait()
  }

  #goOn(wait: Wait, go: () => void): void {
    if (this.#wait !== wait) return
    clearTimeout(wait.limit)
    this.#wait = undefined
    this.#begin()
    try {
      if (!this.#owner.isOver) go()
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
    this.time?.leave(this.#wait !== undefined)
    if (this.#wait !== undefined) return
    if (this.#owner.isOver) return this.#owner.close()
    this.#isResting = true
    if (hasMore) this.wake()
  }
}
