// Opens the reader of an MQTT broker's messages, over connections that are made again when they break.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { LineFormat } from '../format.ts'
import type { BrokerAddress } from '../live/address.ts'
import { bodyReader, type ToEvent } from '../live/body.ts'
import { connectReader } from '../live/connect-reader.ts'
import { ByName } from '../live/known.ts'
import { LiveReader, namedPosition } from '../live/live-reader.ts'
import type { OpenOptions, Position, SplitReader } from '../source.ts'
import { MqttConnection, type MqttMessage, type MqttSession, sessionOf } from './connection.ts'
import type { MqttMeta } from './meta.ts'
import { mayPass, OtherVersion } from './refusals.ts'

export interface MqttOpening<B, T> {
  readonly address: BrokerAddress
  readonly title: string
  readonly topics: readonly string[]
  readonly clientId: string
  readonly qos: 0 | 1 | 2
  readonly retained: boolean
  readonly inFlight: number
  readonly maxBytes: number
  readonly keepAliveS: number
  readonly sessionS: number
  readonly retryMs: number
  readonly tls: TlsOptions | undefined
  readonly format: LineFormat<B>
  readonly event: ToEvent<B, MqttMeta, T> | undefined
  readonly from: Position | undefined
  readonly open: OpenOptions
}

/** What waits to be asked for. */
const LIMITS = { messages: 4000, bytes: 8 * 1024 * 1024 }
const NOTHING = new Uint8Array()
/** Names of messages without a number, at QoS 0. */
const UNNUMBERED = '0.'

export async function openMqtt<B, T>(opening: MqttOpening<B, T>): Promise<SplitReader<T>> {
  const { title, from, open, format, event } = opening
  const { count, pending } = namedPosition(title, from)
  const session = { number: Math.max(0, ...pending.slice(-1).map(sessionOf)) }
  // A broker that has begun anew sends nothing again of what it sent before, and nothing at all at QoS 0.
  const comesAgain = (name: string): boolean => !name.startsWith(UNNUMBERED) && sessionOf(name) === session.number
  const known = new ByName({ pending }, opening.inFlight, comesAgain)
  const read = bodyReader<B, MqttMeta, T>(format, event)
  const reader = new LiveReader<T, MqttMessage>({
    title,
    known,
    idOf: ({ name }) => name,
    isAgain: ({ isAgain }) => isAgain,
    bytesOf: ({ sizeBytes }) => sizeBytes,
    receiptOf: (message) => ({ ...message, bytes: NOTHING, properties: undefined }),
    read: ({ bytes, topic, qos, isRetained, properties }, number, counts) => {
      const meta = { topic, qos, isRetained, properties }
      return read({ bytes, meta, source: `topic ${topic}`, count: number }, counts)
    },
    limits: LIMITS,
    count,
    open,
  })
  const broker = new Broker(opening, session, known, reader)
  await broker.open()
  return reader
}

class Broker<B, T> {
  readonly #opening: MqttOpening<B, T>
  /** Counts up with every session that the broker forgot. */
  readonly #session: { number: number }
  readonly #known: ByName
  readonly #reader: LiveReader<T, MqttMessage>
  /** Name → the connection over which it came last: an acknowledgement over another one means nothing. */
  readonly #cameBy = new Map<string, MqttConnection | undefined>()
  #connecting: MqttConnection | undefined
  #protocol: 4 | 5 = 5
  /** Of messages that the broker gives no number. */
  #unnumbered = 0

  constructor(
    opening: MqttOpening<B, T>,
    session: { number: number },
    known: ByName,
    reader: LiveReader<T, MqttMessage>,
  ) {
    this.#opening = opening
    this.#session = session
    this.#known = known
    this.#reader = reader
  }

  async open(): Promise<void> {
    const { title, address, retryMs, open } = this.#opening
    await connectReader<T, MqttMessage, MqttConnection>(this.#reader, {
      title,
      address,
      retryMs,
      signal: open.signal,
      connect: (signal, onLost) => this.#connect(signal, onLost),
      mayPass,
      acknowledge: (connection, messages) => this.#acknowledge(connection, messages),
    })
  }

  async #connect(signal: AbortSignal, onLost: (error: unknown) => void): Promise<MqttConnection> {
    const { open: _open, from: _from, ...options } = this.#opening
    let connection: MqttConnection | undefined
    const early: MqttMessage[] = []
    try {
      connection = await MqttConnection.open(
        {
          ...options,
          protocol: this.#protocol,
          onSession: (isResumed) => this.#sessionOf(isResumed),
          onMessage: (message) => {
            // The broker may send before it has said that the subscription stands.
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
      return await this.#connect(signal, onLost)
    }
    for (const message of early) this.#take(message, connection)
    if (this.#reader.isFull) connection.pause()
    return connection
  }

  /** Numbers begin anew with a session: what had one before is another message, whatever it says. */
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

  #acknowledge(connection: MqttConnection | undefined, messages: readonly MqttMessage[]): void {
    const current = this.#connecting ?? connection
    const numbered = messages.filter(({ packetId }) => packetId !== undefined)
    current?.acknowledge(numbered.filter(({ name }) => this.#cameBy.get(name) === current))
    for (const { name } of numbered) this.#cameBy.delete(name)
  }
}
