// The emitting side of a stage: its consumers, what they miss, and what waits for them.

import { SluiceError } from '../base/errors.ts'
import { type Chunk, cut } from './chunk.ts'
import type { Deliver, Dispatcher } from './dispatcher.ts'
import { InHand } from './in-hand.ts'
import type { Link } from './link.ts'
import type { Ending, Mark, Marker, ToProducer } from './message.ts'
import { OutBuffer, type WhenFull } from './out-buffer.ts'

type Ask = Extract<ToProducer<Link>, { kind: 'ask' }>

export interface OutletOptions {
  /** The stage's name, for errors and warnings. */
  readonly name: string
  readonly bufferSize: number
  readonly whenFull: WhenFull
  readonly onDiscard: ((events: number) => void) | undefined
}

/**
 * Keeps the balance of demand: what is buffered is sent whenever anybody misses it, and what is asked of the source is
 * computed from what consumers miss, less what is buffered, less what the source already owes. So demand of consumers
 * that left, or of events that were dropped, is never lost.
 */
export class Outlet<T> {
  readonly #options: OutletOptions
  readonly #dispatcher: Dispatcher<T, Link>
  readonly #buffer: OutBuffer<T>
  /** Whether demand, events and markers are held back. */
  isPaused = false
  /** Whether what comes now must wait: during a pause, and until everything that came in it has been handled. */
  isHolding = false
  /** What came during a pause, in order: handled one by one; what comes meanwhile queues up after it. */
  readonly #held: OutBuffer<T, Ask | Marker>
  readonly #links = new Set<Link>()
  /** Asked of the source and not yet emitted by it. */
  #owed = 0
  emitted = 0
  readonly #inHand: InHand
  discarded = 0
  /** Whether the end has been put in line: nothing is emitted after it. */
  isEnding = false
  /** The end, once it has been sent: a new consumer gets it at once. */
  #end: Mark | undefined
  /** The last watermark that was passed on. */
  watermark: number | undefined
  #hasWarned = false
  /** Whether what waits has been dropped: what a dispatcher still holds belongs to nobody. */
  #isCleared = false

  constructor(dispatcher: Dispatcher<T, Link>, options: OutletOptions) {
    this.#options = options
    this.#dispatcher = dispatcher
    this.#buffer = new OutBuffer(options.bufferSize, options.whenFull)
    this.#held = new OutBuffer(options.bufferSize, options.whenFull)
    this.#inHand = new InHand(options.name)
  }

  get buffered(): number {
    if (this.#isCleared) return 0
    return this.#buffer.length + this.#dispatcher.held() + this.#held.length
  }

  get links(): ReadonlySet<Link> {
    return this.#links
  }

  /** Whether everything has been sent, including the end. */
  get isSpent(): boolean {
    return this.isEnding && this.#buffer.isEmpty && this.#links.size === 0
  }

  /** Events that could be sent now, beyond what waits already. */
  get room(): number {
    if (this.isPaused) return 0
    return this.#dispatcher.wanted() - this.#buffer.length - this.#inHand.events
  }

  join(link: Link): void {
    this.#dispatcher.subscribe(link, link.options)
    this.#links.add(link)
    if (this.#end !== undefined && this.#dispatcher.held() === 0) this.#deliver.mark(link, this.#end)
  }

  /** Whether the link was here. When one leaves, the others may continue. */
  leave(link: Link): boolean {
    if (!this.#links.delete(link)) return false
    this.#dispatcher.cancel(link)
    return true
  }

  /** Counts an ask, and sends what it reaches; false if it must wait, because of a pause. */
  ask(ask: Ask): boolean {
    if (this.isHolding) this.#held.pushMark(ask)
    else this.#serve(ask)
    return !this.isHolding
  }

  #serve({ link, events }: Ask): void {
    this.#dispatcher.ask(link, events, this.#deliver)
    if (!this.#buffer.isEmpty) this.flush()
  }

  /** What to ask of the source now; it owes that from here on. */
  newDemand(): number {
    if (this.isEnding) return 0
    const fresh = this.room - this.#owed
    if (fresh <= 0) return 0
    this.#owed += fresh
    return fresh
  }

  /** Emits events that the author sent on their own: after what came during a pause. */
  emit(events: Chunk<T>): void {
    if (this.isEnding) return
    this.#inHand.emitted()
    if (this.isHolding) this.#lose(this.#held.push(events))
    else this.give(events, true)
  }

  /** A hook received events and returned nothing; `before` is how many it had emitted before that call. */
  handed(events: number, before: number): void {
    this.#inHand.handed(events, this.emitted > before, () => this.room <= 0 && !this.isEnding && !this.isPaused)
  }

  /**
   * Emits events; what nobody asked for waits. What one call of a handler made (`isBounded` false) is kept whole: the
   * next call waits for it.
   *
   * @throws {SluiceError} BUFFER_FULL if there are too many, and the policy is to fail
   */
  give(events: Chunk<T>, isBounded: boolean): void {
    if (this.isPaused) return this.#lose(this.#held.push(events))
    this.emitted += events.length
    this.#owed = Math.max(0, this.#owed - events.length)
    if (!this.#buffer.isEmpty) {
      this.#keep(events, isBounded)
      return this.flush()
    }
    let from = 0
    while (from < events.length) {
      const wanted = this.#dispatcher.wanted()
      if (wanted <= 0) return this.#keep(cut(events, from), isBounded)
      const to = Math.min(from + wanted, events.length)
      this.#dispatcher.dispatch(cut(events, from, to), this.#deliver)
      // Again if there are more: those that were dropped, or are held in a lane, have used nobody's demand.
      from = to
    }
  }

  /** Puts a marker in line: after what came during a pause. */
  mark(marker: Marker): void {
    if (this.isEnding) return
    if (this.isHolding) this.#held.pushMark(marker)
    else this.#putMark(marker)
  }

  /** Puts the end in line. */
  end(mark: Extract<Mark, { kind: 'end' }>): void {
    this.isEnding = true
    this.#putMark(mark)
  }

  pause(): void {
    this.isPaused = true
    this.isHolding = true
  }

  resume(): void {
    this.isPaused = false
    this.isHolding = !this.#held.isEmpty
  }

  /** Takes one message that came during a pause, as if it came now; false if there is no message. */
  replay(): boolean {
    if (this.isPaused || !this.isHolding) return false
    const held = this.#held.takeMark()
    if (held === undefined) this.give(this.#held.take(Number.POSITIVE_INFINITY), true)
    else if (held.kind === 'ask') this.#serve(held)
    else this.#putMark(held)
    this.isHolding = this.isPaused || !this.#held.isEmpty
    return true
  }

  /** Sends what waits, as far as demand reaches; marks in their places. */
  flush(): void {
    while (!this.#buffer.isEmpty) {
      const mark = this.#buffer.takeMark()
      if (mark !== undefined) {
        if (mark.kind === 'end') this.#end = mark
        this.#dispatcher.mark(mark, this.#deliver)
        continue
      }
      const wanted = this.#dispatcher.wanted()
      if (wanted <= 0) return
      this.#dispatcher.dispatch(this.#buffer.take(wanted), this.#deliver)
    }
  }

  /** Drops everything that waits: it counts as discarded. Returns the number of events. */
  clear(): number {
    const lost = this.buffered
    this.#isCleared = true
    this.discarded += lost
    this.#buffer.clear()
    this.#held.clear()
    return lost
  }

  /** Ends at once: all consumers are notified. */
  letGo(ending: Ending): void {
    this.clear()
    for (const link of [...this.#links]) this.#deliver.mark(link, { kind: 'end', ending })
  }

  /** Tells the author about discarded events: each time, or once by a warning. */
  report(lost: number): void {
    if (lost === 0) return
    const { name, onDiscard } = this.#options
    if (onDiscard !== undefined) return onDiscard(lost)
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(`Stage ${name} discards events that nobody asks for (set onDiscard to be told each time)`)
  }

  #putMark(mark: Mark): void {
    if (mark.kind === 'watermark') this.watermark = mark.time
    this.#buffer.pushMark(mark)
    this.flush()
  }

  #keep(events: Chunk<T>, isBounded: boolean): void {
    if (isBounded) this.#lose(this.#buffer.push(events))
    else this.#buffer.append(events)
  }

  /** This many events did not fit; a negative number means a full buffer that is to fail. */
  #lose(lost: number): void {
    if (lost >= 0) {
      this.discarded += lost
      return this.report(lost)
    }
    const { name, bufferSize: size } = this.#options
    const message = `Stage ${name} cannot keep more events: its buffer of ${size} is full and nobody asks`
    throw new SluiceError('BUFFER_FULL', message, { stage: name, size })
  }

  /** How the dispatcher reaches consumers: through their mailboxes, so that nothing recurses. */
  readonly #deliver: Deliver<T, Link> = {
    events: (link, events) => {
      link.to.accept({ kind: 'events', link, events, counted: link.receive(events.length) })
    },
    mark: (link, mark) => {
      link.to.accept({ kind: 'mark', link, mark })
      if (mark.kind === 'end') this.leave(link)
    },
  }
}
