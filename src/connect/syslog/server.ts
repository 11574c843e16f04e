// Listens for syslog messages: UDP datagrams, and TCP connections.

import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram'
import { once } from 'node:events'
import { type AddressInfo, createServer, isIPv6, type Server, type Socket } from 'node:net'
import { orClose } from '../../base/closing.ts'
import { type Frame, Frames } from './server/frames.ts'

/** Where it listens. */
export interface SyslogPorts {
  readonly udp?: number
  readonly tcp?: number
}

/** How a message came. */
export interface SyslogMeta {
  /** The address of the sender, or of a relay. With UDP it can be forged. */
  readonly from: string
  readonly transport: 'udp' | 'tcp'
}

export interface SyslogServerOptions {
  readonly ports: SyslogPorts
  readonly host: string
  readonly maxBytes: number
  readonly onFrame: (frame: Frame, meta: SyslogMeta) => void
  /** Whether enough is waiting: connections are not read then, and datagrams are dropped. */
  readonly isFull: () => boolean
  /** A datagram was dropped, or a connection over the limit. */
  readonly onDropped: (what: 'datagram' | 'connection') => void
  /** A listening socket failed. */
  readonly onFailure: (error: Error) => void
}

const MOST_CONNECTIONS = 1000
/** The receive buffer requested from the system, for datagrams while this process is busy. */
const RECEIVE_BYTES = 4 * 1024 * 1024
const LF = 0x0a
const NUL = 0

interface Connection {
  readonly socket: Socket
  readonly frames: Frames
  readonly meta: SyslogMeta
  /** How it ended, while there is something left of it to read. */
  ended?: { readonly isClean: boolean }
}

export class SyslogServer {
  readonly #options: SyslogServerOptions
  readonly #connections = new Set<Connection>()
  #udp: UdpSocket | undefined
  #tcp: Server | undefined
  #isClosed = false

  private constructor(options: SyslogServerOptions) {
    this.#options = options
  }

  static async start(options: SyslogServerOptions): Promise<SyslogServer> {
    const server = new SyslogServer(options)
    const { udp, tcp } = options.ports
    return await orClose(server, async () => {
      if (udp !== undefined) await server.#listenUdp(udp)
      if (tcp !== undefined) await server.#listenTcp(tcp)
      return server
    })
  }

  /** Where it actually listens. */
  get ports(): SyslogPorts {
    return {
      ...(this.#udp === undefined ? {} : { udp: this.#udp.address().port }),
      ...(this.#tcp === undefined ? {} : { tcp: (this.#tcp.address() as AddressInfo).port }),
    }
  }

  /** Continues to read connections, as there is room again. */
  resume(): void {
    for (const connection of this.#connections) {
      if (this.#options.isFull()) return
      this.#give(connection)
    }
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const [udp, tcp] = [this.#udp, this.#tcp]
    for (const { socket } of this.#connections) socket.destroy()
    this.#connections.clear()
    await Promise.all([
      udp === undefined ? undefined : new Promise<void>((resolve) => udp.close(resolve)),
      tcp === undefined ? undefined : new Promise<void>((resolve) => tcp.close(() => resolve())),
    ])
  }

  async #listenUdp(port: number): Promise<void> {
    const { host, onFailure } = this.#options
    const udp = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', recvBufferSize: RECEIVE_BYTES })
    udp.on('message', (bytes, from) => this.#datagram(bytes, from))
    udp.bind(port, host)
    await once(udp, 'listening')
    this.#udp = udp
    udp.on('error', onFailure)
  }

  async #listenTcp(port: number): Promise<void> {
    const { host, onDropped, onFailure } = this.#options
    const tcp = createServer((socket) => this.#connected(socket))
    tcp.maxConnections = MOST_CONNECTIONS
    tcp.on('drop', () => onDropped('connection'))
    tcp.listen(port, host)
    await once(tcp, 'listening')
    this.#tcp = tcp
    tcp.on('error', onFailure)
  }

  #datagram(bytes: Buffer, { address }: RemoteInfo): void {
    const { isFull, onDropped, onFrame, maxBytes } = this.#options
    if (isFull()) return onDropped('datagram')
    // Some senders leave a line end, or a NUL, at the end.
    let to = bytes.length
    while (to > 0 && (bytes[to - 1] === LF || bytes[to - 1] === NUL)) to -= 1
    if (to === 0) return
    onFrame(new Frames(maxBytes).whole(bytes.subarray(0, to)), { from: address, transport: 'udp' })
  }

  #connected(socket: Socket): void {
    const meta: SyslogMeta = { from: socket.remoteAddress ?? 'unknown', transport: 'tcp' }
    const connection: Connection = { socket, frames: new Frames(this.#options.maxBytes), meta }
    this.#connections.add(connection)
    socket.on('data', (block) => {
      connection.frames.push(block as Buffer)
      this.#give(connection)
    })
    socket.on('end', () => this.#ended(connection, true))
    // Every error is followed by `close`.
    socket.on('error', () => {})
    socket.on('close', () => this.#ended(connection, false))
    if (this.#options.isFull()) socket.pause()
  }

  #ended(connection: Connection, isClean: boolean): void {
    if (connection.ended !== undefined || !this.#connections.has(connection)) return
    connection.ended = { isClean }
    this.#give(connection)
  }

  /** Passes on what came over a connection, while there is room. */
  #give(connection: Connection): void {
    const { isFull, onFrame } = this.#options
    const { socket, frames, meta, ended } = connection
    while (!isFull()) {
      const frame = frames.next()
      if (frame !== undefined) {
        onFrame(frame, meta)
        continue
      }
      if (ended === undefined) {
        socket.resume()
        return
      }
      const last = frames.end(ended)
      if (last !== undefined) onFrame(last, meta)
      this.#connections.delete(connection)
      return
    }
    socket.pause()
  }
}
