// One connection to a NATS server: reads a stream's messages while there is room for them.

import type { JetStreamManager, JsMsg, StreamInfo } from '@nats-io/jetstream'
import { orClose } from '../../base/closing.ts'
import type { BrokerAddress } from '../kits/broker/address.ts'
import { loadPackage } from '../kits/package.ts'
import { gathered } from '../kits/text/named-texts.ts'
import { connectNats, type NatsClient } from './client.ts'
import type { NatsMeta } from './meta.ts'

/** A message as it came. */
export interface NatsMessage extends NatsMeta {
  readonly bytes: Uint8Array
}

export interface NatsConnectionOptions {
  readonly address: BrokerAddress
  readonly stream: string
  readonly subject: string | undefined
  readonly onMessage: (message: NatsMessage) => void
  /** Whether enough is waiting; `resume` is called when there is room. */
  readonly isFull: () => boolean
  readonly onLost: (error: unknown) => void
}

/** Messages requested at once, and how long an answer waits for the first one. */
const COUNT = 500
const WAIT_MS = 1000
const NANOS = 1_000_000

export class NatsConnection {
  readonly #options: NatsConnectionOptions
  readonly #client: NatsClient
  readonly #manager: JetStreamManager
  #loop: Promise<void> = Promise.resolve()
  #isOver = false
  #wake: () => void = () => {}
  /** Ends the current read. */
  #stopReading: () => void = () => {}

  private constructor(options: NatsConnectionOptions, client: NatsClient, manager: JetStreamManager) {
    this.#options = options
    this.#client = client
    this.#manager = manager
    void client.closed().then((error) => this.#fail(error ?? new Error('the server closed the connection')))
  }

  static async open(options: NatsConnectionOptions, signal: AbortSignal): Promise<NatsConnection> {
    const { jetstreamManager } = await loadPackage('@nats-io/jetstream', () => import('@nats-io/jetstream'))
    const client = await connectNats(options.address, signal)
    return await orClose(client, async () => new NatsConnection(options, client, await jetstreamManager(client)))
  }

  async info(): Promise<StreamInfo> {
    return await this.#manager.streams.info(this.#options.stream)
  }

  /** Starts reading at a sequence number. */
  begin(sequence: number): void {
    this.#loop = this.#read(sequence).catch((error: unknown) => this.#fail(error))
  }

  /** There is room again. */
  resume(): void {
    this.#wake()
  }

  async close(): Promise<void> {
    this.#isOver = true
    this.#wake()
    this.#stopReading()
    await this.#loop
    await this.#client.close()
  }

  async #read(sequence: number): Promise<void> {
    const { stream, subject, isFull, onMessage } = this.#options
    const { DeliverPolicy } = await import('@nats-io/jetstream')
    const consumer = await this.#manager.jetstream().consumers.get(stream, {
      opt_start_seq: sequence,
      deliver_policy: DeliverPolicy.StartSequence,
      ...(subject === undefined ? {} : { filter_subjects: subject }),
    })
    while (!this.#isOver) {
      if (isFull()) await new Promise<void>((resolve) => (this.#wake = resolve))
      else {
        const messages = await consumer.fetch({ max_messages: COUNT, expires: WAIT_MS })
        this.#stopReading = () => messages.stop()
        if (this.#isOver) messages.stop()
        for await (const message of messages) if (!this.#isOver) onMessage(messageOf(message))
      }
    }
  }

  #fail(error: unknown): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#wake()
    this.#stopReading()
    void this.#client.close()
    this.#options.onLost(error)
  }
}

function messageOf({ seq, data, subject, headers, info }: JsMsg): NatsMessage {
  const names = headers?.keys() ?? []
  const pairs = names.flatMap((name) => (headers?.values(name) ?? []).map((text) => [name, text] as const))
  return {
    sequence: seq,
    bytes: data,
    subject,
    timeMs: Math.floor(info.timestampNanos / NANOS),
    headers: gathered(pairs),
  }
}
