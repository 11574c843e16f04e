// Fair dispatcher: consumers with demand take turns, a slice each.

import { checkInteger } from '../../base/check.ts'
import type { Deliver, Dispatcher, DispatcherSpec } from '../dispatcher.ts'
import type { Mark } from '../message.ts'

/**
 * Each event goes to one consumer; those with demand take turns, so that a burst is spread over all that are free.
 *
 * @param options.slice - the most events that a consumer gets in its turn: an integer, 1 or more; 1 by default
 * @example
 * fair().kind // => 'fair'
 */
export function fair<T>(options: { readonly slice?: number } = {}): DispatcherSpec<T> {
  const { slice = 1 } = options
  checkInteger('slice', slice, 1)
  return { kind: 'fair', check: () => {}, make: <C>() => new FairDispatcher<T, C>(slice) }
}

class FairDispatcher<T, C> implements Dispatcher<T, C> {
  readonly #slice: number
  /** Consumer → what it misses, in the order of turns. */
  readonly #missing = new Map<C, number>()
  /** The consumers in order; kept apart so that a turn is an index. */
  #order: C[] = []
  /** Whose turn it is. */
  #turn = 0

  constructor(slice: number) {
    this.#slice = slice
  }

  subscribe(consumer: C): void {
    this.#missing.set(consumer, 0)
    this.#order.push(consumer)
  }

  cancel(consumer: C): void {
    const index = this.#order.indexOf(consumer)
    this.#missing.delete(consumer)
    this.#order = this.#order.filter((one) => one !== consumer)
    if (index >= 0 && index < this.#turn) this.#turn -= 1
  }

  ask(consumer: C, events: number): void {
    const missing = this.#missing.get(consumer)
    if (missing !== undefined) this.#missing.set(consumer, missing + events)
  }

  wanted(): number {
    let sum = 0
    for (const missing of this.#missing.values()) sum += missing
    return sum
  }

  /** Deals the events out in turns, and gives each consumer its share as one batch. */
  dispatch(events: readonly T[], deliver: Deliver<T, C>): void {
    const shares = new Map<C, T[]>()
    for (let from = 0; from < events.length; ) {
      const consumer = this.#next()
      const missing = this.#missing.get(consumer) ?? 0
      const to = Math.min(from + this.#slice, from + missing, events.length)
      this.#missing.set(consumer, missing - (to - from))
      const share = shares.get(consumer) ?? []
      for (let i = from; i < to; i += 1) share.push(events[i] as T)
      shares.set(consumer, share)
      from = to
    }
    for (const [consumer, share] of shares) deliver.events(consumer, share)
  }

  mark(mark: Mark, deliver: Deliver<T, C>): void {
    for (const consumer of [...this.#order]) deliver.mark(consumer, mark)
  }

  held(): number {
    return 0
  }

  /** The next consumer with demand, starting with the one whose turn it is. */
  #next(): C {
    for (;;) {
      if (this.#turn >= this.#order.length) this.#turn = 0
      const consumer = this.#order[this.#turn] as C
      this.#turn += 1
      if ((this.#missing.get(consumer) ?? 0) > 0) return consumer
    }
  }
}
