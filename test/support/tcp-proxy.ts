// A network that breaks on demand: stands between a client and a server, and passes bytes on, late, or not at all.

import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * - `pass`: all bytes
 * - `stall`: none, while all connections stay
 * - `half`: none from the server to the client
 */
export type ProxyMode = 'pass' | 'stall' | 'half'

type Direction = 'up' | 'down'

/** A commit as a simple query of PostgreSQL, and the server's answer to one. */
const COMMIT = Buffer.from('Q\0\0\0\x0bcommit\0', 'latin1')
const COMMITTED = Buffer.from('COMMIT\0', 'latin1')

interface Link {
  readonly client: Socket
  readonly server: Socket
}

export class TcpProxy {
  readonly #targetPort: number
  readonly #links = new Set<Link>()
  readonly #listener: Server
  /** Where clients connect to; the same while it lives. */
  port = 0
  #mode: ProxyMode = 'pass'
  /** Resolves when the mode changes. */
  #changed = Promise.withResolvers<void>()
  #bytesPerSecond = Number.POSITIVE_INFINITY
  /** How many bytes still go up before all is cut. */
  #upLeft = Number.POSITIVE_INFINITY
  #cut: 'before' | 'after' | undefined
  /** Called when a cut that was asked for was made. */
  #onCut: (() => void) | undefined
  /** How many connections there were. */
  connections = 0
  /** How often clients spoke after the server had: their journeys to it. */
  journeys = 0
  #hasAnswered = true

  private constructor(targetPort: number) {
    this.#targetPort = targetPort
    this.#listener = createServer({ pauseOnConnect: false }, (client) => this.#link(client))
  }

  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort)
    await proxy.accept()
    return proxy
  }

  /** Takes connections, on the same port as before. */
  async accept(): Promise<void> {
    this.#listener.listen(this.port, '127.0.0.1')
    await once(this.#listener, 'listening')
    const address = this.#listener.address()
    if (typeof address === 'object' && address !== null) this.port = address.port
  }

  /** Ends all connections, and takes no more. */
  async refuse(): Promise<void> {
    const closed = this.#listener.listening ? once(this.#listener, 'close') : undefined
    this.#listener.close()
    this.cut()
    await closed
  }

  set mode(mode: ProxyMode) {
    this.#mode = mode
    this.#changed.resolve()
    this.#changed = Promise.withResolvers<void>()
  }

  /** Passes on no more than so many bytes a second in each direction of a connection. */
  set bytesPerSecond(rate: number) {
    this.#bytesPerSecond = rate
  }

  /** Ends all connections without a word. */
  cut(): void {
    for (const { client, server } of this.#links) {
      client.destroy()
      server.destroy()
    }
  }

  /** Resets all connections. */
  reset(): void {
    for (const { client, server } of this.#links) {
      client.resetAndDestroy()
      server.resetAndDestroy()
    }
  }

  /** Cuts once so many more bytes have gone to the server, over all connections. */
  cutAfter(bytes: number): void {
    this.#upLeft = bytes
  }

  /** Cuts before the next commit reaches the server, or before its answer reaches the client; resolves when it has. */
  cutAround(side: 'before' | 'after'): Promise<void> {
    this.#cut = side
    return new Promise((resolve) => {
      this.#onCut = resolve
    })
  }

  async stop(): Promise<void> {
    await this.refuse()
    this.mode = 'pass'
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  #link(client: Socket): void {
    this.connections += 1
    const server = connect({ port: this.#targetPort, host: '127.0.0.1', noDelay: true })
    client.setNoDelay(true)
    const link = { client, server }
    this.#links.add(link)
    const end = (): void => {
      this.#links.delete(link)
      client.destroy()
      server.destroy()
    }
    // What broke on one side is over on the other, too.
    for (const socket of [client, server]) socket.on('error', end).on('close', end)
    void this.#pump(client, server, 'up').catch(end)
    void this.#pump(server, client, 'down').catch(end)
  }

  async #pump(from: Socket, to: Socket, direction: Direction): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      if (direction === 'up' && this.#hasAnswered) this.journeys += 1
      this.#hasAnswered = direction === 'down'
      for (let at = 0; at < chunk.length; ) {
        while (this.#mode === 'stall' || (this.#mode === 'half' && direction === 'down')) await this.#changed.promise
        const piece = chunk.subarray(at, at + Math.ceil(Math.min(this.#bytesPerSecond / 20, chunk.length)))
        at += piece.length
        if (this.#isCutBy(piece, direction)) return this.cut()
        if (!to.write(piece)) await once(to, 'drain')
        if (this.#bytesPerSecond !== Number.POSITIVE_INFINITY) await sleep(50)
      }
    }
    to.end()
  }

  #isCutBy(piece: Buffer, direction: Direction): boolean {
    const isUp = direction === 'up'
    if (isUp) this.#upLeft -= piece.length
    const isCommit = isUp
      ? this.#cut === 'before' && piece.includes(COMMIT)
      : this.#cut === 'after' && piece.includes(COMMITTED)
    if (!isCommit && this.#upLeft >= 0) return false
    this.#upLeft = Number.POSITIVE_INFINITY
    this.#cut = undefined
    this.#onCut?.()
    return true
  }
}
