// Messages that came and that nobody has asked for yet: where pushing meets asking.

import { Ring } from '../../../base/ring.ts'

/** How much may wait. One message more than that is always taken: who sends it was not told in time. */
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
  /** Ends the wait for what is to come. What has come is given still. */
  readonly signal: AbortSignal | undefined
}

interface Waiting<M> {
  readonly message: M
  readonly bytes: number
}

/**
 * Takes messages as they are pushed, and gives them as they are asked for, in their order.
 *
 * It says when it is full and when there is room again; it throws nothing away. One call of `take` at a time.
 */
export class Inbox<M> {
  readonly #options: InboxOptions
  readonly #waiting = new Ring<Waiting<M>>()
  #bytes = 0
  #isFull = false
  #isOver = false
  #failure: { readonly error: unknown } | undefined
  /** Ends the wait of the call under way. */
  #wake: (() => void) | undefined

  constructor(options: InboxOptions) {
    this.#options = options
  }

  /** Whether so much waits that no more should come. */
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

  /** Throws away all that waits: it will be sent again. */
  clear(): void {
    this.#waiting.clear()
    this.#bytes = 0
    this.#tellRoom()
  }

  /** Nothing more will come: what waits is given, and then undefined. */
  end(): void {
    this.#isOver = true
    this.#wake?.()
  }

  /** Nothing more will come: what waits is given, and then the error is thrown. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#wake?.()
  }

  /** Up to `max` messages, at least one; a promise where it must wait for one. Undefined when all were given. */
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
