// Limits what is under way between two stages: fewer events if they are large.

import type { Batch } from '../connect/batch.ts'
import type { Link, SubscribeOptions } from '../stage/link.ts'
import { bytesOfBatch } from './size.ts'

/** The most events, and about the most bytes, that are under way between two stages. */
export interface InFlightLimits {
  readonly events: number
  readonly bytes: number
}

/** Until the size of events is known, only a few are under way. */
const FIRST_EVENTS = 64

/**
 * Sets the demand windows of all links of one thread by the largest recent events.
 *
 * Grows a window at once. A smaller window waits until what was already asked for has come: if events suddenly become
 * large, as many as were asked for still arrive.
 */
export class InFlight {
  readonly #most: InFlightLimits
  readonly #links: Link[] = []
  /** By meter: the recent size of events. */
  readonly #sizes: number[] = []
  #window: number

  constructor(most: InFlightLimits) {
    this.#most = most
    this.#window = Math.min(FIRST_EVENTS, most.events)
  }

  /** The window as it is now. */
  get demand(): SubscribeOptions {
    return windowOf(this.#window)
  }

  /** Watches a link, whose window is adjusted from now on. */
  watch(link: Link): Link {
    this.#links.push(link)
    return link
  }

  /** Makes a meter, which is shown every batch at one place. */
  meter(): (batch: Batch) => void {
    const told = this.counter()
    return (batch) => {
      if (batch.length === 0) return
      try {
        told(batch.length, bytesOfBatch(batch))
      } catch {
        // A getter of an event threw. The user of the event gets the error; a limit need not report it.
      }
    }
  }

  /** As `meter`, for sizes that were measured already. */
  counter(): (events: number, bytes: number) => void {
    const at = this.#sizes.push(0) - 1
    return (events, bytes) => {
      const size = bytes / Math.max(1, events)
      const before = this.#sizes[at] as number
      // Large ones count at once, small ones when there are more of them.
      this.#sizes[at] = Math.max(size, (3 * before + size) / 4)
      this.#follow()
    }
  }

  #follow(): void {
    let largest = 1
    for (const size of this.#sizes) if (size > largest) largest = size
    const { events, bytes } = this.#most
    const window = Math.min(events, Math.max(1, Math.floor(bytes / largest)))
    const isNear = window > this.#window / 2 && window < this.#window * 2 && window !== events
    if (window === this.#window || isNear) return
    this.#window = window
    for (const link of this.#links) if (!link.isManual) link.update(windowOf(window))
  }
}

function windowOf(maxDemand: number): { readonly maxDemand: number; readonly minDemand: number } {
  return { maxDemand, minDemand: Math.floor(maxDemand / 2) }
}
