// Calls of gRPC over plain HTTP/2: streams in both directions, and single questions.

import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { messageOf } from '../../base/errors.ts'
import { messagesOf, SESSION_MB, sendMessage } from './frames.ts'

/** What a stream may send before it is read: less would stall large messages. */
const STREAM_WINDOW_BYTES = 4 * 1024 * 1024
const SESSION_WINDOW_BYTES = 16 * 1024 * 1024

/** The answer to a call that the server rejected, or that never reached it. */
export class GrpcError extends Error {
  override readonly name: string = 'GrpcError'
  /** As gRPC numbers them: 12 for a call that the server does not know; undefined if no server of gRPC answered. */
  readonly status: number | undefined

  constructor(message: string, status: number | undefined, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}

export type Metadata = Readonly<Record<string, string>>

/** Messages out and in, until one side ends. */
export interface GrpcStream {
  /** In order; ends with the server's last one. Throws a {@link GrpcError} if the call was rejected. */
  readonly messages: AsyncIterable<Buffer>
  /** Resolves when there is room for the next one. */
  send(message: Uint8Array): Promise<void>
  /** Nothing more is sent. */
  end(): void
}

/** A connection to one server, made with the first call. */
export class GrpcClient implements AsyncDisposable {
  readonly address: string
  #session: ClientHttp2Session | undefined
  /** Why the connection was lost. */
  #lost: unknown

  constructor(address: string) {
    this.address = address
  }

  open(path: string, metadata: Metadata = {}): GrpcStream {
    const stream = this.#connected().request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...metadata,
    })
    const status = statusOf(stream)
    // Whoever reads the messages gets the error.
    stream.on('error', () => {})
    return {
      messages: this.#messages(path, stream, status),
      send: (message) => sendMessage(stream, message),
      end: () => stream.end(),
    }
  }

  /** One question and its answer. */
  async call(path: string, message: Uint8Array, metadata?: Metadata): Promise<Buffer> {
    const { messages, send, end } = this.open(path, metadata)
    // A server that is not there is told by the answer.
    send(message).catch(() => {})
    end()
    let answer: Buffer | undefined
    for await (const found of messages) answer ??= found
    if (answer !== undefined) return answer
    throw new GrpcError(`Cannot call ${path} at ${this.address}: there was no answer`, undefined)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#session?.close()
    this.#session = undefined
  }

  /** Ends it with all of its streams. */
  destroy(): void {
    this.#session?.destroy()
  }

  async *#messages(path: string, stream: ClientHttp2Stream, status: () => Status): AsyncGenerator<Buffer> {
    const refuse = (why: string, code?: number, cause?: unknown): GrpcError =>
      new GrpcError(`Cannot call ${path} at ${this.address}: ${why}`, code, { cause })
    try {
      yield* messagesOf(stream)
    } catch (error) {
      throw refuse(messageOf(this.#lost ?? error), undefined, error)
    } finally {
      // A server that shuts down waits for streams that only it has ended.
      stream.end()
    }
    const { http, code, text } = status()
    if (code === 0) return
    if (code === undefined) throw refuse(http === undefined ? 'the connection was closed' : `HTTP status ${http}`)
    throw refuse(text === '' ? `status ${code}` : text, code)
  }

  #connected(): ClientHttp2Session {
    if (this.#session !== undefined && !this.#session.destroyed && !this.#session.closed) return this.#session
    this.#lost = undefined
    const settings = { initialWindowSize: STREAM_WINDOW_BYTES }
    const session = connect(`http://${this.address}`, { settings, maxSessionMemory: SESSION_MB })
    session.on('error', (error) => {
      this.#lost = error
    })
    session.on('connect', () => session.setLocalWindowSize(SESSION_WINDOW_BYTES))
    this.#session = session
    return session
  }
}

interface Status {
  readonly http: number | undefined
  readonly code: number | undefined
  readonly text: string
}

/** How a call ended, once it has: told by its last headers. */
function statusOf(stream: ClientHttp2Stream): () => Status {
  let http: number | undefined
  let last: Readonly<Record<string, unknown>> = {}
  stream.on('response', (headers) => {
    http = headers[':status']
    last = headers
  })
  stream.on('trailers', (headers) => {
    last = headers
  })
  return () => {
    const code = last['grpc-status']
    const text = decodeURIComponent(String(last['grpc-message'] ?? '').replaceAll(/%(?![\da-f]{2})/gi, '%25'))
    return { http, code: code === undefined ? undefined : Number(code), text }
  }
}
