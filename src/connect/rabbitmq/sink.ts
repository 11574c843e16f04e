// The sink that publishes rows to RabbitMQ.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { checkFunctions, checkKeys } from '../../base/check.ts'
import type { MessageOptions } from '../kits/broker/message.ts'
import { brokerSink } from '../kits/broker/sink.ts'
import { optionInvalid } from '../kits/config.ts'
import type { TwoPhaseSink } from '../sink.ts'
import { rabbitAddress } from './address.ts'
import { refusesHeaders } from './protocol/headers.ts'

export interface RabbitmqSinkOptions<Row> extends MessageOptions<Row> {
  /**
   * The exchange, which must exist: by default the nameless one, which puts a message into the queue named by its
   * routing key.
   */
  readonly exchange?: string
  /** The routing key, or a function that returns that of a row. */
  readonly routingKey: string | ((row: Row) => string)
  /** The `message-id`, for deduplication by consumers: none by default. */
  readonly id?: (row: Row) => string
  /** `application/json` by default, unless `payload` makes something else. */
  readonly contentType?: string
  /** For `amqps:`: certificates, as `tls.connect` takes them. */
  readonly tls?: TlsOptions
}

const OPTIONS = ['exchange', 'routingKey', 'id', 'payload', 'headers', 'contentType', 'tls']

/**
 * Publishes rows to RabbitMQ. Needs the package `amqplib`.
 *
 * - **At least once**: every message is persistent, and confirmed by the broker before an epoch is committed; what came
 *   after the last commit is sent again after a crash. With `id`, consumers can recognize duplicates (as
 *   `rabbitmqSource` does).
 * - **Continues** from the last commit when the connection breaks, or an answer times out (30 s, and longer for large
 *   messages): for the run's `retryMs`, then SINK_UNREACHABLE.
 * - **Rejected**: rows that cannot become a message, and unroutable messages become dead letters.
 *
 * @param url - `amqp://user:password@host:5672/vhost`
 * @throws {SluiceError} CONFIG_INVALID for invalid options, or if `amqplib` is not installed; SINK_LOST if a retry may
 *   help, SINK_UNREACHABLE for wrong credentials or exchange
 * @example
 * const sink = rabbitmqSink<{ id: number; country: string }>('amqp://localhost', {
 *   exchange: 'orders',
 *   routingKey: ({ country }) => `orders.${country}`,
 *   id: ({ id }) => String(id),
 * })
 * checkpointed(sink, { store: 'state.db' }).title // => 'exchange orders of amqp://localhost:5672'
 * @see https://www.rabbitmq.com/docs/confirms
 */
export function rabbitmqSink<Row>(url: string | URL, options: RabbitmqSinkOptions<Row>): TwoPhaseSink<Row> {
  checkKeys('rabbitmqSink', options, OPTIONS)
  const { address, vhost } = rabbitAddress('rabbitmqSink', url)
  const { exchange = '', routingKey, id, payload, headers, tls } = options
  const { contentType = payload === undefined ? 'application/json' : undefined } = options
  checkFunctions({ id, payload, headers })
  if (typeof exchange !== 'string' || Buffer.byteLength(exchange) > 255) {
    throw optionInvalid('rabbitmqSink', 'exchange', exchange, 'the name of an exchange')
  }
  const { shown } = address
  const queue = typeof routingKey === 'string' ? `queue ${routingKey}` : 'queues'
  return brokerSink({
    kind: 'rabbitmq',
    title: `${exchange === '' ? queue : `exchange ${exchange}`} of ${shown}`,
    shown,
    to: routingKey,
    id,
    payload,
    headers,
    refuses: (to: string) =>
      Buffer.byteLength(to) <= 255
        ? undefined
        : `a routing key of ${Buffer.byteLength(to)} bytes: at most 255 are possible`,
    refusesHeaders,
    load: async () => {
      const { RabbitPublisher } = await import('./publisher.ts')
      const { mayPass } = await import('./connection.ts')
      const settings = { address, vhost, tls, exchange, contentType }
      return { mayPass, connect: (signal) => RabbitPublisher.open(settings, signal) }
    },
  })
}
