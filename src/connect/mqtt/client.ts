// A socket that speaks MQTT: handshake, keep-alive, goodbye. What the packets mean is decided elsewhere.

import { addAbortListener } from 'node:events'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls'
import type { IConnackPacket, IConnectPacket, Packet } from 'mqtt-packet'
import { messageOf } from '../../base/errors.ts'
import type { BrokerAddress } from '../kits/broker/address.ts'
import { loadPackage } from '../kits/package.ts'
import { connectionRefused, OTHER_VERSION, OtherVersion, Refused } from './errors.ts'

type Library = typeof import('mqtt-packet')
export type MqttCodec = Pick<Library, 'generate' | 'parser'>

export interface MqttSettings {
  readonly address: BrokerAddress
  readonly tls: TlsOptions | undefined
  readonly clientId: string
  readonly keepAliveS: number
}

export interface MqttSocketOptions extends MqttSettings {
  /** 5, or 4 for MQTT 3.1.1. */
  readonly protocol: 4 | 5
  /** What the broker is sent besides the credentials. */
  readonly hello: Pick<IConnectPacket, 'clean' | 'properties'>
  /** The longest message. */
  readonly maxBytes?: number
  /** The broker has accepted the connection. */
  readonly onWelcome: (packet: IConnackPacket) => void
  readonly onPacket: (packet: Packet) => void
  /** It broke once it was ready; never after `close`. */
  readonly onLost: (error: Error) => void
}

const GOODBYE_MS = 1000
/** The most that MQTT's own headers add to a message. */
export const HEADER_BYTES = 70_000

export async function loadCodec(): Promise<MqttCodec> {
  const { default: codec } = await loadPackage('mqtt-packet', () => import('mqtt-packet'))
  return codec as unknown as MqttCodec
}

export class MqttSocket {
  readonly #options: MqttSocketOptions
  readonly #codec: MqttCodec
  readonly #socket: Socket
  readonly #ready = Promise.withResolvers<void>()
  #isReady = false
  #failure: Error | undefined
  #pinging: NodeJS.Timeout | undefined
  /** The answers to pings that are awaited, in order. */
  readonly #pings: (() => void)[] = []
  /** Whether anything came since the last ping. */
  #isHeard = true
  /**
   * Pings in a row without a response: after one of them, this process may just have been suspended, and has yet to
   * read it.
   */
  #silentPings = 0

  constructor(codec: MqttCodec, options: MqttSocketOptions) {
    this.#options = options
    this.#codec = codec
    const { address, tls, protocol, maxBytes = Number.POSITIVE_INFINITY } = options
    const { host, port, url } = address
    const isTls = url.protocol === 'mqtts:'
    this.#socket = isTls
      ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...tls })
      : connectTcp({ host, port, noDelay: true })
    const parser = codec.parser({ protocolVersion: protocol })
    parser.on('packet', (packet) => this.#take(packet))
    parser.on('error', (error: Error) => this.fail(error))
    this.#socket.on(isTls ? 'secureConnect' : 'connect', () => this.#hello())
    /** Bytes of the incoming packet: none may be larger than allowed. */
    let pendingBytes = 0
    this.#socket.on('data', (block: Buffer) => {
      this.#isHeard = true
      if (pendingBytes > maxBytes + HEADER_BYTES) {
        return this.fail(new Error(`a message is over ${maxBytes} bytes (maxBytes)`))
      }
      pendingBytes = parser.parse(block)
    })
    this.#socket.on('error', (error) => this.fail(error))
    this.#socket.on('close', () => this.fail(new Error('the broker closed the connection')))
  }

  /** Why nothing can be sent any more. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /**
   * Waits until it is ready.
   *
   * @throws an error with the broker's reason; {@link OtherVersion} if that is the version
   */
  async opened(signal: AbortSignal | undefined, limitMs: number): Promise<void> {
    const timer = setTimeout(() => this.fail(new Error('the broker does not answer')), limitMs)
    using _ = signal && addAbortListener(signal, () => this.fail(signal.reason))
    try {
      await this.#ready.promise
    } finally {
      clearTimeout(timer)
    }
  }

  /** The handshake is complete. */
  ready(): void {
    this.#isReady = true
    this.#ready.resolve()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    // Nothing was read meanwhile: that does not mean that nothing came.
    this.#isHeard = true
    this.#socket.resume()
  }

  /**
   * @param onAnswer - called when the broker has answered, and so has received everything that was sent before
   */
  ping(onAnswer: () => void): void {
    this.#pings.push(onAnswer)
    this.send({ cmd: 'pingreq' })
  }

  send(packet: Packet): void {
    if (this.#failure !== undefined) return
    try {
      this.#socket.write(this.encoded(packet))
    } catch (error) {
      // The codec throws for what the protocol cannot represent.
      this.fail(new Refused(messageOf(error)))
    }
  }

  encoded(packet: Packet): Buffer {
    return this.#codec.generate(packet, { protocolVersion: this.#options.protocol })
  }

  write(packets: readonly Buffer[], onWritten?: () => void): void {
    this.#socket.write(Buffer.concat(packets), onWritten)
  }

  fail(error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#end()
    if (this.#isReady) this.#options.onLost(error)
    else this.#ready.reject(error)
  }

  /** Says goodbye, once everything before is sent. */
  async close(): Promise<void> {
    if (this.#failure !== undefined) return
    this.#failure = new Error('the connection is closed')
    const closed = Promise.withResolvers<void>()
    const timer = setTimeout(closed.resolve, GOODBYE_MS)
    this.#socket.once('close', () => closed.resolve())
    this.#socket.resume()
    this.#socket.end(this.encoded({ cmd: 'disconnect' }))
    await closed.promise
    clearTimeout(timer)
    this.#end()
  }

  #end(): void {
    clearInterval(this.#pinging)
    this.#socket.destroy()
  }

  #hello(): void {
    const { clientId, keepAliveS, address, protocol, hello } = this.#options
    const { username, password } = address
    this.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: protocol,
      clientId,
      keepalive: keepAliveS,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password: Buffer.from(password) }),
      ...hello,
    })
  }

  #take(packet: Packet): void {
    if (this.#failure !== undefined) return
    if (packet.cmd === 'connack') this.#welcomed(packet)
    else if (packet.cmd === 'pingresp') this.#pings.shift()?.()
    else if (packet.cmd === 'disconnect') {
      this.fail(new Error(`the broker ends the connection (reason ${packet.reasonCode})`))
    } else this.#options.onPacket(packet)
  }

  #welcomed(packet: IConnackPacket): void {
    const code = packet.returnCode ?? packet.reasonCode ?? 0
    if (OTHER_VERSION.includes(code)) return this.fail(new OtherVersion())
    if (code !== 0) return this.fail(connectionRefused(code))
    this.#options.onWelcome(packet)
    const keepAliveS = packet.properties?.serverKeepAlive ?? this.#options.keepAliveS
    if (this.#failure !== undefined || keepAliveS === 0) return
    this.#pinging = setInterval(() => this.#askForLife(), (keepAliveS * 1000) / 2).unref()
  }

  /** Sends a ping, and checks the answer to the last one. */
  #askForLife(): void {
    const isSilent = this.#pings.length > 0 && !this.#isHeard
    // While nothing is read, no answer can be seen.
    this.#silentPings = isSilent && !this.#socket.isPaused() ? this.#silentPings + 1 : 0
    if (this.#silentPings === 2) return this.fail(new Error('the broker no longer answers'))
    this.#isHeard = false
    this.ping(() => {})
  }
}
