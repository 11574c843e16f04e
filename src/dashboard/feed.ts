// Snapshots as server-sent events: the newest, to each subscriber at its own pace.

import type { ServerResponse } from 'node:http'
import { SAFE_HEADERS } from './answer.ts'

/** The most subscribers at once. */
const MOST_READERS = 16
const EVERY_MS = 1000
/** How many snapshots in a row a subscriber may miss before it is disconnected. */
const MOST_MISSED = 10

/**
 * Sends subscribers what `text` returns, once a second, and at once to a new one. It is called once for all of them,
 * and only while there are any. A subscriber that has not taken the last snapshot is skipped until it has: nothing
 * queues up. One that takes nothing for ten seconds is disconnected.
 */
export class Feed {
  readonly #text: () => string
  /** Subscriber → how many it has missed since the one it has yet to take; undefined if it has taken all. */
  readonly #readers = new Map<ServerResponse, number | undefined>()
  #timer: NodeJS.Timeout | undefined
  /** The last snapshot, for a subscriber that connects before the next: reconnecting costs nothing. */
  #last = ''

  /** @param text - one line */
  constructor(text: () => string) {
    this.#text = text
  }

  /** Whether there is room for one more. */
  get hasRoom(): boolean {
    return this.#readers.size < MOST_READERS
  }

  add(response: ServerResponse): void {
    response.writeHead(200, { ...SAFE_HEADERS, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' })
    this.#readers.set(response, undefined)
    response.on('drain', () => this.#readers.set(response, undefined))
    response.on('close', () => this.#remove(response))
    if (this.#timer === undefined) {
      this.#timer = setInterval(() => this.#tell(), EVERY_MS).unref()
      this.#last = this.#made()
    }
    response.write('retry: 1000\n\n')
    this.#write(response, this.#last)
  }

  /** Tells subscribers of the end, and disconnects them. */
  close(): void {
    this.#tell()
    for (const response of this.#readers.keys()) response.end('event: end\ndata: {}\n\n')
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tell(): void {
    if (this.#readers.size === 0) return
    this.#last = this.#made()
    for (const [response, missed] of this.#readers) {
      if (missed === undefined) this.#write(response, this.#last)
      else if (missed === MOST_MISSED) response.destroy()
      else this.#readers.set(response, missed + 1)
    }
  }

  #made(): string {
    return `event: snapshot\ndata: ${this.#text().trimEnd()}\n\n`
  }

  #write(response: ServerResponse, text: string): void {
    if (!response.write(text)) this.#readers.set(response, 0)
  }

  #remove(response: ServerResponse): void {
    this.#readers.delete(response)
    if (this.#readers.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
