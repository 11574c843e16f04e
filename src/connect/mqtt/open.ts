// Opens the reader of an MQTT broker's messages, with reconnection.

import { bodies } from '../kits/broker/body.ts'
import { type Connecting, connectReader } from '../kits/broker/connect-reader.ts'
import { IdDedup } from '../kits/broker/deduplicator.ts'
import { namedPosition, type PushReader, withoutBytes } from '../kits/broker/push-reader.ts'
import type { ConnectedOpening } from '../kits/broker/source.ts'
import type { SplitReader } from '../source.ts'
import {
  MqttConnection,
  type MqttMessage,
  type MqttReading,
  type MqttSession,
  NO_HEADERS,
  sessionOf,
} from './connection.ts'
import { mayPass, OtherVersion } from './errors.ts'
import type { MqttMeta } from './meta.ts'

export interface MqttOpening<B, T> extends ConnectedOpening<B, MqttMeta, T>, MqttReading {
  readonly retained: boolean
}

/** Names of messages without a packet id, at QoS 0. */
const UNNUMBERED = '0.'

export async function openMqtt<B, T>(opening: MqttOpening<B, T>): Promise<SplitReader<T>> {
  const { title, from } = opening
  const { count, pending } = namedPosition(title, from)
  const session = { number: Math.max(0, ...pending.slice(-1).map(sessionOf)) }
  // A broker with a new session sends nothing again of what it sent before, and nothing at all at QoS 0.
  const comesAgain = (name: string): boolean => !name.startsWith(UNNUMBERED) && sessionOf(name) === session.number
  const known = new IdDedup({ pending }, opening.inFlight, comesAgain)
  return await connectReader<T, MqttMessage, MqttConnection>(
    {
      ...opening,
      ...bodies(opening, ({ bytes, topic, qos, isRetained, headers, properties }: MqttMessage) => {
        return { bytes, meta: { topic, qos, isRetained, headers, properties }, source: `topic ${topic}` }
      }),
      known,
      idOf: ({ name }) => name,
      isAgain: ({ isAgain }) => isAgain,
      bytesOf: ({ sizeBytes }) => sizeBytes,
      receiptOf: (message) => ({ ...withoutBytes(message), headers: NO_HEADERS, properties: undefined }),
      count,
    },
    (reader) => new Broker(opening, session, known, reader),
  )
}

class Broker<B, T> implements Connecting<MqttMessage, MqttConnection> {
  readonly mayPass = mayPass
  readonly #opening: MqttOpening<B, T>
  /** Counts up with every session that the broker lost. */
  readonly #session: { number: number }
  readonly #known: IdDedup
  readonly #reader: PushReader<T, MqttMessage>
  /** Name → the connection over which it last came: an acknowledgement over another one has no effect. */
  readonly #cameBy = new Map<string, MqttConnection | undefined>()
  #connecting: MqttConnection | undefined
  #protocol: 4 | 5 = 5
  /** For messages without a packet id. */
  #unnumbered = 0

  constructor(
    opening: MqttOpening<B, T>,
    session: { number: number },
    known: IdDedup,
    reader: PushReader<T, MqttMessage>,
  ) {
    this.#opening = opening
    this.#session = session
    this.#known = known
    this.#reader = reader
  }

  async connect(signal: AbortSignal, onLost: (error: unknown) => void): Promise<MqttConnection> {
    let connection: MqttConnection | undefined
    const early: MqttMessage[] = []
    try {
      connection = await MqttConnection.open(
        {
          ...this.#opening,
          protocol: this.#protocol,
          onSession: (isResumed) => this.#sessionOf(isResumed),
          onMessage: (message) => {
            // The broker may send before it has confirmed the subscription.
            if (connection === undefined) early.push(message)
            else this.#take(message, connection)
          },
          onSettled: (names) => this.#known.settled(names),
          onLost,
        },
        signal,
      )
    } catch (error) {
      if (!(error instanceof OtherVersion) || this.#protocol === 4) throw error
      this.#protocol = 4
      return await this.connect(signal, onLost)
    }
    for (const message of early) this.#take(message, connection)
    if (this.#reader.isFull) connection.pause()
    return connection
  }

  /** Packet ids restart with a session: a reused one is another message, whatever its content. */
  #sessionOf(isResumed: boolean): MqttSession {
    if (!isResumed && this.#known.size > 0) {
      this.#session.number += 1
      this.#known.forgotten()
    }
    return { number: this.#session.number, mayComeAgain: this.#known.size }
  }

  #take(message: MqttMessage, connection: MqttConnection): void {
    if (message.isRetained && !this.#opening.retained) return connection.acknowledge([message])
    if (message.packetId === undefined) {
      this.#unnumbered += 1
      return this.#reader.push({ ...message, name: `${UNNUMBERED}${this.#unnumbered}`, isAgain: false })
    }
    this.#cameBy.set(message.name, connection)
    this.#connecting = connection
    this.#reader.push(message)
    this.#connecting = undefined
  }

  acknowledge(connection: MqttConnection | undefined, messages: readonly MqttMessage[]): void {
    const current = this.#connecting ?? connection
    const numbered = messages.filter(({ packetId }) => packetId !== undefined)
    current?.acknowledge(numbered.filter(({ name }) => this.#cameBy.get(name) === current))
    for (const { name } of numbered) this.#cameBy.delete(name)
  }
}
