// The source of messages of a queue of RabbitMQ, acknowledged once they are committed.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { checkFunctions, checkInteger, checkKeys, checkMs } from '../../base/check.ts'
import type { LineFormat } from '../format.ts'
import type { ToEvent } from '../kits/broker/body.ts'
import { liveSource } from '../kits/broker/source.ts'
import { optionInvalid } from '../kits/config.ts'
import type { Source } from '../source.ts'
import { rabbitAddress } from './address.ts'
import type { RabbitmqMeta } from './meta.ts'

export type { RabbitmqMeta } from './meta.ts'

export interface RabbitmqSourceOptions<B, T> {
  /** The queue, which is there: classic or quorum, not a stream. */
  readonly queue: string
  /** What a message is known by when it comes again: its `message-id` by default. */
  readonly id?: (meta: RabbitmqMeta) => string | undefined
  /** Makes an event of a body and what came with it: the body by default. */
  readonly event?: ToEvent<B, RabbitmqMeta, T>
  /**
   * Messages that the broker may have sent and not heard of: 10,000 by default, 65,535 at most. So many are in memory, and
   * in one epoch.
   */
  readonly inFlight?: number
  /** Whether nobody else may read the queue meanwhile: true by default. */
  readonly isExclusive?: boolean
  /** For `amqps:`: certificates, as `tls.connect` takes them. */
  readonly tls?: TlsOptions
  /** Gives up after this long without a connection, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
}

const OPTIONS = ['queue', 'id', 'event', 'inFlight', 'isExclusive', 'tls', 'retryMs']

/**
 * Reads a queue of RabbitMQ. Needs the package `amqplib`.
 *
 * - **Acknowledges** a message once the epoch that holds it is committed.
 * - **Exactly once** into a transactional sink where messages have ids (`message-id`, or what `id` gives): one that comes
 *   again after a crash is known by it. Two messages of one id are one, as long as the first one is not acknowledged.
 *   Messages without an id that come again are taken for new ones: at least once. A broker that crashes may forget the
 *   acknowledgements of its last moments, and sends what they were for again; quorum queues do not.
 * - **Demand**: the broker sends no more than `inFlight` messages that are not acknowledged, of whatever size they are.
 * - **Connects** again when the connection breaks, for `retryMs`, by a back-off. A queue that is not there, a stream,
 *   and what the broker refuses, ends the run.
 * - **Order** is the queue's, but for what comes again.
 * - **Origins** name the queue, and count messages over all runs, as the offset.
 *
 * @param url - `amqp://user:password@host:5672/vhost`
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit, a stream, or if `amqplib` is not installed; then
 *   SOURCE_UNREADABLE, POSITION_LOST
 * @throws {RangeError} for numbers that do not fit
 * @example
 * const orders = rabbitmqSource('amqp://localhost/shop', json(), { queue: 'orders' })
 * orders.title // => 'queue orders of amqp://localhost:5672'
 * @see https://www.rabbitmq.com/docs/confirms
 */
export function rabbitmqSource<B, T = B>(
  url: string | URL,
  format: LineFormat<B>,
  options: RabbitmqSourceOptions<B, T>,
): Source<T> {
  checkKeys('rabbitmqSource', options, OPTIONS)
  const { address, vhost } = rabbitAddress('rabbitmq', url)
  const { queue, id = ({ messageId }) => messageId, event, tls } = options
  const { inFlight = 10_000, isExclusive = true, retryMs = 60_000 } = options
  if (typeof queue !== 'string' || queue === '' || Buffer.byteLength(queue) > 255) {
    throw optionInvalid('rabbitmq', 'queue', queue, 'the name of a queue')
  }
  checkInteger('inFlight', inFlight, 1, 65_535)
  checkMs('retryMs', retryMs)
  checkFunctions({ id, event })
  const title = `queue ${queue} of ${address.shown}`
  const settings = { address, vhost, tls, title, queue, inFlight, isExclusive, retryMs }
  return liveSource<T>({
    kind: 'rabbitmq',
    title,
    ...(isExclusive ? {} : { sharesItself: true }),
    provided: 'as long as every message has an id',
    split: `queue ${queue}`,
    load: async (opening) => {
      const { openRabbitmq } = await import('./open.ts')
      return await openRabbitmq<B, T>({ ...settings, id, format, event, ...opening })
    },
  })
}
