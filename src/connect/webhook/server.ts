// The server of a webhook: receives requests, and answers once they are committed.

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gathered, type NamedTexts } from '../kits/text/named-texts.ts'
import { Bodies } from './server/bodies.ts'
import { type Guard, hasToken, isSentByPage, isSigned, namesThisMachine } from './server/guard.ts'

/** The metadata of a request. */
export interface WebhookMeta {
  /** By name in lower case; all texts of a repeated name. */
  readonly headers: NamedTexts
  /** The path with its query, as requested. */
  readonly path: string
  /** The query by name; all texts of a repeated one. Throws if one is not UTF-8. */
  readonly query: NamedTexts
}

/** A request's body, with its name. */
export interface Posted extends Omit<WebhookMeta, 'query'> {
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
  /** Whether enough is waiting. */
  readonly isFull: () => boolean
  /** Whether nothing more is accepted. */
  readonly isStopping: () => boolean
}

/** What bodies under way take, all together. */
const MOST_BYTES = 64 * 1024 * 1024
const MOST_CONNECTIONS = 1000
const HEADERS_MS = 10_000
const REQUEST_MS = 30_000
const KEY_CHARS = 200
/** Requests that wait for their commit, of all connections. */
const MOST_WAITING = 10_000
const TOO_MUCH = 'too much is waiting: send it again'
/** Names that are not keys start with a character that no header can hold. */
export const UNNAMED = '\0'

/** For the sender: other signatures, such as with a timestamp or in base64, are not supported. */
const UNSIGNED = 'not signed by HMAC-SHA256 of the body in hexadecimal, as GitHub signs'

export class WebhookServer {
  readonly #options: WebhookServerOptions
  readonly #server: Server
  /** Name → requests that wait for its commit. */
  readonly #waiting = new Map<string, ServerResponse[]>()
  readonly #bodies: Bodies
  /** How many wait. */
  #waits = 0
  #unnamed = 0

  private constructor(options: WebhookServerOptions) {
    this.#options = options
    this.#bodies = new Bodies(options.maxBytes, MOST_BYTES)
    const limits = { headersTimeout: HEADERS_MS, requestTimeout: REQUEST_MS, connectionsCheckingInterval: 1000 }
    this.#server = createServer({ ...limits, maxHeaderSize: 16_384, keepAliveTimeout: 5000 }, (request, response) => {
      // A sender that went away gets nothing.
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

  /** The requests with these names are committed. */
  committed(names: readonly string[]): void {
    for (const name of names) {
      const responses = this.#waiting.get(name) ?? []
      for (const response of responses) answer(response, 202, 'committed')
      this.#waits -= responses.length
      this.#waiting.delete(name)
    }
  }

  /** Turns away waiting senders: what they sent may not be committed. */
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
      return answer(response, status, text)
    }
    const bytes = await this.#bodies.read(request)
    if (bytes === 'too long') return answer(response, 413, `over ${this.#options.maxBytes} bytes`)
    if (bytes === 'crowded out') {
      response.shouldKeepAlive = false
      return answer(response, 429, TOO_MUCH)
    }
    if (!isSigned(request, bytes, this.#options.guard)) return answer(response, 401, UNSIGNED)
    // A single connection may send any number of requests.
    if (this.#waits >= MOST_WAITING) return answer(response, 429, TOO_MUCH)
    const key = String(request.headers[this.#options.keyHeader] ?? '')
    this.#unnamed += key === '' ? 1 : 0
    const name = key === '' ? `${UNNAMED}${this.#unnamed}` : key
    const waiting = this.#waiting.get(name) ?? []
    this.#waiting.set(name, waiting)
    waiting.push(response)
    this.#waits += 1
    this.#options.onPosted({ name, bytes, headers: headersOf(request), path: request.url ?? '' })
  }

  #refusal(request: IncomingMessage): readonly [number, string] | undefined {
    const { path, guard, keyHeader, maxBytes, isFull, isStopping } = this.#options
    const isOpen = guard.token === undefined && guard.signature === undefined
    if (isOpen && !namesThisMachine(request)) return [421, 'not the host that was requested']
    if (isSentByPage(request)) return [403, 'sent by a page of another site']
    if (request.url?.split('?', 1)[0] !== path) return [404, 'not here']
    if (request.method !== 'POST') return [405, 'only POST']
    if (!hasToken(request, guard)) return [401, 'no token, or a wrong one']
    if (String(request.headers[keyHeader] ?? '').length > KEY_CHARS)
      return [400, `a key of over ${KEY_CHARS} characters`]
    const encoding = request.headers['content-encoding'] ?? 'identity'
    if (encoding.toLowerCase() !== 'identity') return [415, 'encoded: send the body as it is']
    if (Number(request.headers['content-length'] ?? 0) > maxBytes) return [413, `over ${maxBytes} bytes`]
    if (isStopping()) return [503, 'stopping: send it again']
    if (isFull()) return [429, TOO_MUCH]
    return undefined
  }
}

/** Headers of an answer, by status. */
const WITH: Readonly<Record<number, Readonly<Record<string, string>>>> = {
  405: { allow: 'POST' },
  // The rest of the body is not read.
  413: { connection: 'close' },
  415: { 'accept-encoding': 'identity' },
  429: { 'retry-after': '1' },
  503: { 'retry-after': '1' },
}

function answer(response: ServerResponse, status: number, text: string): void {
  if (response.headersSent || response.destroyed) return
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...WITH[status] })
  response.end(`${text}\n`)
}

/** Raw headers: Node's own table joins some repeated names, and drops others. */
function headersOf({ rawHeaders }: IncomingMessage): NamedTexts {
  const pairs: [string, string][] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    pairs.push([(rawHeaders[at] as string).toLowerCase(), rawHeaders[at + 1] as string])
  }
  return gathered(pairs)
}
