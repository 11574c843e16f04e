// The server of a webhook: takes what is posted, and answers once it is committed.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Guard, hasToken, isSigned, namesThisMachine } from './guard.ts'

/** What came with a request. */
export interface WebhookMeta {
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The path with its query, as it was asked for. */
  readonly path: string
}

/** A request's body, with what names it. */
export interface Posted extends WebhookMeta {
  /** Its idempotency key, or a name of ours. */
  readonly name: string
  readonly bytes: Uint8Array
}

export interface WebhookServerOptions {
  readonly host: string
  readonly port: number
  readonly path: string
  readonly guard: Guard
  readonly maxBytes: number
  readonly keyHeader: string
  readonly onPosted: (posted: Posted) => void
  /** Whether enough waits. */
  readonly isFull: () => boolean
  /** Whether nothing more is taken. */
  readonly isStopping: () => boolean
}

/** Bodies that are on their way in, all together: more are told to come again. */
const MOST_BYTES = 64 * 1024 * 1024
const MOST_CONNECTIONS = 1000
const HEADERS_MS = 10_000
const REQUEST_MS = 30_000
const KEY_CHARS = 200
/** Names that are no keys begin with what no header can hold. */
export const UNNAMED = '\0'

/** Told to who sends: other ways to sign, such as with a time or in base64, are not known. */
const UNSIGNED = 'not signed by HMAC-SHA256 of the body in hexadecimal, as GitHub signs'

export class WebhookServer {
  readonly #options: WebhookServerOptions
  readonly #server: Server
  /** Name → who waits for its commit. */
  readonly #waiting = new Map<string, ServerResponse[]>()
  /** Announced or here, of bodies that are not whole. */
  #incoming = 0
  #unnamed = 0

  private constructor(options: WebhookServerOptions) {
    this.#options = options
    const limits = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: 1000 }
    this.#server = createServer({ ...limits, maxHeaderSize: 16_384, keepAliveTimeout: 5000 }, (request, response) => {
      // Whoever went away hears of nothing.
      this.#take(request, response).catch(() => response.destroy())
    })
    this.#server.maxConnections = MOST_CONNECTIONS
  }

  static async start(options: WebhookServerOptions): Promise<WebhookServer> {
    const server = new WebhookServer(options)
    server.#server.listen(options.port, options.host)
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** What has these names is committed. */
  committed(names: readonly string[]): void {
    for (const name of names) {
      for (const response of this.#waiting.get(name) ?? []) answer(response, 202, 'committed')
      this.#waiting.delete(name)
    }
  }

  /** Sends away whoever waits: what they sent may not be committed. */
  async close(): Promise<void> {
    for (const responses of this.#waiting.values()) {
      for (const response of responses) answer(response, 503, 'stopping: send it again')
    }
    this.#waiting.clear()
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeIdleConnections()
    setTimeout(() => this.#server.closeAllConnections(), 500).unref()
    await closed
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const refusal = this.#refusal(request)
    if (refusal !== undefined) {
      const [status, text] = refusal
      if (status === 405) response.setHeader('allow', 'POST')
      if (status === 429 || status === 503) response.setHeader('retry-after', '1')
      return answer(response, status, text)
    }
    const bytes = await this.#body(request)
    if (bytes === undefined) return answer(response, 413, `over ${this.#options.maxBytes} bytes`)
    if (!isSigned(request, bytes, this.#options.guard)) return answer(response, 401, UNSIGNED)
    const key = request.headers[this.#options.keyHeader]
    this.#unnamed += key === undefined ? 1 : 0
    const name = key === undefined ? `${UNNAMED}${this.#unnamed}` : String(key)
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), response])
    this.#options.onPosted({ name, bytes, headers: plain(request.headers), path: request.url ?? '' })
  }

  #refusal(request: IncomingMessage): readonly [number, string] | undefined {
    const { path, guard, keyHeader, maxBytes, isFull, isStopping } = this.#options
    const isOpen = guard.token === undefined && guard.signature === undefined
    if (isOpen && !namesThisMachine(request)) return [421, 'not the host that was asked for']
    if (request.url?.split('?', 1)[0] !== path) return [404, 'not here']
    if (request.method !== 'POST') return [405, 'only POST']
    if (!hasToken(request, guard)) return [401, 'no token, or a wrong one']
    if (String(request.headers[keyHeader] ?? '').length > KEY_CHARS)
      return [400, `a key of over ${KEY_CHARS} characters`]
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return [413, `over ${maxBytes} bytes`]
    if (isStopping()) return [503, 'stopping: send it again']
    if (isFull() || this.#incoming >= MOST_BYTES) return [429, 'too much waits: send it again']
    return undefined
  }

  /** Undefined where it is over the limit. */
  async #body(request: IncomingMessage): Promise<Uint8Array | undefined> {
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of request) {
        size += (chunk as Buffer).length
        this.#incoming += (chunk as Buffer).length
        if (size > this.#options.maxBytes) return undefined
        chunks.push(chunk as Buffer)
      }
      return Buffer.concat(chunks)
    } finally {
      this.#incoming -= size
    }
  }
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    ...(status === 413 ? { connection: 'close' } : {}),
  })
  response.end(`${text}\n`)
}

function plain(headers: IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]))
}
