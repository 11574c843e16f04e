// A server of gRPC over plain HTTP/2.

import { once } from 'node:events'
import { createServer, type Http2Server, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { messageOf } from '../../base/errors.ts'
import { messagesOf, SESSION_MB, sendMessage } from './frames.ts'

/** A call as its server sees it: it ends when the function that answers it returns. */
export interface GrpcCall {
  readonly headers: IncomingHttpHeaders
  readonly messages: AsyncIterable<Buffer>
  /** Resolves when there is room for the next one. */
  send(message: Uint8Array): Promise<void>
}

/** Path → what answers calls of it. */
export type Routes = Readonly<Record<string, (call: GrpcCall) => Promise<void>>>

const OK = 0
const UNKNOWN = 2
const UNIMPLEMENTED = 12

export interface ListenOptions {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
}

/** Listens until it is disposed of. */
export class GrpcServer implements AsyncDisposable {
  readonly #server: Http2Server
  readonly #sessions = new Set<{ destroy(): void }>()

  private constructor(routes: Routes) {
    this.#server = createServer({
      settings: { initialWindowSize: 4 * 1024 * 1024 },
      maxSessionMemory: SESSION_MB,
    })
    this.#server.on('session', (session) => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
    })
    this.#server.on('stream', (stream, headers) => void answer(stream, headers, routes))
  }

  static async listen(routes: Routes, { host, port }: ListenOptions): Promise<GrpcServer> {
    const server = new GrpcServer(routes)
    server.#server.listen(port, host)
    await once(server.#server, 'listening')
    return server
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const session of this.#sessions) session.destroy()
    await closed
  }
}

/** Routes a single question. */
export function answering(reply: (message: Buffer) => Uint8Array | Promise<Uint8Array>): Routes[string] {
  return async ({ messages, send }) => {
    for await (const message of messages) return await send(await reply(message))
  }
}

async function answer(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, routes: Routes): Promise<void> {
  // A client that has gone away needs no answer.
  stream.on('error', () => {})
  const path = String(headers[':path'])
  const own = routes[path]
  let [status, text] = [OK, '']
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  stream.on('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': String(status), 'grpc-message': encodeURIComponent(text) })
  })
  try {
    if (own === undefined) [status, text] = [UNIMPLEMENTED, `unknown method ${path}`]
    else await own({ headers, messages: messagesOf(stream), send: (message) => sendMessage(stream, message) })
  } catch (error) {
    ;[status, text] = [UNKNOWN, messageOf(error)]
  }
  stream.end()
}
