// A connection that is reestablished when it breaks, until that takes too long.

import { addAbortListener } from 'node:events'
import type { Clock } from '../../../base/clock.ts'
import { messageOf } from '../../../base/errors.ts'
import { retried } from '../rows/retrying.ts'

export interface ReconnectingOptions<C> {
  /** For notes: `mqtt://host:1883`. */
  readonly title: string
  /**
   * Connects; called again when the connection breaks.
   *
   * @param onLost - called when the connection breaks, also before it was returned
   */
  readonly connect: (signal: AbortSignal, onLost: (error: unknown) => void) => Promise<C>
  readonly close: (connection: C) => Promise<void>
  /** Whether a retry may help. */
  readonly mayPass: (error: unknown) => boolean
  /** Gives up after this long without a connection, in clock milliseconds. */
  readonly retryMs: number
  readonly onNote: (note: string) => void
  /** There will be no more connections. */
  readonly onFailure: (error: unknown) => void
  readonly clock?: Clock
}

const WAITS = { firstMs: 100, capMs: 5000 }

export class Reconnecting<C> {
  readonly #options: ReconnectingOptions<C>
  readonly #closing = new AbortController()
  #current: C | undefined
  #reconnecting: Promise<void> = Promise.resolve()

  private constructor(options: ReconnectingOptions<C>) {
    this.#options = options
  }

  /** Resolves with the first connection; throws if it is not established in time. */
  static async open<C>(options: ReconnectingOptions<C>, signal: AbortSignal | undefined): Promise<Reconnecting<C>> {
    const reconnecting = new Reconnecting(options)
    using _ = signal && addAbortListener(signal, () => reconnecting.#closing.abort(signal.reason))
    try {
      signal?.throwIfAborted()
      await reconnecting.#establish()
      return reconnecting
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error
    }
  }

  /** The connection; undefined while disconnected. */
  get current(): C | undefined {
    return this.#current
  }

  /** The connection broke: a new one is established. */
  #lost(error: unknown): void {
    this.#current = undefined
    if (this.#closing.signal.aborted) return
    const { title, onNote, onFailure } = this.#options
    onNote(`the connection to ${title} broke (${messageOf(error)}): reconnecting`)
    this.#reconnecting = this.#establish()
      .then(() => onNote(`reconnected to ${title}`))
      .catch((failure: unknown) => {
        if (!this.#closing.signal.aborted) onFailure(failure)
      })
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the connection is closed'))
    await this.#reconnecting
    const current = this.#current
    this.#current = undefined
    if (current !== undefined) await this.#options.close(current)
  }

  async #establish(): Promise<void> {
    const { mayPass, retryMs, clock } = this.#options
    const { signal } = this.#closing
    await retried(() => this.#attempt(signal), { mayPass, retryMs, clock, signal, waits: WAITS })
  }

  async #attempt(signal: AbortSignal): Promise<void> {
    let connection: C | undefined
    let broken: { readonly error: unknown } | undefined
    connection = await this.#options.connect(signal, (error) => {
      // A connection that was replaced may still break, which does not affect its successor.
      if (connection === undefined) broken ??= { error }
      else if (connection === this.#current) this.#lost(error)
    })
    if (broken === undefined) {
      this.#current = connection
      return
    }
    await this.#options.close(connection)
    throw broken.error
  }
}
