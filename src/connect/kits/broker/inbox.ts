// Messages that have arrived and not been requested yet: where push meets pull.

import { Ring } from '../../../base/ring.ts'

/** How much may wait. One more message is always accepted: its sender did not know in time. */
export interface InboxLimits {
  readonly messages: number
  readonly bytes: number
}

export interface InboxOptions {
  readonly limits: InboxLimits
  /** Called when there is enough: no more should be sent. */
  readonly onFull: () => void
  /** Called when half of it is gone. */
  readonly onRoom: () => void
  /** Ends the wait for more. What has arrived is still returned. */
  readonly signal: AbortSignal | undefined
}

interface Waiting<M> {
  readonly message: M
  readonly bytes: number
}

/**
 * Accepts messages as they are pushed, and returns them as they are requested, in order.
 *
 * It reports when it is full and when there is room again; it never drops anything. One call of `take` at a time.
 */
export class Inbox<M> {
  readonly #options: InboxOptions
  readonly #waiting = new Ring<Waiting<M>>()
  #bytes = 0
  #isFull = false
  #isOver = false
  #failure: { readonly error: unknown } | undefined
  /** Ends the wait of the pending call. */
  #wake: (() => void) | undefined

  constructor(options: InboxOptions) {
    this.#options = options
  }

  /** Whether so much is waiting that no more should be sent. */
  get isFull(): boolean {
    return this.#isFull
  }

  get length(): number {
    return this.#waiting.length
  }

  put(message: M, bytes: number): void {
    if (this.#isOver || this.#failure !== undefined) return
    this.#waiting.push({ message, bytes })
    this.#bytes += bytes
    const { limits, onFull } = this.#options
    if (!this.#isFull && (this.#waiting.length >= limits.messages || this.#bytes >= limits.bytes)) {
      this.#isFull = true
      onFull()
    }
    this.#wake?.()
  }

  /** Discards everything waiting: it will be sent again. */
  clear(): void {
    this.#waiting.clear()
    this.#bytes = 0
    this.#tellRoom()
  }

  /** Nothing more will come: what is waiting is returned, and then undefined. */
  end(): void {
    this.#isOver = true
    this.#wake?.()
  }

  /** Nothing more will come: what is waiting is returned, and then the error is thrown. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake?.()
  }

  /** Up to `max` messages, at least one; a promise if it must wait. Undefined at the end. */
  take(max: number): readonly M[] | undefined | Promise<readonly M[] | undefined> {
    if (this.#waiting.length > 0) return this.#taken(max)
    this.#options.signal?.throwIfAborted()
    if (this.#failure !== undefined) throw this.#failure.error
    return this.#isOver ? undefined : this.#wait(max)
  }

  async #wait(max: number): Promise<readonly M[] | undefined> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const { signal } = this.#options
    const wake = (): void => resolve()
    this.#wake = wake
    signal?.addEventListener('abort', wake)
    await promise
    signal?.removeEventListener('abort', wake)
    this.#wake = undefined
    return await this.take(max)
  }

  #taken(max: number): readonly M[] {
    const taken = this.#waiting.take(max)
    for (const { bytes } of taken) this.#bytes -= bytes
    this.#tellRoom()
    return taken.map(({ message }) => message)
  }

  #tellRoom(): void {
    const { limits, onRoom } = this.#options
    if (!this.#isFull || this.#waiting.length > limits.messages / 2 || this.#bytes > limits.bytes / 2) return
    this.#isFull = false
    onRoom()
  }
}
