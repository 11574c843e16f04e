// One connection to a WebSocket server: read as far as there is room for messages.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { ClientOptions, RawData, WebSocket } from 'ws'
import { messageOf } from '../../base/errors.ts'
import type { Address } from '../http/address.ts'
import { loadPackage } from '../live/packages.ts'

/** What is sent once a connection stands: to subscribe, to log in. */
export type Greeting = readonly string[] | (() => readonly string[] | Promise<readonly string[]>)

export interface SocketOptions {
  readonly address: Address
  readonly protocols: readonly string[]
  readonly greeting: Greeting
  readonly tls: TlsOptions | undefined
  readonly maxBytes: number
  /** How long nothing at all may come, not even the answer to a ping. */
  readonly idleMs: number
  readonly isFull: () => boolean
  readonly onMessage: (bytes: Uint8Array, isBinary: boolean) => void
  /** It broke; never after `close`. */
  readonly onLost: (error: Error) => void
}

/** The server will not have it: trying again changes nothing. */
export class Refused extends Error {}

/** How long the server may take until it has answered, or said goodbye. */
const ANSWER_MS = 30_000
const GOODBYE_MS = 2000

/** Codes with which a server ends a connection that it would end again: what it was sent is against its rules. */
const REFUSING = [1002, 1003, 1007, 1008, 1010]

export class SocketConnection {
  readonly #options: SocketOptions
  readonly #socket: WebSocket
  readonly #pinging: NodeJS.Timeout
  /** Whether anything came since the last ping. */
  #isHeard = true
  #isClosed = false
  /** Why it broke, as far as is known before it is closed. */
  #reason: string | undefined

  private constructor(options: SocketOptions, socket: WebSocket) {
    this.#options = options
    this.#socket = socket
    socket.on('message', (data, isBinary) => {
      this.#isHeard = true
      options.onMessage(bytesOf(data), isBinary)
    })
    socket.on('ping', () => this.#hear())
    socket.on('pong', () => this.#hear())
    socket.on('error', (error) => {
      this.#reason = reasonOf(error, options)
    })
    socket.on('close', (code, reason) => this.#over(code, String(reason)))
    this.#pinging = setInterval(() => this.#ping(), options.idleMs / 2)
  }

  /** @throws {@link Refused}, or another error if there is no connection for now */
  static async open(options: SocketOptions, signal: AbortSignal): Promise<SocketConnection> {
    const { WebSocket: Client } = await loadPackage('ws', () => import('ws'))
    const { address, protocols, greeting, tls, maxBytes } = options
    const settings: ClientOptions = {
      ...(tls as ClientOptions | undefined),
      headers: Object.fromEntries(await address.headers()),
      maxPayload: maxBytes,
      handshakeTimeout: ANSWER_MS,
      followRedirects: false,
      // Packed messages may be a thousand times as large once they are unpacked, and take their time.
      perMessageDeflate: false,
    }
    const socket = new Client(address.url, [...protocols], settings)
    const onAbort = (): void => socket.terminate()
    signal.addEventListener('abort', onAbort)
    try {
      await opened(socket)
      const connection = new SocketConnection(options, socket)
      for (const text of typeof greeting === 'function' ? await greeting() : greeting) socket.send(text)
      // Whoever opens it must know of it before something comes.
      setImmediate(() => connection.#begin())
      return connection
    } catch (error) {
      socket.terminate()
      const reason = address.withoutSecrets(messageOf(error))
      throw error instanceof Refused ? new Refused(reason) : new Error(reason)
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Messages that were read already may still come. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    // What came meanwhile was not read: nobody can say yet that nothing did.
    this.#isHeard = true
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

  #hear(): void {
    this.#isHeard = true
  }

  #ping(): void {
    if (this.#socket.isPaused) return
    if (!this.#isHeard) {
      this.#reason = `nothing came for ${this.#options.idleMs} ms`
      return this.#socket.terminate()
    }
    this.#isHeard = false
    this.#socket.ping()
  }

  #over(code: number, said: string): void {
    clearInterval(this.#pinging)
    if (this.#isClosed) return
    this.#isClosed = true
    const { address, onLost } = this.#options
    const shown = said === '' ? '' : `, ${JSON.stringify(said.slice(0, 200))}`
    const reason = address.withoutSecrets(this.#reason ?? `the server ended it with ${code}${shown}`)
    onLost(this.#reason === undefined && REFUSING.includes(code) ? new Refused(reason) : new Error(reason))
  }
}

function opened(socket: WebSocket): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('open', () => {
      // At once: a message may have come with the answer.
      socket.pause()
      resolve()
    })
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, response) => {
      const { statusCode: status = 0 } = response
      const isPassing = status >= 500 || status === 408 || status === 425 || status === 429
      reject(isPassing ? new Error(`it answered ${status}`) : new Refused(`it answered ${status}`))
    })
  })
}

function reasonOf(error: Error, { maxBytes }: SocketOptions): string {
  const isTooLong = 'code' in error && error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'
  return isTooLong ? `a message is over ${maxBytes} bytes (maxBytes), and lost` : messageOf(error)
}

function bytesOf(data: RawData): Uint8Array {
  if (Array.isArray(data)) return Buffer.concat(data)
  return data instanceof ArrayBuffer ? new Uint8Array(data) : data
}
