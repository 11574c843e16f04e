// One connection to RabbitMQ that reads a queue: messages are acknowledged only on request.

import type { Channel, ChannelModel, ConsumeMessage, Message } from 'amqplib'
import { orClose } from '../../base/closing.ts'
import { messageOf, SluiceError } from '../../base/errors.ts'
import { openLink, type RabbitLink, type RabbitSettings, watch } from './client.ts'
import type { RabbitmqMeta } from './meta.ts'

export interface RabbitOptions extends RabbitSettings {
  readonly queue: string
  /** Most unacknowledged messages. */
  readonly inFlight: number
  readonly isExclusive: boolean
  /**
   * @param tag - the delivery tag, valid for this connection alone
   */
  readonly onMessage: (bytes: Uint8Array, meta: RabbitmqMeta, tag: number) => void
  /** The broker has received these acknowledgements. */
  readonly onSettled: (names: readonly string[]) => void
  /** It broke; never after `close`. */
  readonly onLost: (error: Error) => void
}

/** Codes of permanent refusals: access, not found, locked, not allowed. */
const REFUSALS = /\b(403|404|405|530)\b/

/** Whether a retry may help. */
export function mayPass(error: unknown): boolean {
  const message = messageOf(error)
  // An exclusive consumer may be gone soon: this reader before its crash, for one.
  return !REFUSALS.test(message) || /exclusive/i.test(message)
}

export class RabbitConnection {
  readonly #options: RabbitOptions
  readonly #link: RabbitLink
  readonly #channel: Channel
  #isOver = false
  /** Messages that were acknowledged, where the broker may not have received that yet. */
  #told: string[] = []
  #isSettling = false

  private constructor(options: RabbitOptions, link: RabbitLink, channel: Channel) {
    this.#options = options
    this.#link = link
    this.#channel = channel
    watch(link, channel, (error) => this.#lost(error))
  }

  static async open(options: RabbitOptions, signal: AbortSignal): Promise<RabbitConnection> {
    const link = await openLink(options, signal)
    return await orClose(link, async () => {
      const channel = await link.model.createChannel()
      // Reported to whoever waits for an answer.
      channel.on('error', () => {})
      await channel.checkQueue(options.queue)
      await channel.prefetch(options.inFlight)
      await refuseStream(link.model, options.queue)
      return new RabbitConnection(options, link, channel)
    })
  }

  /** Starts reading. */
  async begin(): Promise<void> {
    const { queue, isExclusive } = this.#options
    await this.#channel.consume(queue, (message) => this.#take(message), { exclusive: isExclusive })
  }

  /** The input is bounded by the prefetch count. */
  resume(): void {}

  /** Acknowledges messages; they are `settled` when the broker answers a later request. */
  acknowledge(tags: readonly number[], names: readonly string[]): void {
    if (this.#isOver) return
    try {
      for (const deliveryTag of tags) this.#channel.ack({ fields: { deliveryTag } } as Message)
    } catch (error) {
      return this.#lost(error as Error)
    }
    this.#told.push(...names)
    if (!this.#isSettling) void this.#settle()
  }

  /** Says goodbye, once everything before is sent. */
  async close(): Promise<void> {
    const wasOver = this.#isOver
    this.#isOver = true
    if (!wasOver) await this.#link.close(this.#channel)
  }

  async #settle(): Promise<void> {
    this.#isSettling = true
    try {
      while (this.#told.length > 0) {
        const names = this.#told
        this.#told = []
        // A channel handles one request after the other.
        await this.#channel.checkQueue(this.#options.queue)
        this.#options.onSettled(names)
      }
    } catch {
      // The connection is over, which is reported elsewhere.
    } finally {
      this.#isSettling = false
    }
  }

  #take(message: ConsumeMessage | null): void {
    if (this.#isOver) return
    if (message === null) return this.#lost(new Error('the broker ended the reading: is the queue gone?'))
    const { content, fields, properties } = message
    const meta: RabbitmqMeta = {
      exchange: fields.exchange,
      routingKey: fields.routingKey,
      messageId: textOf(properties.messageId),
      contentType: textOf(properties.contentType),
      headers: (properties.headers ?? {}) as Record<string, unknown>,
      isRedelivered: fields.redelivered,
    }
    this.#options.onMessage(content, meta, fields.deliveryTag)
  }

  #lost(error: Error): void {
    if (this.#isOver) return
    this.#isOver = true
    void this.#link.close()
    this.#options.onLost(error)
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Properties that differ between a stream and any other queue. */
const OTHER_QUEUE = /inequivalent arg '(x-queue-type|durable)'/

/**
 * @throws {SluiceError} CONFIG_INVALID for a queue that is a stream
 */
async function refuseStream(model: ChannelModel, queue: string): Promise<void> {
  const refusal = await refusalOf(model, async (channel) => {
    await channel.prefetch(1)
    await channel.consume(queue, () => {}, { arguments: { 'x-stream-offset': 'next' } })
  })
  // Whatever else is wrong is found when it is read.
  if (refusal !== undefined) return
  // Older brokers ignore unknown queue types. The queue exists: it is compared.
  const difference = await refusalOf(model, async (channel) => {
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'stream' } })
  })
  if (OTHER_QUEUE.test(difference ?? '')) return
  const allowed = 'a classic or quorum queue'
  const message =
    `Cannot read queue ${queue}: rabbitmqSource takes ${allowed}, and this one is a stream: ` +
    'bind such a queue to the exchange that the stream gets its messages from'
  throw new SluiceError('CONFIG_INVALID', message, { key: 'queue', value: queue, allowed })
}

/** Why the broker rejects a request; undefined if it does not. On its own channel: a rejection closes it. */
async function refusalOf(model: ChannelModel, work: (channel: Channel) => Promise<void>): Promise<string | undefined> {
  const channel = await model.createChannel()
  // Reported to whoever waits for an answer.
  channel.on('error', () => {})
  try {
    await work(channel)
  } catch (error) {
    return messageOf(error)
  }
  await channel.close()
  return undefined
}
