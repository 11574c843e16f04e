// Broadcast dispatcher: every event to every consumer that wants its kind.

import { type Chunk, filtered } from '../chunk.ts'
import type { Deliver, Dispatcher, DispatcherSpec } from '../dispatcher.ts'
import type { Mark } from '../message.ts'

export interface BroadcastOptions<T> {
  /** Events for which it returns false are not sent to this consumer, and use none of its demand. */
  readonly selector?: (event: T) => boolean
}

/**
 * Every event goes to every consumer subscribed when it is dispatched, at the speed of the slowest. All get the same
 * chunk: none may change it.
 *
 * A consumer that has not asked yet holds back all others; when one leaves, the others continue.
 *
 * @example
 * broadcast().kind // => 'broadcast'
 * @see GenStage.BroadcastDispatcher; unlike there, a selector that rejects a whole batch sends no empty one
 */
export function broadcast<T>(): DispatcherSpec<T, BroadcastOptions<T>> {
  return { kind: 'broadcast', check: checkSelector, make: <C>() => new BroadcastDispatcher<T, C>() }
}

function checkSelector(options: BroadcastOptions<never> | undefined): void {
  const selector = options?.selector
  if (selector === undefined || typeof selector === 'function') return
  throw new TypeError(`selector must be a function: found ${typeof selector}`)
}

interface Listener<T> {
  missing: number
  readonly selector: ((event: T) => boolean) | undefined
}

class BroadcastDispatcher<T, C> implements Dispatcher<T, C, BroadcastOptions<T>> {
  readonly #listeners = new Map<C, Listener<T>>()

  subscribe(consumer: C, options: BroadcastOptions<T>): void {
    this.#listeners.set(consumer, { missing: 0, selector: options?.selector })
  }

  cancel(consumer: C): void {
    this.#listeners.delete(consumer)
  }

  ask(consumer: C, events: number): void {
    const listener = this.#listeners.get(consumer)
    if (listener !== undefined) listener.missing += events
  }

  /** The least that any consumer misses. Nothing without consumers: events wait for the first one. */
  wanted(): number {
    let least = Number.POSITIVE_INFINITY
    for (const listener of this.#listeners.values()) least = Math.min(least, listener.missing)
    return least === Number.POSITIVE_INFINITY ? 0 : least
  }

  dispatch(events: Chunk<T>, deliver: Deliver<T, C>): void {
    for (const [consumer, listener] of this.#listeners) {
      const { selector } = listener
      const chosen = selector === undefined ? events : filtered(events, selector)
      listener.missing -= chosen.length
      if (chosen.length > 0) deliver.events(consumer, chosen)
    }
  }

  mark(mark: Mark, deliver: Deliver<T, C>): void {
    for (const consumer of [...this.#listeners.keys()]) deliver.mark(consumer, mark)
  }

  held(): number {
    return 0
  }
}
