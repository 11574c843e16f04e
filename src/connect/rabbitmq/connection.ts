// One connection to RabbitMQ that reads a queue: what comes is acknowledged only when somebody says so.

import { isIP } from 'node:net'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { Channel, ChannelModel, ConsumeMessage, Message } from 'amqplib'
import { messageOf } from '../../base/errors.ts'
import type { BrokerAddress } from '../live/address.ts'
import { loadPackage } from '../live/packages.ts'
import type { RabbitmqMeta } from './meta.ts'

export interface RabbitSettings {
  readonly address: BrokerAddress
  readonly vhost: string
  readonly tls: TlsOptions | undefined
}

export interface RabbitOptions extends RabbitSettings {
  readonly queue: string
  /** Messages that may be on their way, or given and not acknowledged. */
  readonly inFlight: number
  readonly isExclusive: boolean
  /** @param tag - the number to acknowledge it by, over this connection alone */
  readonly onMessage: (bytes: Uint8Array, meta: RabbitmqMeta, tag: number) => void
  /** The broker has heard that these are done with. */
  readonly onSettled: (names: readonly string[]) => void
  /** It broke; never after `close`. */
  readonly onLost: (error: Error) => void
}

/** How long the broker may take to answer, or to say goodbye, and how often it gives a sign of life. */
const ANSWER_MS = 30_000
const GOODBYE_MS = 2000
const HEARTBEAT_S = 30

/** Codes of refusals that stand until somebody changes something: access, not found, locked, not allowed. */
const REFUSALS = /\b(403|404|405|530)\b/

/** Whether trying again may help. */
export function mayPass(error: unknown): boolean {
  const message = messageOf(error)
  // Who had the queue for itself alone may be gone soon: this reader before its crash, for one.
  return !REFUSALS.test(message) || /exclusive/i.test(message)
}

/** Opens a connection; one that comes about too late is closed. */
export async function openModel({ address, vhost, tls }: RabbitSettings, signal: AbortSignal): Promise<ChannelModel> {
  const { connect } = await loadPackage('amqplib', () => import('amqplib'))
  const { url, host, port, username = 'guest', password = 'guest' } = address
  const isTls = url.protocol === 'amqps:'
  const settings = { hostname: host, port, username, password, vhost, heartbeat: HEARTBEAT_S }
  const { promise: aborted, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  if (signal.aborted) onAbort()
  signal.addEventListener('abort', onAbort)
  const connecting = connect(
    { protocol: isTls ? 'amqps' : 'amqp', ...settings },
    { ...(isTls && isIP(host) === 0 ? { servername: host } : {}), ...tls, noDelay: true, timeout: ANSWER_MS },
  )
  try {
    return await Promise.race([connecting, aborted])
  } catch (error) {
    // Nobody waits for it any more.
    connecting.then((late) => closeModel(late.on('error', () => {}))).catch(() => {})
    throw error
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

/** Closes a connection as the protocol has it, once all that was said on a channel is on its way; not waited for long. */
export async function closeModel(model: ChannelModel, channel?: Channel): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, GOODBYE_MS)
  try {
    await Promise.race([closed(model, channel), late])
  } catch {
    // It is closed already.
  } finally {
    clearTimeout(timer)
  }
}

async function closed(model: ChannelModel, channel: Channel | undefined): Promise<void> {
  try {
    await channel?.close()
  } finally {
    await model.close()
  }
}

export class RabbitConnection {
  readonly #options: RabbitOptions
  readonly #model: ChannelModel
  readonly #channel: Channel
  #isOver = false
  /** Names that the broker was told of, and perhaps has not heard yet. */
  #told: string[] = []
  #isSettling = false

  private constructor(options: RabbitOptions, model: ChannelModel, channel: Channel) {
    this.#options = options
    this.#model = model
    this.#channel = channel
    for (const one of [model, channel]) {
      one.on('error', (error: Error) => this.#lost(error))
      one.on('close', () => this.#lost(new Error('the broker closed the connection')))
    }
  }

  static async open(options: RabbitOptions, signal: AbortSignal): Promise<RabbitConnection> {
    const model = await openModel(options, signal)
    // It is told of again by what waits for it.
    model.on('error', () => {})
    try {
      const channel = await model.createChannel()
      channel.on('error', () => {})
      await channel.checkQueue(options.queue)
      await channel.prefetch(options.inFlight)
      return new RabbitConnection(options, model, channel)
    } catch (error) {
      await closeModel(model)
      throw error
    }
  }

  /** Begins to read. */
  async begin(): Promise<void> {
    const { queue, isExclusive } = this.#options
    await this.#channel.consume(queue, (message) => this.#take(message), { exclusive: isExclusive })
  }

  /** What comes is bounded by what may be in flight. */
  resume(): void {}

  /** Tells the broker that messages are done with; they are `settled` when it answers a question behind that. */
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

  /** Says goodbye, once all before is on its way. */
  async close(): Promise<void> {
    const wasOver = this.#isOver
    this.#isOver = true
    if (!wasOver) await closeModel(this.#model, this.#channel)
  }

  async #settle(): Promise<void> {
    this.#isSettling = true
    try {
      while (this.#told.length > 0) {
        const names = this.#told
        this.#told = []
        // A channel does one thing after the other.
        await this.#channel.checkQueue(this.#options.queue)
        this.#options.onSettled(names)
      }
    } catch {
      // The connection is over, which is told of where it is found.
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
    void closeModel(this.#model)
    this.#options.onLost(error)
  }
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined
}
