// What reached a step while it had put work off.

import { Ring } from '../base/ring.ts'
import type { Batch } from '../connect/batch.ts'

/** One item: events with the input that they came from, or a watermark. */
export type Waiting =
  | { readonly kind: 'events'; readonly batch: Batch; readonly input: number }
  | { readonly kind: 'watermark'; readonly time: number }

/** In the order in which it came. Bounded by the stage, which takes nothing in while a step has put work off. */
export class Backlog {
  readonly #waiting = new Ring<Waiting>(2)

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  push(waiting: Waiting): void {
    this.#waiting.push(waiting)
  }

  peek(): Waiting | undefined {
    return this.#waiting.peek()
  }

  shift(): Waiting | undefined {
    return this.#waiting.shift()
  }

  clear(): void {
    this.#waiting.clear()
  }
}
