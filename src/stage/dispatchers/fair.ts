// Fair dispatcher: consumers with demand take turns, a slice each.

import { checkInteger, checkKeys } from '../../base/check.ts'
import { type Chunk, isArray, sharedOut } from '../chunk.ts'
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
  checkKeys('fair', options, ['slice'])
  const { slice = 1 } = options
  checkInteger('slice', slice, 1)
  return { kind: 'fair', check: () => {}, make: <C>() => new FairDispatcher<T, C>(slice) }
}

/** A consumer that takes its turn. */
interface Player<C> {
  readonly consumer: C
  missing: number
  /** What it has been dealt of the current chunk: events of an array, else their indices. */
  share: unknown[]
}

class FairDispatcher<T, C> implements Dispatcher<T, C> {
  readonly #slice: number
  /** In the order of turns. */
  #players: Player<C>[] = []
  /** Whose turn it is. */
  #turn = 0

  constructor(slice: number) {
    this.#slice = slice
  }

  subscribe(consumer: C): void {
    this.#players.push({ consumer, missing: 0, share: [] })
  }

  cancel(consumer: C): void {
    const index = this.#players.findIndex((player) => player.consumer === consumer)
    this.#players = this.#players.filter((player) => player.consumer !== consumer)
    if (index >= 0 && index < this.#turn) this.#turn -= 1
  }

  ask(consumer: C, events: number): void {
    for (const player of this.#players) if (player.consumer === consumer) player.missing += events
  }

  wanted(): number {
    return this.#players.reduce((sum, player) => sum + player.missing, 0)
  }

  /** Deals the events out in turns, and gives each consumer its share as one batch. */
  dispatch(events: Chunk<T>, deliver: Deliver<T, C>): void {
    const places = isArray(events) ? events : Array.from({ length: events.length }, (_, index) => index)
    for (let from = 0; from < events.length; ) {
      const player = this.#next()
      const to = Math.min(from + this.#slice, from + player.missing, events.length)
      player.missing -= to - from
      for (; from < to; from += 1) player.share.push(places[from])
    }
    for (const player of this.#players) {
      const { share } = player
      if (share.length === 0) continue
      player.share = []
      deliver.events(player.consumer, sharedOut(events, share))
    }
  }

  mark(mark: Mark, deliver: Deliver<T, C>): void {
    for (const { consumer } of [...this.#players]) deliver.mark(consumer, mark)
  }

  held(): number {
    return 0
  }

  /** The next consumer with demand, starting with the one whose turn it is. */
  #next(): Player<C> {
    for (;;) {
      if (this.#turn >= this.#players.length) this.#turn = 0
      const player = this.#players[this.#turn] as Player<C>
      this.#turn += 1
      if (player.missing > 0) return player
    }
  }
}
