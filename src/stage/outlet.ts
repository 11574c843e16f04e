// The giving side of a stage: its consumers, what they miss, and what waits for them.

import type { Deliver, Dispatcher } from './dispatcher.ts'
import type { Link } from './link.ts'
import type { Mark } from './message.ts'
import { OutBuffer, type WhenFull } from './out-buffer.ts'

/**
 * Keeps the balance of demand: what is buffered goes out whenever anybody misses it, and what is asked of the source
 * is worked out from what consumers miss, less what is buffered, less what the source already owes. So demand of
 * consumers that left, or of events that were dropped, can hide nothing.
 */
export class Outlet<T> {
  readonly #dispatcher: Dispatcher<T, Link>
  readonly #buffer: OutBuffer<T>
  readonly #links = new Set<Link>()
  /** Asked of the source and not yet given by it. */
  #owed = 0
  emitted = 0
  discarded = 0
  /** Whether the end has been put in line: nothing is given after it. */
  isEnding = false

  constructor(dispatcher: Dispatcher<T, Link>, bufferSize: number, whenFull: WhenFull) {
    this.#dispatcher = dispatcher
    this.#buffer = new OutBuffer(bufferSize, whenFull)
  }

  get buffered(): number {
    return this.#buffer.length + this.#dispatcher.held()
  }

  get links(): ReadonlySet<Link> {
    return this.#links
  }

  /** Whether everything has been handed to somebody, the end included. */
  get isSpent(): boolean {
    return this.isEnding && this.#buffer.isEmpty && this.#links.size === 0
  }

  /** Events that could go out now, beyond what waits already. */
  get room(): number {
    return this.#dispatcher.wanted() - this.#buffer.length
  }

  join(link: Link): void {
    this.#dispatcher.subscribe(link, link.options)
    this.#links.add(link)
  }

  /** Whether the link was here. One that leaves may let the others go on. */
  leave(link: Link): boolean {
    if (!this.#links.delete(link)) return false
    this.#dispatcher.cancel(link)
    return true
  }

  ask(link: Link, events: number): void {
    this.#dispatcher.ask(link, events, this.#deliver)
    if (!this.#buffer.isEmpty) this.flush()
  }

  /** What the source is to be asked for now; it owes that from here on. */
  newDemand(): number {
    if (this.isEnding) return 0
    const fresh = this.room - this.#owed
    if (fresh <= 0) return 0
    this.#owed += fresh
    return fresh
  }

  /**
   * Gives events; what nobody asked for waits. Returns the number discarded because the buffer is full, or -1 if it
   * is to fail. What one call of a handler made (`isBounded` false) is kept whole: the next call waits for it.
   */
  emit(events: readonly T[], isBounded: boolean): number {
    this.emitted += events.length
    this.#owed = Math.max(0, this.#owed - events.length)
    if (!this.#buffer.isEmpty) {
      const lost = this.#keep(events, isBounded)
      this.flush()
      return lost
    }
    const wanted = this.#dispatcher.wanted()
    if (events.length <= wanted) {
      this.#dispatcher.dispatch(events, this.#deliver)
      return 0
    }
    if (wanted > 0) this.#dispatcher.dispatch(events.slice(0, wanted), this.#deliver)
    return this.#keep(wanted > 0 ? events.slice(wanted) : events, isBounded)
  }

  /** Puts a mark in line. */
  mark(mark: Mark): void {
    if (mark.kind === 'end') this.isEnding = true
    this.#buffer.pushMark(mark)
    this.flush()
  }

  /** Sends out what waits, as far as demand reaches; marks in their places. */
  flush(): void {
    while (!this.#buffer.isEmpty) {
      const mark = this.#buffer.takeMark()
      if (mark !== undefined) {
        this.#dispatcher.mark(mark, this.#deliver)
        continue
      }
      const wanted = this.#dispatcher.wanted()
      if (wanted <= 0) return
      this.#dispatcher.dispatch(this.#buffer.take(wanted), this.#deliver)
    }
  }

  /** Forgets everything that waits: it counts as discarded. */
  clear(): void {
    this.discarded += this.buffered
    this.#buffer.clear()
  }

  #keep(events: readonly T[], isBounded: boolean): number {
    const lost = isBounded ? this.#buffer.push(events) : this.#buffer.append(events)
    if (lost > 0) this.discarded += lost
    return lost
  }

  /** How the dispatcher reaches consumers: through their mailboxes, so that nothing recurses. */
  readonly #deliver: Deliver<T, Link> = {
    events: (link, events) => link.to.post({ kind: 'events', link, events }),
    mark: (link, mark) => {
      link.to.post({ kind: 'mark', link, mark })
      if (mark.kind === 'end') this.leave(link)
    },
  }
}
