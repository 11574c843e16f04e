// What comes while a stage is paused: kept in its order, bounded, and given out again afterwards.

import { Ring } from '../base/ring.ts'
import type { Link } from './link.ts'
import type { Marker, ToProducer } from './message.ts'
import type { WhenFull } from './out-buffer.ts'

type Ask = Extract<ToProducer<Link>, { kind: 'ask' }>
type Held = Ask | { readonly kind: 'emit'; events: readonly unknown[] } | Marker

/**
 * Demand, events and markers that came while paused. They are given back one by one, in the order in which they came;
 * what comes before the last of them is out queues up behind.
 */
export class Pause {
  isOn = false
  heldEvents = 0
  discarded = 0
  readonly #size: number
  readonly #whenFull: WhenFull
  readonly #held = new Ring<Held>(2)
  /** The entries of `#held` with events, oldest first: where events over the size are taken from. */
  readonly #emits = new Ring<{ events: readonly unknown[] }>(2)

  constructor(size: number, whenFull: WhenFull) {
    this.#size = size
    this.#whenFull = whenFull
  }

  /** Whether what comes now must wait. */
  get isHolding(): boolean {
    return this.isOn || this.#held.length > 0
  }

  get canReplay(): boolean {
    return !this.isOn && this.#held.length > 0
  }

  holdAsk(ask: Ask): void {
    this.#held.push(ask)
  }

  holdMarker(marker: Marker): void {
    this.#held.push(marker)
  }

  /** Gives the number of events discarded because there are too many, or -1 if that is a failure. */
  holdEvents(events: readonly unknown[]): number {
    const over = Math.max(0, this.heldEvents + events.length - this.#size)
    if (over > 0 && this.#whenFull === 'fail') return -1
    const isFirst = this.#whenFull === 'keep-first'
    this.#push(isFirst ? events.slice(0, events.length - over) : events)
    for (let rest = isFirst ? 0 : over; rest > 0; ) rest -= this.#trimOldest(rest)
    this.discarded += over
    return over
  }

  shift(): Held | undefined {
    const held = this.#held.shift()
    if (held?.kind === 'emit') {
      if (this.#emits.peek() === held) this.#emits.shift()
      this.heldEvents -= held.events.length
    }
    return held
  }

  #push(events: readonly unknown[]): void {
    if (events.length === 0) return
    const held = { kind: 'emit' as const, events }
    this.#held.push(held)
    this.#emits.push(held)
    this.heldEvents += events.length
  }

  /** Takes up to `count` events off the oldest entry that has any. */
  #trimOldest(count: number): number {
    const oldest = this.#emits.peek()
    if (oldest === undefined) return count
    const taken = Math.min(count, oldest.events.length)
    oldest.events = oldest.events.slice(taken)
    this.heldEvents -= taken
    if (oldest.events.length === 0 && this.#emits.length > 1) this.#emits.shift()
    return taken
  }
}
