// An iterator that a handler returned: drawn on demand, and closed once.

import { describeValue } from '../base/check.ts'
import { isPromise } from '../base/promise.ts'

/** The most events drawn before the stage looks at its mailbox again. */
const DRAWN_AT_ONCE = 4096

/** The rest of a call of `onEvents`: taken on demand. */
export interface Drawn {
  readonly isOver: boolean
  /** Up to `room` events, now or later; fewer at the end. */
  take(room: number): readonly unknown[] | Promise<readonly unknown[]>
  close(): void
}

/** Deferred work of a hook, which emits by itself when it is told to continue. */
export interface Resumable {
  /**
   * Continues with a bounded piece of the work, while consumers miss some; false when nothing is left. If it returns a
   * promise, the stage does nothing else until that has settled, and fails if it rejects.
   */
  resume(): boolean | Promise<boolean>
  /** Nothing more is wanted: called at most once, even while a promise is awaited, which is then ignored. */
  drop(): void
}

/** An iterator under way. It is closed by `close` unless it has ended or thrown: then it has closed itself. */
class Drawing implements Drawn {
  readonly #iterator: Iterator<unknown>
  isOver = false

  constructor(given: Iterable<unknown>) {
    this.#iterator = given[Symbol.iterator]()
  }

  take(room: number): unknown[] {
    const drawn: unknown[] = []
    const count = Math.min(room, DRAWN_AT_ONCE)
    // Counts as ended until it has returned otherwise: an iterator that throws is not closed again.
    this.isOver = true
    while (drawn.length < count) {
      const { done, value } = this.#iterator.next()
      if (done === true) return drawn
      drawn.push(value)
    }
    this.isOver = false
    return drawn
  }

  close(): void {
    if (this.isOver) return
    this.isOver = true
    this.#iterator.return?.()
  }
}

/** Put-off work under way: it emits by itself. */
class Resuming implements Drawn {
  readonly #work: Resumable
  isOver = false

  constructor(work: Resumable) {
    this.#work = work
  }

  take(): readonly unknown[] | Promise<readonly unknown[]> {
    // Counts as ended until it has returned otherwise: work that throws is not dropped.
    this.isOver = true
    const hasMore = this.#work.resume()
    this.isOver = !hasMore
    return isPromise(hasMore) ? this.#later(hasMore) : []
  }

  async #later(given: Promise<boolean>): Promise<readonly unknown[]> {
    let hasMore = false
    try {
      hasMore = await given
    } finally {
      // It may have been dropped meanwhile.
      if (!hasMore) this.isOver = true
    }
    return []
  }

  close(): void {
    if (this.isOver) return
    this.isOver = true
    this.#work.drop()
  }
}

/** The error for a hook that returned neither nothing nor an array. */
export function drawnFrom(given: unknown, stage: string): Drawn {
  if (typeof given === 'object' && given !== null) {
    if ('resume' in given) return new Resuming(given as Resumable)
    if (Symbol.iterator in given) return new Drawing(given as Iterable<unknown>)
  }
  throw new TypeError(`onEvents of ${stage} must return an array or an iterator: found ${describeValue(given)}`)
}
