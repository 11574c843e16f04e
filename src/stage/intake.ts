// The receiving side of a stage: what came from its producers, and what to handle next.

import { Ring } from '../base/ring.ts'
import { Alignment } from './alignment.ts'
import { type Chunk, cut } from './chunk.ts'
import type { Link } from './link.ts'
import type { Ending, Marker, ToConsumer, ToHandle, ToStage } from './message.ts'

/** One thing for the stage to do. */
export type Work =
  | ToHandle<Link>
  | Marker
  | { readonly kind: 'end'; readonly link: Link; readonly ending: Ending }
  | ToStage

/** A chunk that is larger than a slice. What is handled already lies before `at`. */
interface Large {
  readonly link: Link
  readonly events: Chunk<unknown>
  at: number
  /** How many of the events still to be handled were asked for. */
  counted: number
}

/** Keeps messages in order, cuts chunks into slices, and aligns marks. Bounded by what the links have asked for. */
export class Intake {
  readonly #links = new Set<Link>()
  /** What came, and before it what was held and released. */
  readonly #queue = new Ring<ToConsumer<Link> | ToStage | Marker>()
  /** Link → what came after its barrier, while the barrier is still to come on another link. */
  readonly #behindBarrier = new Map<Link, ToConsumer<Link>[]>()
  readonly #alignment = new Alignment<Link>()
  #large: Large | undefined
  received = 0
  /** Events that are not handled yet. */
  waiting = 0

  get links(): ReadonlySet<Link> {
    return this.#links
  }

  /** Whether a producer is left whose end this stage awaits. */
  get hasLasting(): boolean {
    return [...this.#links].some(({ policy }) => policy.onComplete !== 'never')
  }

  join(link: Link): void {
    this.#links.add(link)
    this.#alignment.join(link)
  }

  /** The link is gone: nothing more of it is handled, and marks that waited for it continue. */
  leave(link: Link): boolean {
    if (!this.#links.delete(link)) return false
    if (this.#large?.link === link) {
      this.waiting -= this.#large.events.length - this.#large.at
      this.#large = undefined
    }
    for (const message of this.#behindBarrier.get(link) ?? []) this.#forget(message)
    this.#behindBarrier.delete(link)
    const { time, epoch } = this.#alignment.leave(link)
    if (epoch !== undefined) this.#queue.unshift(this.#release(epoch))
    if (time !== undefined) this.#queue.unshift({ kind: 'watermark', time })
    return true
  }

  /** Ends a subscription: its producer is notified. Returns whether it was here. */
  letGoOf(link: Link, ending: Ending): boolean {
    if (!this.leave(link)) return false
    link.close(ending)
    link.from.post({ kind: 'cancel', link, ending })
    return true
  }

  letGo(ending: Ending): void {
    for (const link of [...this.#links]) this.letGoOf(link, ending)
  }

  accept(message: ToConsumer<Link> | ToStage): void {
    this.#queue.push(message)
    if (message.kind !== 'events') return
    this.received += message.events.length
    this.waiting += message.events.length
  }

  /** Whether there is nothing to be done. */
  get isEmpty(): boolean {
    return this.#queue.length === 0 && this.#large === undefined
  }

  /** What to do next; no events unless `mayTake`, and then nothing that came after them. */
  next(mayTake: boolean): Work | undefined {
    if (this.#large !== undefined) return mayTake ? this.#slice(this.#large) : undefined
    for (;;) {
      const message = this.#queue.peek()
      if (message === undefined || (message.kind === 'events' && !mayTake)) return undefined
      this.#queue.shift()
      const work = message.kind === 'events' || message.kind === 'mark' ? this.#take(message) : message
      if (work !== undefined) return work
    }
  }

  /** Drops everything; returns the requests that will not be answered. */
  clear(): ToStage[] {
    const unanswered = this.#queue.take(this.#queue.length).filter((message) => message.kind === 'message')
    this.#behindBarrier.clear()
    this.#large = undefined
    this.waiting = 0
    return unanswered
  }

  #take(message: ToConsumer<Link>): Work | undefined {
    const { link } = message
    if (link.ending !== undefined) {
      this.#forget(message)
      return undefined
    }
    if (this.#alignment.hasWaiting && this.#alignment.isWaiting(link)) {
      const behind = this.#behindBarrier.get(link)
      if (behind === undefined) this.#behindBarrier.set(link, [message])
      else behind.push(message)
      return undefined
    }
    if (message.kind === 'mark') return this.#mark(message)
    const { events, counted } = message
    if (events.length > link.slice) return this.#slice({ link, events, at: 0, counted })
    this.waiting -= events.length
    return message
  }

  #slice(large: Large): Work {
    const { link, events, at } = large
    const to = Math.min(at + link.slice, events.length)
    const counted = Math.min(to - at, large.counted)
    large.at = to
    large.counted -= counted
    this.waiting -= to - at
    this.#large = to === events.length ? undefined : large
    return { kind: 'events', link, events: cut(events, at, to), counted }
  }

  #mark({ link, mark }: Extract<ToConsumer<Link>, { kind: 'mark' }>): Work | undefined {
    if (mark.kind === 'end') return { kind: 'end', link, ending: mark.ending }
    if (mark.kind === 'watermark') {
      const time = this.#alignment.watermark(link, mark.time)
      return time === undefined ? undefined : { kind: 'watermark', time }
    }
    const epoch = this.#alignment.barrier(link, mark.epoch)
    return epoch === undefined ? undefined : this.#release(epoch)
  }

  /** A barrier has arrived everywhere: what came after it is next, each link's in its order. */
  #release(epoch: number): Marker {
    for (const message of [...this.#behindBarrier.values()].flat().reverse()) this.#queue.unshift(message)
    this.#behindBarrier.clear()
    return { kind: 'barrier', epoch }
  }

  #forget(message: ToConsumer<Link>): void {
    if (message.kind === 'events') this.waiting -= message.events.length
  }
}
