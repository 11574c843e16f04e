// Demand dispatcher: events go to the consumer that asked for most.

import { checkFunctions, checkKeys } from '../../base/check.ts'
import { type Chunk, cut } from '../chunk.ts'
import type { Deliver, Dispatcher, DispatcherSpec } from '../dispatcher.ts'
import type { Mark } from '../message.ts'

export interface DemandOptions {
  /** Shuffles the consumers once, before the first events, so that the first subscribed is not always the first served. */
  readonly shuffle?: () => number
}

/**
 * Each event goes to one consumer: the one with the highest demand, ties first come first served. The default.
 *
 * A batch goes whole to one consumer as far as its demand reaches, so with few events and large demands one consumer
 * does all the work: set a small `maxDemand` if events are costly, or use {@link fair}.
 *
 * @param options.shuffle - a source of random numbers, 0 to 1
 * @example
 * const dispatcher = demand<string>().make<string>()
 * dispatcher.subscribe('a', undefined)
 * dispatcher.wanted() // => 0
 * @see GenStage.DemandDispatcher
 */
export function demand<T>(options: DemandOptions = {}): DispatcherSpec<T> {
  checkKeys('demand', options, ['shuffle'])
  checkFunctions(options as Readonly<Record<string, unknown>>)
  return { kind: 'demand', check: () => {}, make: <C>() => new DemandDispatcher<T, C>(options.shuffle) }
}

interface Demander<C> {
  readonly consumer: C
  missing: number
}

class DemandDispatcher<T, C> implements Dispatcher<T, C> {
  /** Highest demand first; of ties, the one that has waited longest. */
  readonly #demanders: Demander<C>[] = []
  /** The sum of what all miss: kept, because it is read for every batch. */
  #missing = 0
  /** Set until the first dispatch, if a shuffle is wanted. */
  #shuffle: (() => number) | undefined

  constructor(shuffle: (() => number) | undefined) {
    this.#shuffle = shuffle
  }

  subscribe(consumer: C): void {
    this.#demanders.push({ consumer, missing: 0 })
  }

  cancel(consumer: C): void {
    const index = this.#demanders.findIndex((one) => one.consumer === consumer)
    const [gone] = this.#demanders.splice(index, index < 0 ? 0 : 1)
    this.#missing -= gone?.missing ?? 0
  }

  ask(consumer: C, events: number): void {
    const demanders = this.#demanders
    let index = 0
    while (index < demanders.length && demanders[index]!.consumer !== consumer) index += 1
    const one = demanders[index]
    if (one === undefined) return
    one.missing += events
    this.#missing += events
    // Moves up past those that now miss less, and after ties.
    while (index > 0 && demanders[index - 1]!.missing < one.missing) {
      demanders[index] = demanders[index - 1]!
      index -= 1
    }
    // A consumer that asked again goes after those with equal demand that were behind it.
    while (index + 1 < demanders.length && demanders[index + 1]!.missing >= one.missing) {
      demanders[index] = demanders[index + 1]!
      index += 1
    }
    demanders[index] = one
  }

  wanted(): number {
    return this.#missing
  }

  dispatch(events: Chunk<T>, deliver: Deliver<T, C>): void {
    if (this.#shuffle !== undefined) this.#shuffleOnce(this.#shuffle)
    for (let from = 0; from < events.length; ) {
      const first = this.#demanders[0]!
      const to = Math.min(from + first.missing, events.length)
      first.missing -= to - from
      this.#missing -= to - from
      if (this.#demanders.length > 1) this.#sinkFirst()
      deliver.events(first.consumer, cut(events, from, to))
      from = to
    }
  }

  mark(mark: Mark, deliver: Deliver<T, C>): void {
    for (const { consumer } of [...this.#demanders]) deliver.mark(consumer, mark)
  }

  held(): number {
    return 0
  }

  /** The first has been served: it goes after all that miss as much or more. */
  #sinkFirst(): void {
    const demanders = this.#demanders
    const first = demanders[0]!
    let index = 0
    while (index + 1 < demanders.length && demanders[index + 1]!.missing >= first.missing) {
      demanders[index] = demanders[index + 1]!
      index += 1
    }
    demanders[index] = first
  }

  #shuffleOnce(random: () => number): void {
    this.#shuffle = undefined
    const list = this.#demanders
    for (let i = list.length - 1; i > 0; i -= 1) {
      const j = Math.floor(random() * (i + 1))
      const moved = list[i]!
      list[i] = list[j]!
      list[j] = moved
    }
    list.sort((a, b) => b.missing - a.missing)
  }
}
