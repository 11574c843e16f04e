// One connection to a server that sends events: read while there is room for them.

import { addAbortListener } from 'node:events'
import { systemClock } from '../../base/clock.ts'
import type { Address } from '../kits/http/address.ts'
import { isCorrupt, reasonOf } from '../kits/http/request.ts'
import { retryAfterMs } from '../kits/http/retry-after.ts'
import { type ServerEvent, ServerEvents } from './protocol.ts'

export interface EventConnectionOptions {
  readonly address: Address
  /** The last event id; empty at the start. */
  readonly lastId: string
  readonly maxBytes: number
  /** The longest time without any data. */
  readonly idleMs: number
  readonly onEvent: (event: ServerEvent) => void
  readonly isFull: () => boolean
  /** It broke; never after `close`. */
  readonly onLost: (error: Error) => void
}

/** The server rejects the request permanently: a retry does not help. */
export class Refused extends Error {}

/** The server has nothing more, and wants no reconnection. */
export class NothingMore extends Error {}

/** The server asks to wait before the next connection. */
export class Busy extends Error {
  readonly waitMs: number

  constructor(message: string, waitMs: number) {
    super(message)
    this.waitMs = waitMs
  }
}

/** How long the server may take to start answering. */
const ANSWER_MS = 30_000

export class EventConnection {
  readonly #options: EventConnectionOptions
  readonly #body: ReadableStreamDefaultReader<Uint8Array>
  readonly #stop: AbortController
  readonly #events: ServerEvents
  #reading: Promise<void> = Promise.resolve()
  /** Ends the wait for room. */
  #wake: (() => void) | undefined
  #isClosed = false

  private constructor(options: EventConnectionOptions, body: ReadableStream<Uint8Array>, stop: AbortController) {
    this.#options = options
    this.#body = body.getReader()
    this.#stop = stop
    this.#events = new ServerEvents(options)
  }

  /**
   * Connects, and starts reading in the next turn.
   *
   * @throws {@link Refused}, {@link NothingMore}, {@link Busy}, or another error if there is no connection for now
   */
  static async open(options: EventConnectionOptions, signal: AbortSignal): Promise<EventConnection> {
    const { address, lastId } = options
    const headers = await address.headers(signal)
    headers.set('accept', 'text/event-stream')
    headers.set('cache-control', 'no-store')
    // Headers are bytes: those of an id are UTF-8.
    if (lastId !== '') headers.set('last-event-id', Buffer.from(lastId).toString('latin1'))
    const stop = new AbortController()
    using _ = addAbortListener(signal, () => stop.abort(signal.reason))
    const timer = setTimeout(() => stop.abort(new Error('the server does not answer')), ANSWER_MS)
    try {
      const response = await fetch(address.url, { headers, redirect: 'manual', signal: stop.signal })
      const body = bodyOf(response, stop, address)
      const connection = new EventConnection(options, body, stop)
      // The opener must have the connection before something comes.
      connection.#reading = new Promise((resolve) => setImmediate(resolve)).then(() => connection.#read())
      return connection
    } catch (error) {
      if (error instanceof Refused || error instanceof NothingMore || error instanceof Busy) throw error
      const reason = stop.signal.aborted ? reasonOf(stop.signal.reason) : reasonOf(error)
      throw new Error(address.withoutSecrets(reason))
    } finally {
      clearTimeout(timer)
    }
  }

  /** The server's reconnection time; undefined if it has not set one. */
  get retryMs(): number | undefined {
    return this.#events.retryMs
  }

  /** The last event id, for the next connection. */
  get lastId(): string {
    return this.#events.lastId
  }

  /** There is room again. */
  resume(): void {
    this.#wake?.()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#wake?.()
    this.#stop.abort(new Error('the connection is closed'))
    await this.#reading
  }

  async #read(): Promise<void> {
    try {
      await this.#readAll()
    } catch (error) {
      this.#stop.abort(error)
      if (this.#isClosed) return
      const reason = this.#options.address.withoutSecrets(reasonOf(error))
      const isForGood = error instanceof RangeError || isCorrupt(error)
      this.#options.onLost(isForGood ? new Refused(reason) : new Error(reason))
    }
  }

  async #readAll(): Promise<never> {
    const { idleMs, onEvent, isFull } = this.#options
    // In halves: after one of them, this process may just have been suspended, and has yet to read what came.
    let silentHalves = 0
    const idle = setTimeout(() => {
      // While nothing is read, nothing can be seen to come.
      silentHalves = this.#wake === undefined ? silentHalves + 1 : 0
      if (silentHalves === 2) this.#stop.abort(new Error(`nothing came for ${idleMs} ms`))
      else idle.refresh()
    }, idleMs / 2)
    try {
      for (;;) {
        for (;;) {
          while (isFull() && !this.#isClosed) await this.#room()
          const event = this.#isClosed ? undefined : this.#events.next()
          if (event === undefined) break
          onEvent(event)
        }
        silentHalves = 0
        idle.refresh()
        const { done, value } = await this.#body.read()
        if (done) throw new Error('the server ended the stream')
        this.#events.push(value)
      }
    } finally {
      clearTimeout(idle)
    }
  }

  async #room(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wake = resolve
    await promise
    this.#wake = undefined
  }
}

/** The stream of a valid answer; others are closed. */
function bodyOf(
  { status, headers, body }: Response,
  stop: AbortController,
  address: Address,
): ReadableStream<Uint8Array> {
  const type = headers.get('content-type') ?? 'nothing'
  if (status === 200 && body !== null && /^text\/event-stream\s*(;|$)/i.test(type)) return body
  stop.abort()
  if (status === 204) throw new NothingMore('the server has nothing more')
  if (status === 200) {
    const found = JSON.stringify(address.withoutSecrets(type).slice(0, 60))
    throw new Refused(`it sends ${found}, not text/event-stream`)
  }
  if (status >= 500 || status === 408 || status === 425 || status === 429) {
    const waitMs = retryAfterMs(headers.get('retry-after'), systemClock.wallMs())
    throw new Busy(`it answered ${status}`, waitMs ?? 0)
  }
  throw new Refused(`it answered ${status}`)
}
