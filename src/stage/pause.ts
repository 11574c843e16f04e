// What comes while a stage is paused: kept in its order, bounded, and given out again afterwards.

import { Ring } from '../base/ring.ts'
import type { Link } from './link.ts'
import type { Marker, ToProducer } from './message.ts'
import type { WhenFull } from './out-buffer.ts'

export type Ask = Extract<ToProducer<Link>, { kind: 'ask' }>
/** Some events in a row: their number only; the events themselves are in one queue for all. */
interface Stretch {
  readonly kind: 'emit'
  count: number
}
type Held = Ask | { readonly kind: 'emit'; readonly events: readonly unknown[] } | Marker

/**
 * Demand, events and markers that came while paused. They are given back one by one, in the order in which they came;
 * what comes before the last of them is out queues up behind.
 */
export class Pause {
  isOn = false
  readonly #size: number
  readonly #whenFull: WhenFull
  readonly #held = new Ring<Ask | Stretch | Marker>(2)
  readonly #events = new Ring<unknown>(2)
  /** The stretches of `#held`, oldest first: where events over the size are taken from. */
  readonly #stretches = new Ring<Stretch>(2)
  /** The last thing held, if it is a stretch: more events lengthen it, so that many of them take no more room. */
  #open: Stretch | undefined

  constructor(size: number, whenFull: WhenFull) {
    this.#size = size
    this.#whenFull = whenFull
  }

  get heldEvents(): number {
    return this.#events.length
  }

  /** Whether what comes now must wait. */
  get isHolding(): boolean {
    return this.isOn || this.#held.length > 0
  }

  get canReplay(): boolean {
    return !this.isOn && this.#held.length > 0
  }

  hold(one: Ask | Marker): void {
    this.#held.push(one)
    this.#open = undefined
  }

  /** Gives the number of events discarded because there are too many, or -1 if that is a failure. */
  holdEvents(events: readonly unknown[]): number {
    const over = Math.max(0, this.#events.length + events.length - this.#size)
    if (over > 0 && this.#whenFull === 'fail') return -1
    const isFirst = this.#whenFull === 'keep-first'
    this.#push(isFirst ? events.slice(0, events.length - over) : events)
    for (let rest = isFirst ? 0 : over; rest > 0; ) rest -= this.#trimOldest(rest)
    return over
  }

  shift(): Held | undefined {
    const held = this.#held.shift()
    if (held?.kind !== 'emit') return held
    if (held === this.#stretches.peek()) this.#stretches.shift()
    if (held === this.#open) this.#open = undefined
    return { kind: 'emit', events: this.#events.take(held.count) }
  }

  clear(): void {
    this.#held.clear()
    this.#events.clear()
    this.#stretches.clear()
    this.#open = undefined
  }

  #push(events: readonly unknown[]): void {
    if (events.length === 0) return
    if (this.#open === undefined) {
      this.#open = { kind: 'emit', count: 0 }
      this.#held.push(this.#open)
      this.#stretches.push(this.#open)
    }
    this.#open.count += events.length
    for (const event of events) this.#events.push(event)
  }

  /** Takes up to `count` events off the oldest stretch; one that is empty stays in its place, and gives nothing. */
  #trimOldest(count: number): number {
    const oldest = this.#stretches.peek()
    if (oldest === undefined) return count
    const taken = Math.min(count, oldest.count)
    oldest.count -= taken
    this.#events.take(taken)
    if (oldest.count === 0 && oldest !== this.#open) this.#stretches.shift()
    return taken
  }
}
