// Snapshots as server-sent events: the newest, to each reader at its own pace.

import type { ServerResponse } from 'node:http'
import { SAFE_HEADERS } from './answer.ts'

/** Readers at once. */
const MOST_READERS = 16
const EVERY_MS = 1000

/**
 * Tells its readers what `text` gives, once a second and at once to who comes. It is made once for all of them, and only
 * while there are some. A reader that has not taken the last one is left out until it has: nothing queues up. One that
 * takes nothing is cut off by the server's time limit.
 */
export class Feed {
  readonly #text: () => string
  /** Reader → whether it has yet to take what it was sent. */
  readonly #readers = new Map<ServerResponse, boolean>()
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
    this.#readers.set(response, false)
    response.on('drain', () => this.#readers.set(response, false))
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
    for (const [response, isFull] of this.#readers) if (!isFull) this.#write(response, this.#last)
  }

  #made(): string {
    return `event: snapshot\ndata: ${this.#text().trimEnd()}\n\n`
  }

  #write(response: ServerResponse, text: string): void {
    if (!response.write(text)) this.#readers.set(response, true)
  }

  #remove(response: ServerResponse): void {
    this.#readers.delete(response)
    if (this.#readers.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
