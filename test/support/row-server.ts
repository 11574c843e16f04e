// A server that takes rows, in its own time, or never.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'

interface SentRow {
  readonly _source: string
  readonly _offset: number
  readonly _part: number
  readonly text: string
}

/** Keeps the text of every row, by the place of its record: a row that comes again is there once. */
export class RowServer {
  readonly rows: Map<string, string> = new Map()
  /** How long a request waits for its answer, in milliseconds; Infinity for ever. */
  delayMs: (request: number) => number = () => 0
  /** Called when a request has come. */
  onRequest: () => unknown = () => {}
  readonly #server: Server
  requests = 0

  private constructor() {
    this.#server = createServer((request, response) => void this.#take(request, response))
  }

  static async start(): Promise<RowServer> {
    const server = new RowServer()
    server.#server.listen(0, '127.0.0.1')
    await once(server.#server, 'listening')
    return server
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/rows`
  }

  get texts(): string[] {
    return [...this.rows.values()].sort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests += 1
    const delayMs = this.delayMs(this.requests)
    this.onRequest()
    try {
      const rows = (await json(request)) as SentRow[]
      if (delayMs === Number.POSITIVE_INFINITY) return
      for (const { _source, _offset, _part, text } of rows) this.rows.set(`${_source}:${_offset}:${_part}`, text)
      setTimeout(() => response.end(), delayMs)
    } catch {
      // Who sent it has gone.
    }
  }
}
