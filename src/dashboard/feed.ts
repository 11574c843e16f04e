// Snapshots as server-sent events: the newest, to each reader at its own pace.

import type { ServerResponse } from 'node:http'
import { SAFE_HEADERS } from './answer.ts'

/** Readers at once. */
const MOST_READERS = 16
const EVERY_MS = 1000
/** What a reader may miss, one after the other, before it is let go. */
const MOST_MISSED = 10

/**
 * Tells its readers what `text` gives, once a second and at once to who comes. It is made once for all of them, and only
 * while there are some. A reader that has not taken the last one is left out until it has: nothing queues up. One that
 * takes nothing for ten seconds is let go.
 */
export class Feed {
  readonly #text: () => string
  /** Reader → how many it has missed since it was sent the one that it has yet to take; undefined: it has taken all. */
  readonly #readers = new Map<ServerResponse, number | undefined>()
  #timer: NodeJS.Timeout | undefined
  /** The last one, for who comes before the next: reconnecting costs nothing. */
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

  /** Tells of the end, and lets all go. */
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
