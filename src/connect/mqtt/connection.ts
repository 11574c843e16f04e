// One connection to an MQTT broker: messages are passed on, and acknowledged only on request.

import { createHash } from 'node:crypto'
import type { IConnackPacket, IPublishPacket, Packet } from 'mqtt-packet'
import { optionInvalid } from '../kits/config.ts'
import type { NamedTexts } from '../kits/text/named-texts.ts'
import {
  HEADER_BYTES,
  loadCodec,
  type MqttCodec,
  type MqttSettings,
  MqttSocket,
  type MqttSocketOptions,
} from './client.ts'
import { Refused } from './errors.ts'
import type { MqttMeta } from './meta.ts'

/** If a message has none, or is MQTT 3.1.1. */
export const NO_HEADERS: NamedTexts = Object.freeze({})

/** A message as it came. */
export interface MqttMessage extends MqttMeta {
  readonly bytes: Uint8Array
  /** Its packet id; undefined at QoS 0. */
  readonly packetId: number | undefined
  /** The same for every delivery: its packet id, a digest, as packet ids are reused, and the session. */
  readonly name: string
  /** Its size in memory, approximately. */
  readonly sizeBytes: number
  /** Whether it may have come before. */
  readonly isAgain: boolean
}

/** The session that the broker keeps for this reader. */
export interface MqttSession {
  /** How many sessions were lost before: packet ids of one mean nothing in the next. */
  readonly number: number
  /** How many messages are known that may be sent again. */
  readonly mayComeAgain: number
}

/** What the broker is asked for. */
export interface MqttReading extends MqttSettings {
  readonly topics: readonly string[]
  readonly qos: 0 | 1 | 2
  /** Most unacknowledged messages. */
  readonly inFlight: number
  readonly sessionS: number
  readonly maxBytes: number
}

export interface MqttConnectionOptions extends MqttReading, Pick<MqttSocketOptions, 'protocol' | 'onLost'> {
  /** The broker resumes its session, or starts a new one. */
  readonly onSession: (isResumed: boolean) => MqttSession
  readonly onMessage: (message: MqttMessage) => void
  /** The broker has received these acknowledgements. */
  readonly onSettled: (names: readonly string[]) => void
}

const CONNECT_MS = 10_000
/** How long closing a connection waits for the broker to complete acknowledgements. */
const RELEASE_MS = 1000

export class MqttConnection {
  readonly #options: MqttConnectionOptions
  readonly #socket: MqttSocket
  /** Messages that were acknowledged after the last ping. */
  #told: string[] = []
  /** Whether a ping was sent after acknowledgements. */
  #isSettling = false
  /** Packet id → name, at QoS 2, of messages that were acknowledged and not completed by the broker. */
  readonly #unreleased = new Map<number, string>()
  #onReleased: () => void = () => {}
  /** The broker starts with unacknowledged messages, marked or not: this many may be redelivered. */
  #resuming = 0
  #session = 0

  private constructor(options: MqttConnectionOptions, codec: MqttCodec) {
    this.#options = options
    const { protocol, inFlight, sessionS, maxBytes } = options
    const limits = {
      receiveMaximum: inFlight,
      sessionExpiryInterval: sessionS,
      maximumPacketSize: maxBytes + HEADER_BYTES,
    }
    this.#socket = new MqttSocket(codec, {
      ...options,
      hello: { clean: false, ...(protocol === 5 ? { properties: limits } : {}) },
      onWelcome: (packet) => this.#welcomed(packet),
      onPacket: (packet) => this.#take(packet),
    })
  }

  /**
   * Connects and subscribes.
   *
   * @throws an error with the broker's reason; {@link OtherVersion} if that is the version
   */
  static async open(options: MqttConnectionOptions, signal: AbortSignal | undefined): Promise<MqttConnection> {
    const connection = new MqttConnection(options, await loadCodec())
    await connection.#socket.opened(signal, CONNECT_MS)
    return connection
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /**
   * Acknowledges messages of this connection. They are `settled` when the broker has received that: when it answers a
   * later ping (QoS 1), or completes their packet ids (QoS 2).
   */
  acknowledge(messages: readonly MqttMessage[]): void {
    const packets: Buffer[] = []
    for (const { packetId, qos, name } of messages) {
      if (packetId === undefined) continue
      if (qos === 2) this.#unreleased.set(packetId, name)
      packets.push(this.#socket.encoded({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId: packetId }))
    }
    if (packets.length === 0 || this.#socket.failure !== undefined) return
    this.#socket.write(packets)
    for (const { name, qos } of messages) if (qos === 1) this.#told.push(name)
    if (!this.#isSettling) this.#settle()
  }

  /** Says goodbye, once everything before is sent. */
  async close(): Promise<void> {
    this.#socket.resume()
    if (this.#socket.failure === undefined && this.#unreleased.size > 0) {
      const released = Promise.withResolvers<void>()
      this.#onReleased = released.resolve
      const timer = setTimeout(released.resolve, RELEASE_MS)
      await released.promise
      clearTimeout(timer)
    }
    await this.#socket.close()
  }

  #take(packet: Packet): void {
    if (packet.cmd === 'suback') this.#subscribed(packet.granted)
    else if (packet.cmd === 'publish') this.#handOn(packet)
    else if (packet.cmd === 'pubrel') this.#release(packet.messageId ?? 0)
  }

  #welcomed({ sessionPresent }: IConnackPacket): void {
    const { topics, qos, protocol, onSession } = this.#options
    const session = onSession(sessionPresent)
    this.#resuming = sessionPresent ? session.mayComeAgain : 0
    this.#session = session.number
    const isNew = protocol === 5 ? { rh: 1 as const } : {}
    const subscriptions = topics.map((topic) => ({ topic, qos, ...isNew }))
    this.#socket.send({ cmd: 'subscribe', messageId: 1, subscriptions })
  }

  #subscribed(granted: readonly unknown[]): void {
    const { topics, qos } = this.#options
    const refused = topics.findIndex((_, at) => Number(granted[at]) !== qos)
    if (refused === -1) return this.#socket.ready()
    const got = Number(granted[refused])
    const found = got > 2 ? 'it is not allowed' : `at QoS ${got} only`
    this.#socket.fail(
      new Refused(`the broker rejects the subscription of ${JSON.stringify(topics[refused])}: ${found}`),
    )
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
      headers: properties?.userProperties ?? NO_HEADERS,
      properties: properties as Readonly<Record<string, unknown>> | undefined,
    })
  }

  #release(packetId: number): void {
    this.#socket.send({ cmd: 'pubcomp', messageId: packetId })
    const name = this.#unreleased.get(packetId)
    if (name !== undefined) this.#options.onSettled([name])
    this.#unreleased.delete(packetId)
    if (this.#unreleased.size === 0) this.#onReleased()
  }

  /** Asks whether the broker has received the acknowledgements. */
  #settle(): void {
    if (this.#told.length === 0) return
    this.#isSettling = true
    const names = this.#told
    this.#told = []
    this.#socket.ping(() => {
      this.#options.onSettled(names)
      this.#isSettling = false
      this.#settle()
    })
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

/**
 * @throws {SluiceError} CONFIG_INVALID for an invalid topic filter
 */
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
  if (!isFilter) throw optionInvalid('mqttSource', 'topics', topic, 'topics, with + for one level and # for all below')
}
