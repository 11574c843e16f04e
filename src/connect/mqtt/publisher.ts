// Publishes to an MQTT broker, which acknowledges messages.

import type { IConnackPacket, Packet, UserProperties } from 'mqtt-packet'
import { SluiceError } from '../../base/errors.ts'
import type { Outgoing } from '../kits/broker/message.ts'
import type { Publisher } from '../kits/broker/publish-writer.ts'
import { gathered } from '../kits/text/named-texts.ts'
import { loadCodec, type MqttCodec, type MqttSettings, MqttSocket } from './client.ts'
import { OtherVersion, refusalOf } from './errors.ts'

export interface MqttPublishSettings extends MqttSettings {
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
}

const CONNECT_MS = 30_000
/** Packet ids from 1 on: few are in use at a time. */
const NUMBERS = 65_535
/**
 * At QoS 2 with 3.1.1, where brokers cannot announce their limit: mosquitto by default keeps no more, and acknowledges
 * the others.
 */
const CAREFUL = 20
/** The longest packet, and the longest text in one, of the protocol. */
const PACKET_BYTES = 268_435_455
const TEXT_BYTES = 65_535
/** What a packet has beside topic, body and headers, at most. */
const FRAME_BYTES = 64
/** Codes of refusals that are not about the message: quota exceeded, and packet id in use. */
const NOT_OF_THE_MESSAGE: readonly number[] = [0x91, 0x97]

/** Messages under way: which of them the broker has not acknowledged, and what it rejects. */
interface Sending {
  readonly open: Map<number, number>
  readonly refused: Map<number, string>
  readonly done: PromiseWithResolvers<void>
}

export class MqttPublisher implements Publisher {
  readonly #settings: MqttPublishSettings
  readonly #protocol: 4 | 5
  readonly #socket: MqttSocket
  #sending: Sending | undefined
  #number = 0
  /** How many messages the broker accepts at a time, and its largest packet. */
  #window = NUMBERS
  #mostBytes = PACKET_BYTES

  private constructor(settings: MqttPublishSettings, protocol: 4 | 5, codec: MqttCodec) {
    this.#settings = settings
    this.#protocol = protocol
    this.#socket = new MqttSocket(codec, {
      ...settings,
      protocol,
      hello: { clean: true },
      onWelcome: (packet) => this.#welcomed(packet),
      onPacket: (packet) => this.#take(packet),
      onLost: (error) => this.#sending?.done.reject(error),
    })
  }

  /** By MQTT 5, or by 3.1.1 if the broker supports nothing else. */
  static async open(settings: MqttPublishSettings, signal: AbortSignal): Promise<MqttPublisher> {
    try {
      return await MqttPublisher.#open(settings, 5, signal)
    } catch (error) {
      if (!(error instanceof OtherVersion)) throw error
      return await MqttPublisher.#open(settings, 4, signal)
    }
  }

  static async #open(settings: MqttPublishSettings, protocol: 4 | 5, signal: AbortSignal): Promise<MqttPublisher> {
    const publisher = new MqttPublisher(settings, protocol, await loadCodec())
    await publisher.#socket.opened(signal, CONNECT_MS)
    return publisher
  }

  async publish(messages: readonly Outgoing[]): Promise<ReadonlyMap<number, string>> {
    const refused = new Map<number, string>()
    for (let from = 0; from < messages.length; from += this.#window) {
      await this.#publish(messages.slice(from, from + this.#window), from, refused)
    }
    return refused
  }

  async close(): Promise<void> {
    await this.#socket.close()
  }

  async #publish(messages: readonly Outgoing[], first: number, refused: Map<number, string>): Promise<void> {
    if (this.#socket.failure !== undefined) throw this.#socket.failure
    const { qos } = this.#settings
    const sending: Sending = { open: new Map(), refused, done: Promise.withResolvers<void>() }
    const packets: Buffer[] = []
    for (const [at, message] of messages.entries()) {
      const number = (this.#number % NUMBERS) + 1
      const packet = this.#packetOf(message, number)
      if (typeof packet === 'string') {
        refused.set(first + at, packet)
        continue
      }
      packets.push(packet)
      this.#number = number
      if (qos > 0) sending.open.set(number, first + at)
    }
    if (packets.length === 0) return
    this.#sending = sending
    const { resolve, promise } = sending.done
    this.#socket.write(packets, () => {
      // Nobody acknowledges it: sent is all that can be known.
      if (qos === 0) resolve()
    })
    await promise
    this.#sending = undefined
  }

  /** The packet of a message, or why it is invalid. */
  #packetOf({ to, bytes, headers }: Outgoing, number: number): Buffer | string {
    const { qos, retain } = this.#settings
    const texts = this.#protocol === 5 ? headers.flat() : []
    // The codec would write a length that does not fit its field.
    const long = texts.find((text) => Buffer.byteLength(text) > TEXT_BYTES)
    if (long !== undefined) return `a header of ${Buffer.byteLength(long)} bytes: at most ${TEXT_BYTES} are possible`
    const tooLarge = (found: number) => `a message of ${found} bytes: the broker accepts packets of ${this.#mostBytes}`
    const sizeBytes = [to, ...texts].reduce((sum, text) => sum + Buffer.byteLength(text), bytes.length)
    if (sizeBytes + FRAME_BYTES > PACKET_BYTES) return tooLarge(sizeBytes)
    const packet = this.#socket.encoded({
      cmd: 'publish',
      topic: to,
      payload: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length),
      qos,
      retain,
      dup: false,
      ...(qos > 0 ? { messageId: number } : {}),
      ...(texts.length > 0 ? { properties: { userProperties: gathered(headers) as UserProperties } } : {}),
    })
    return packet.length > this.#mostBytes ? tooLarge(packet.length) : packet
  }

  #take(packet: Packet): void {
    switch (packet.cmd) {
      case 'puback':
        return this.#confirmed(packet.messageId ?? 0, packet.reasonCode)
      case 'pubrec':
        // A rejected message is complete with that.
        if ((packet.reasonCode ?? 0) >= 0x80) return this.#confirmed(packet.messageId ?? 0, packet.reasonCode)
        return this.#socket.send({ cmd: 'pubrel', messageId: packet.messageId ?? 0 })
      case 'pubcomp':
        return this.#confirmed(packet.messageId ?? 0, 0)
      default:
    }
  }

  #welcomed({ properties }: IConnackPacket): void {
    const fault = this.#lacking(properties)
    if (fault !== undefined) return this.#socket.fail(fault)
    const isSilent = this.#protocol === 4 && this.#settings.qos === 2
    this.#window = Math.min(this.#window, properties?.receiveMaximum ?? (isSilent ? CAREFUL : NUMBERS))
    this.#mostBytes = properties?.maximumPacketSize ?? this.#mostBytes
    this.#socket.ready()
  }

  /** Features that the settings ask for and the broker does not have. */
  #lacking({ maximumQoS = 2, retainAvailable }: IConnackPacket['properties'] & {} = {}): Error | undefined {
    const { qos, retain, address } = this.#settings
    const lacking = (key: string, value: unknown, allowed: string) => {
      const message = `Cannot send messages to ${address.shown} with ${key} ${value}: the broker accepts ${allowed}`
      return new SluiceError('CONFIG_INVALID', message, { key, value, allowed })
    }
    if (qos > maximumQoS) return lacking('qos', qos, maximumQoS === 0 ? '0' : '0 or 1')
    return retain && retainAvailable === false ? lacking('retain', retain, 'false') : undefined
  }

  #confirmed(number: number, reasonCode = 0): void {
    const sending = this.#sending
    const at = sending?.open.get(number)
    if (sending === undefined || at === undefined) return
    if (NOT_OF_THE_MESSAGE.includes(reasonCode)) {
      return this.#socket.fail(new Error(`the broker accepts no more for now: ${refusalOf(reasonCode)}`))
    }
    sending.open.delete(number)
    if (reasonCode >= 0x80) sending.refused.set(at, `the broker rejects it: ${refusalOf(reasonCode)}`)
    if (sending.open.size === 0) sending.done.resolve()
  }
}
