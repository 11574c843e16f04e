// One connection to an MQTT broker: what it sends is handed on, and acknowledged only when somebody says so.

import { createHash } from 'node:crypto'
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions as TlsOptions } from 'node:tls'
import type { IConnackPacket, IPublishPacket, Packet, Parser } from 'mqtt-packet'
import { messageOf, SluiceError } from '../../base/errors.ts'
import type { BrokerAddress } from '../live/address.ts'
import { loadPackage } from '../packages.ts'
import { connectionRefused, OTHER_VERSION, OtherVersion, Refused } from './refusals.ts'

type Codec = Pick<typeof import('mqtt-packet'), 'generate' | 'parser'>

/** A message as it came. */
export interface MqttMessage {
  readonly topic: string
  readonly bytes: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly isRetained: boolean
  /** The number by which the broker knows it; undefined at QoS 0. */
  readonly packetId: number | undefined
  /** The same when it comes again: its number, a digest, as numbers are used for other messages later, and the session. */
  readonly name: string
  /** What it takes in memory, about. */
  readonly sizeBytes: number
  /** Whether it may have come before. */
  readonly isAgain: boolean
  /** Names and values, of MQTT 5. */
  readonly properties: Readonly<Record<string, unknown>> | undefined
}

/** What the broker keeps of this reader. */
export interface MqttSession {
  /** How many were lost before: numbers of one mean nothing in the next. */
  readonly number: number
  /** How many messages are known that may be sent again. */
  readonly mayComeAgain: number
}

export interface MqttConnectionOptions {
  readonly address: BrokerAddress
  readonly tls: TlsOptions | undefined
  readonly clientId: string
  /** 5, or 4 for MQTT 3.1.1. */
  readonly protocol: 4 | 5
  readonly topics: readonly string[]
  readonly qos: 0 | 1 | 2
  /** Messages that are not acknowledged, at most. */
  readonly inFlight: number
  readonly keepAliveS: number
  readonly sessionS: number
  readonly maxBytes: number
  /** The broker goes on with the session that it has, or has none and begins one. */
  readonly onSession: (isResumed: boolean) => MqttSession
  readonly onMessage: (message: MqttMessage) => void
  /** The broker has heard that these are done with. */
  readonly onSettled: (names: readonly string[]) => void
  /** It broke, or was refused; never after `close`. */
  readonly onLost: (error: Error) => void
}

const CONNECT_MS = 10_000
/** How long the end of a connection waits for the broker to let go of what it was told of. */
const RELEASE_MS = 1000
/** What mqtt's own headers add to a message, at most. */
const HEADER_BYTES = 70_000

export class MqttConnection {
  readonly #options: MqttConnectionOptions
  readonly #codec: Codec
  readonly #socket: Socket
  readonly #parser: Parser
  readonly #ready = Promise.withResolvers<void>()
  #isReady = false
  #isOver = false
  /** Bytes of the packet that is coming in: none may be larger than is allowed. */
  #pendingBytes = 0
  #pinging: NodeJS.Timeout | undefined
  /** Pings without an answer, in their order, each with the names that the broker was told of before it. */
  readonly #pings: (readonly string[])[] = []
  /** Whether anything came since the last sign of life was asked for. */
  #isHeard = true
  /** Pings in a row after which nothing came: after one it may be that this process was held up, and has yet to read it. */
  #silentPings = 0
  /** Names that the broker was told of, behind the last ping. */
  #told: string[] = []
  /** Whether a ping is on its way that stands behind names. */
  #isSettling = false
  /** Number → name, at QoS 2, of what the broker was told of and has not let go of. */
  readonly #unreleased = new Map<number, string>()
  #onReleased: () => void = () => {}
  /** The broker begins with what it did not get acknowledged, marked or not: so many messages may come again. */
  #resuming = 0
  #session = 0

  private constructor(options: MqttConnectionOptions, codec: Codec) {
    this.#options = options
    this.#codec = codec
    const { address, tls, protocol } = options
    const { host, port } = address
    this.#socket =
      address.url.protocol === 'mqtts:'
        ? connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...tls })
        : connectTcp({ host, port, noDelay: true })
    this.#parser = codec.parser({ protocolVersion: protocol })
    this.#parser.on('packet', (packet) => this.#take(packet))
    this.#parser.on('error', (error: Error) => this.#fail(error))
    const established = address.url.protocol === 'mqtts:' ? 'secureConnect' : 'connect'
    this.#socket.on(established, () => this.#hello())
    this.#socket.on('data', (block: Buffer) => this.#read(block))
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the broker closed the connection')))
  }

  /**
   * Connects and subscribes.
   *
   * @throws an error that says what the broker refuses; {@link OtherVersion} if that is the version
   */
  static async open(options: MqttConnectionOptions, signal: AbortSignal | undefined): Promise<MqttConnection> {
    const codec = await loadPackage('mqtt-packet', () => import('mqtt-packet'))
    const connection = new MqttConnection(options, codec.default as unknown as Codec)
    const timer = setTimeout(() => connection.#fail(new Error('the broker does not answer')), CONNECT_MS)
    const onAbort = (): void => connection.#fail(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted === true) onAbort()
    try {
      await connection.#ready.promise
      return connection
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    // What came meanwhile was not read: nobody can say yet that nothing did.
    this.#isHeard = true
    this.#socket.resume()
  }

  /**
   * Tells the broker that messages of this connection are done with. They are `settled` when it has heard that: when it
   * answers a ping behind that (QoS 1), or lets go of their numbers (QoS 2).
   */
  acknowledge(messages: readonly MqttMessage[]): void {
    const packets: Buffer[] = []
    for (const { packetId, qos, name } of messages) {
      if (packetId === undefined) continue
      if (qos === 2) this.#unreleased.set(packetId, name)
      packets.push(this.#encoded({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId: packetId }))
    }
    if (packets.length === 0 || this.#isOver) return
    this.#socket.write(Buffer.concat(packets))
    for (const { name, qos } of messages) if (qos === 1) this.#told.push(name)
    if (!this.#isSettling) this.#settle()
  }

  /** Says goodbye, once all before is on its way. */
  async close(): Promise<void> {
    this.#socket.resume()
    if (!this.#isOver && this.#unreleased.size > 0) {
      const released = Promise.withResolvers<void>()
      this.#onReleased = released.resolve
      const timer = setTimeout(released.resolve, RELEASE_MS)
      await released.promise
      clearTimeout(timer)
    }
    if (this.#isOver) return this.#end()
    this.#isOver = true
    clearInterval(this.#pinging)
    const closed = Promise.withResolvers<void>()
    const timer = setTimeout(() => closed.resolve(), 1000)
    this.#socket.once('close', () => closed.resolve())
    this.#socket.end(this.#encoded({ cmd: 'disconnect' }))
    await closed.promise
    clearTimeout(timer)
    this.#end()
  }

  #hello(): void {
    const { clientId, keepAliveS, address, protocol, inFlight, sessionS, maxBytes } = this.#options
    const { username, password } = address
    this.#send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: protocol,
      clean: false,
      clientId,
      keepalive: keepAliveS,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password: Buffer.from(password) }),
      ...(protocol === 5
        ? {
            properties: {
              receiveMaximum: inFlight,
              sessionExpiryInterval: sessionS,
              maximumPacketSize: maxBytes + HEADER_BYTES,
            },
          }
        : {}),
    })
  }

  #read(block: Buffer): void {
    this.#isHeard = true
    this.#pendingBytes += block.length
    if (this.#pendingBytes > this.#options.maxBytes + HEADER_BYTES + block.length) {
      return this.#fail(new Error(`a message is over ${this.#options.maxBytes} bytes (maxBytes)`))
    }
    const left = this.#parser.parse(block)
    this.#pendingBytes = left
  }

  #take(packet: Packet): void {
    if (this.#isOver) return
    switch (packet.cmd) {
      case 'connack':
        return this.#welcomed(packet)
      case 'suback':
        return this.#subscribed(packet.granted)
      case 'publish':
        return this.#handOn(packet)
      case 'pubrel':
        return this.#release(packet.messageId ?? 0)
      case 'pingresp':
        return this.#answered()
      case 'disconnect':
        return this.#fail(new Error(`the broker ends the connection (reason ${packet.reasonCode})`))
      default:
        return
    }
  }

  #welcomed({ returnCode, reasonCode, sessionPresent }: IConnackPacket): void {
    const code = returnCode ?? reasonCode ?? 0
    if (OTHER_VERSION.includes(code)) return this.#fail(new OtherVersion())
    if (code !== 0) return this.#fail(connectionRefused(code))
    const { topics, qos, keepAliveS, onSession } = this.#options
    const session = onSession(sessionPresent)
    this.#resuming = sessionPresent ? session.mayComeAgain : 0
    this.#session = session.number
    const isNew = this.#options.protocol === 5 ? { rh: 1 as const } : {}
    this.#send({ cmd: 'subscribe', messageId: 1, subscriptions: topics.map((topic) => ({ topic, qos, ...isNew })) })
    if (keepAliveS > 0) this.#pinging = setInterval(() => this.#ping(), (keepAliveS * 1000) / 2)
    this.#pinging?.unref()
  }

  #subscribed(granted: readonly unknown[]): void {
    const { topics, qos } = this.#options
    const refused = topics.findIndex((_, at) => Number(granted[at]) !== qos)
    if (refused === -1) {
      this.#isReady = true
      return this.#ready.resolve()
    }
    const got = Number(granted[refused])
    const found = got > 2 ? 'it is not allowed' : `at QoS ${got} only`
    this.#fail(new Refused(`the broker refuses the subscription of ${JSON.stringify(topics[refused])}: ${found}`))
  }

  #handOn({ topic, payload, qos, retain, dup, messageId, properties, length }: IPublishPacket): void {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload
    const digest = createHash('sha256').update(topic).update('\0').update(bytes).digest('base64url').slice(0, 16)
    const isResent = this.#resuming > 0
    this.#resuming -= 1
    this.#options.onMessage({
      topic,
      bytes,
      qos,
      isRetained: retain,
      packetId: qos === 0 ? undefined : messageId,
      name: nameOf(messageId ?? 0, digest, this.#session),
      sizeBytes: length ?? topic.length + bytes.length,
      isAgain: dup || isResent,
      properties: properties as Readonly<Record<string, unknown>> | undefined,
    })
  }

  #release(packetId: number): void {
    this.#send({ cmd: 'pubcomp', messageId: packetId })
    const name = this.#unreleased.get(packetId)
    if (name !== undefined) this.#options.onSettled([name])
    this.#unreleased.delete(packetId)
    if (this.#unreleased.size === 0) this.#onReleased()
  }

  /** Asks whether the broker has heard of what it was told. */
  #settle(): void {
    if (this.#told.length === 0) return
    this.#isSettling = true
    this.#pings.push(this.#told)
    this.#told = []
    this.#send({ cmd: 'pingreq' })
  }

  /** Answers come in the order of the pings: none says anything of what was told behind its own. */
  #answered(): void {
    const names = this.#pings.shift() ?? []
    if (names.length === 0) return
    this.#options.onSettled(names)
    this.#isSettling = false
    this.#settle()
  }

  /** Asks for a sign of life, and misses the last one. */
  #ping(): void {
    const isSilent = this.#pings.length > 0 && !this.#isHeard
    // While nothing is read, no answer can be seen.
    this.#silentPings = isSilent && !this.#socket.isPaused() ? this.#silentPings + 1 : 0
    if (this.#silentPings === 2) return this.#fail(new Error('the broker no longer answers'))
    this.#isHeard = false
    this.#pings.push([])
    this.#send({ cmd: 'pingreq' })
  }

  #send(packet: Packet): void {
    if (this.#isOver) return
    try {
      this.#socket.write(this.#encoded(packet))
    } catch (error) {
      // The codec refuses what the protocol has no form for.
      this.#fail(new Refused(messageOf(error)))
    }
  }

  #encoded(packet: Packet): Buffer {
    return this.#codec.generate(packet, { protocolVersion: this.#options.protocol })
  }

  #fail(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#end()
    if (this.#isReady) this.#options.onLost(error)
    else this.#ready.reject(error)
  }

  #end(): void {
    clearInterval(this.#pinging)
    this.#socket.destroy()
  }
}

/** A message's name. The first session, the common one, adds nothing to it. */
function nameOf(packetId: number, digest: string, session: number): string {
  return session === 0 ? `${packetId}.${digest}` : `${packetId}.${digest}.${session}`
}

/** The session of a message, by its name. */
export function sessionOf(name: string): number {
  return Number(name.split('.')[2] ?? 0)
}

/** @throws {SluiceError} CONFIG_INVALID for what is no topic filter */
export function checkTopic(topic: unknown): asserts topic is string {
  const isFilter =
    typeof topic === 'string' &&
    topic !== '' &&
    topic.length <= 65_535 &&
    !topic.includes('\0') &&
    topic.split('/').every((level, at, all) => {
      if (level === '#') return at === all.length - 1
      return level === '+' || !/[+#]/.test(level)
    })
  if (isFilter) return
  const allowed = 'topics, with + for one level and # for all below'
  const message = `Cannot use ${JSON.stringify(topic)} as topic of mqtt: it takes ${allowed}`
  throw new SluiceError('CONFIG_INVALID', message, { key: 'topics', value: topic, allowed })
}
