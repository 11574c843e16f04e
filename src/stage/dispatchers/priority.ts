// Priority dispatcher: the consumer of the highest priority is served first, the others get the rest.

import { checkInteger } from '../../base/check.ts'
import { type Chunk, cut } from '../chunk.ts'
import type { Deliver, Dispatcher, DispatcherSpec } from '../dispatcher.ts'
import type { Mark } from '../message.ts'

export interface PriorityOptions {
  /** Higher is served first: an integer. 0 by default. */
  readonly priority?: number
}

/**
 * Each event goes to the consumer of the highest priority that has demand; of ties, to the first subscribed.
 *
 * A consumer of low priority gets events only while those above it are busy: a spare.
 *
 * @example
 * priority().kind // => 'priority'
 */
export function priority<T>(): DispatcherSpec<T, PriorityOptions> {
  return { kind: 'priority', check: checkPriority, make: <C>() => new PriorityDispatcher<T, C>() }
}

function checkPriority(options: PriorityOptions): void {
  if (options?.priority !== undefined) checkInteger('priority', options.priority, Number.MIN_SAFE_INTEGER)
}

interface Ranked<C> {
  readonly consumer: C
  readonly priority: number
  missing: number
}

class PriorityDispatcher<T, C> implements Dispatcher<T, C, PriorityOptions> {
  /** Highest priority first. */
  #ranks: Ranked<C>[] = []

  subscribe(consumer: C, options: PriorityOptions): void {
    this.#ranks.push({ consumer, priority: options?.priority ?? 0, missing: 0 })
    this.#ranks.sort((a, b) => b.priority - a.priority)
  }

  cancel(consumer: C): void {
    this.#ranks = this.#ranks.filter((one) => one.consumer !== consumer)
  }

  ask(consumer: C, events: number): void {
    const one = this.#ranks.find((ranked) => ranked.consumer === consumer)
    if (one !== undefined) one.missing += events
  }

  wanted(): number {
    return this.#ranks.reduce((sum, one) => sum + one.missing, 0)
  }

  dispatch(events: Chunk<T>, deliver: Deliver<T, C>): void {
    let from = 0
    for (const one of this.#ranks) {
      const to = Math.min(from + one.missing, events.length)
      if (to === from) continue
      one.missing -= to - from
      deliver.events(one.consumer, cut(events, from, to))
      from = to
    }
  }

  mark(mark: Mark, deliver: Deliver<T, C>): void {
    for (const { consumer } of [...this.#ranks]) deliver.mark(consumer, mark)
  }

  held(): number {
    return 0
  }
}
