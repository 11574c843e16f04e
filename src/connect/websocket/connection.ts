// One connection to a WebSocket server: read while there is room for messages.

import { addAbortListener } from 'node:events'
import type { Socket } from 'node:net'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { ClientOptions, RawData, WebSocket } from 'ws'
import type { Address } from '../kits/http/address.ts'
import { reasonOf } from '../kits/http/request.ts'
import { loadPackage } from '../kits/package.ts'

/** What is sent once a connection is open: to subscribe, to log in. */
export type Greeting = readonly string[] | (() => readonly string[] | Promise<readonly string[]>)

export interface SocketOptions {
  readonly address: Address
  readonly protocols: readonly string[]
  readonly greeting: Greeting
  readonly tls: TlsOptions | undefined
  readonly maxBytes: number
  /** The longest time without any data, not even the answer to a ping. */
  readonly idleMs: number
  readonly isFull: () => boolean
  readonly onMessage: (bytes: Uint8Array, isBinary: boolean) => void
  /** It broke; never after `close`. */
  readonly onLost: (error: Error) => void
}

/** The server rejects the connection permanently: a retry does not help. */
export class Refused extends Error {}

/** How long the server may take to answer, or to say goodbye. */
const ANSWER_MS = 30_000
const GOODBYE_MS = 2000

/** Codes with which a server would end the next connection, too: what it was sent violates its rules. */
const REFUSING = [1002, 1003, 1007, 1008, 1010]

export class SocketConnection {
  readonly #options: SocketOptions
  readonly #socket: WebSocket
  /** The transport of the WebSocket. */
  readonly #stream: Socket
  readonly #pinging: NodeJS.Timeout
  /** Ends the wait for the greeting. */
  readonly #ended = Promise.withResolvers<never>()
  #isGreeted = false
  /** How much had come at the last ping; undefined if that says nothing. */
  #heardBytes: number | undefined
  /** Pings in a row without data. */
  #silentPings = 0
  #isClosed = false
  /** Why it broke, if known before it is closed. */
  #reason: string | undefined

  private constructor(options: SocketOptions, socket: WebSocket, stream: Socket) {
    this.#options = options
    this.#socket = socket
    this.#stream = stream
    // It may end when nobody waits any more.
    this.#ended.promise.catch(() => {})
    socket.on('message', (data, isBinary) => options.onMessage(bytesOf(data), isBinary))
    socket.on('error', (error) => {
      this.#reason = brokenBy(error, options)
    })
    socket.on('close', (code, reason) => this.#over(code, String(reason)))
    this.#pinging = setInterval(() => this.#ping(), options.idleMs / 2)
  }

  /** @throws {@link Refused}, or another error if there is no connection for now */
  static async open(options: SocketOptions, signal: AbortSignal): Promise<SocketConnection> {
    const { WebSocket: Client } = await loadPackage('ws', () => import('ws'))
    const { address, protocols, tls, maxBytes } = options
    const settings: ClientOptions = {
      ...(tls as ClientOptions | undefined),
      headers: Object.fromEntries(await address.headers(signal)),
      maxPayload: maxBytes,
      handshakeTimeout: ANSWER_MS,
      followRedirects: false,
      // Compressed messages may expand a thousandfold, and take their time.
      perMessageDeflate: false,
    }
    const socket = new Client(address.url, [...protocols], settings)
    using _ = addAbortListener(signal, () => socket.terminate())
    try {
      const connection = new SocketConnection(options, socket, await opened(socket))
      await connection.#greet()
      // The opener must have the connection before something comes.
      setImmediate(() => connection.#begin())
      return connection
    } catch (error) {
      socket.terminate()
      const reason = address.withoutSecrets(reasonOf(error))
      throw error instanceof Refused ? new Refused(reason) : new Error(reason)
    }
  }

  /** Messages that were read already may still come. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    // Nothing was read meanwhile: that does not mean that nothing came.
    this.#heardBytes = undefined
    this.#socket.resume()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    clearInterval(this.#pinging)
    const socket = this.#socket
    const { promise, resolve } = Promise.withResolvers<void>()
    socket.once('close', resolve)
    // Its goodbye cannot be seen while nothing is read.
    socket.resume()
    const timer = setTimeout(() => socket.terminate(), GOODBYE_MS)
    socket.close(1000)
    if (socket.readyState !== socket.CLOSED) await promise
    clearTimeout(timer)
  }

  #begin(): void {
    if (!this.#options.isFull()) this.resume()
  }

  async #greet(): Promise<void> {
    const { greeting } = this.#options
    const texts = typeof greeting === 'function' ? await Promise.race([greeting(), this.#ended.promise]) : greeting
    for (const text of texts) this.#socket.send(text)
    this.#isGreeted = true
  }

  #ping(): void {
    if (this.#socket.isPaused) return
    // Bytes count, not messages: a large one may take longer than the idle time.
    const { bytesRead } = this.#stream
    this.#silentPings = bytesRead === this.#heardBytes ? this.#silentPings + 1 : 0
    if (this.#silentPings === 2) {
      this.#reason = `nothing came for ${this.#options.idleMs} ms`
      return this.#socket.terminate()
    }
    this.#heardBytes = bytesRead
    this.#socket.ping()
  }

  #over(code: number, said: string): void {
    clearInterval(this.#pinging)
    if (this.#isClosed) return
    this.#isClosed = true
    const { address, onLost } = this.#options
    const shown = said === '' ? '' : `, ${JSON.stringify(said.slice(0, 200))}`
    const reason = address.withoutSecrets(this.#reason ?? `the server ended it with ${code}${shown}`)
    const isRefused = this.#reason === undefined && REFUSING.includes(code)
    const error = isRefused ? new Refused(reason) : new Error(reason)
    if (this.#isGreeted) onLost(error)
    else this.#ended.reject(error)
  }
}

function opened(socket: WebSocket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    // Always before the connection is open.
    socket.once('upgrade', ({ socket: stream }) => {
      socket.once('open', () => {
        // At once: a message may have come with the answer.
        socket.pause()
        resolve(stream)
      })
    })
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => {
      const { statusCode: status = 0 } = response
      const isPassing = status >= 500 || status === 408 || status === 425 || status === 429
      reject(isPassing ? new Error(`it answered ${status}`) : new Refused(`it answered ${status}`))
    })
  })
}

function brokenBy(error: Error, { maxBytes }: SocketOptions): string {
  const isTooLong = 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
  return isTooLong ? `a message is over ${maxBytes} bytes (maxBytes), and is lost` : reasonOf(error)
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  if (data instanceof ArrayBuffer) return new Uint8Array(data)
  // A slice would keep all of its block in memory while it waits.
  return data.length * 2 < data.buffer.byteLength ? Buffer.from(data) : data
}
