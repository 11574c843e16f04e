// What a handler gave as an iterator: drawn from as far as demand reaches, and closed once.

import { describeValue } from '../base/check.ts'
import { isPromise } from '../base/promise.ts'

/** The most events drawn before the stage looks at its mailbox again. */
const DRAWN_AT_ONCE = 4096

/** What is still to come of a call of `onEvents`: taken as far as demand reaches. */
export interface Drawn {
  readonly isOver: boolean
  /** Up to `room` events, now or later; fewer at the end. */
  take(room: number): readonly unknown[] | Promise<readonly unknown[]>
  close(): void
}

/** Work that a hook has put off: it emits by itself when it is told to go on. */
export interface Resumable {
  /**
   * Goes on with a bounded piece of the work, while consumers miss some; false when nothing is left. Where it gives a
   * promise the stage does nothing else until that has settled, and fails if it rejects.
   */
  resume(): boolean | Promise<boolean>
  /** Nothing more is wanted: called at most once, while a promise is waited for, too, which is not heard any more. */
  drop(): void
}

/**
 * An iterator under way. It is closed by `close` unless it has come to its end or has thrown: then it has closed itself.
 */
class Drawing implements Drawn {
  readonly #iterator: Iterator<unknown>
  isOver = false

  constructor(given: Iterable<unknown>) {
    this.#iterator = given[Symbol.iterator]()
  }

  take(room: number): unknown[] {
    const drawn: unknown[] = []
    const count = Math.min(room, DRAWN_AT_ONCE)
    // Over until it has said otherwise: one that throws is not closed again.
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

/** Put-off work under way: what it makes goes out by itself. */
class Resuming implements Drawn {
  readonly #work: Resumable
  isOver = false

  constructor(work: Resumable) {
    this.#work = work
  }

  take(): readonly unknown[] | Promise<readonly unknown[]> {
    // Over until it has said otherwise: work that throws is not dropped.
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

/** What a hook of the stage named gave that is neither nothing nor an array. */
export function drawnFrom(given: unknown, stage: string): Drawn {
  if (typeof given === 'object' && given !== null) {
    if ('resume' in given) return new Resuming(given as Resumable)
    if (Symbol.iterator in given) return new Drawing(given as Iterable<unknown>)
  }
  throw new TypeError(`onEvents of ${stage} must give an array or an iterator: found ${describeValue(given)}`)
}
