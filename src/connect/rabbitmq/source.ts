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
  /** The queue, which must exist: classic or quorum, not a stream. */
  readonly queue: string
  /** Identifies a redelivered message: its `message-id` by default. */
  readonly id?: (meta: RabbitmqMeta) => string | undefined
  /** Makes an event of a body and its metadata: the body by default. */
  readonly event?: ToEvent<B, RabbitmqMeta, T>
  /**
   * Most unacknowledged messages (prefetch): 10,000 by default, 65,535 at most. They are held in memory, and in one
   * epoch.
   */
  readonly inFlight?: number
  /** Whether to consume exclusively: true by default. */
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
 * - **Acknowledges** a message once its epoch is committed.
 * - **Exactly once** into a transactional sink if messages have ids (`message-id`, or the result of `id`): one that is
 *   redelivered after a crash is recognized by it. Two messages with the same id are one, as long as the first one is
 *   not acknowledged. Redelivered messages without an id count as new: at least once. A broker that crashes may lose
 *   its most recent acknowledgements, and sends those messages again; quorum queues do not.
 * - **Demand**: the broker sends at most `inFlight` unacknowledged messages, of any size.
 * - **Reconnects** when the connection breaks, for `retryMs`, with a back-off. A missing queue, a stream, or a refusal
 *   by the broker ends the run.
 * - **Order** is that of the queue, except for redelivered messages.
 * - **Origins** name the queue, and count messages over all runs, as the offset.
 *
 * @param url - `amqp://user:password@host:5672/vhost`
 * @throws {SluiceError} CONFIG_INVALID for invalid options, a stream, or if `amqplib` is not installed; then
 *   SOURCE_UNREADABLE, POSITION_LOST
 * @throws {RangeError} for invalid numbers
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
  const { address, vhost } = rabbitAddress('rabbitmqSource', url)
  const { queue, id = ({ messageId }) => messageId, event, tls } = options
  const { inFlight = 10_000, isExclusive = true, retryMs = 60_000 } = options
  if (typeof queue !== 'string' || queue === '' || Buffer.byteLength(queue) > 255) {
    throw optionInvalid('rabbitmqSource', 'queue', queue, 'the name of a queue')
  }
  checkInteger('inFlight', inFlight, 1, 65_535)
  checkMs('retryMs', retryMs)
  checkFunctions({ id, event })
  const title = `queue ${queue} of ${address.shown}`
  const settings = { address, vhost, tls, title, queue, inFlight, isExclusive, retryMs }
  return liveSource<T>({
    kind: 'rabbitmq',
    title,
    sharing: {
      how: isExclusive ? 'its queue has one reader at a time' : 'its broker hands each message to one reader',
      copies: isExclusive
        ? 'start one copy without --shard, or set isExclusive: false to start as many as you want, each as a pipeline with a name of its own'
        : 'start as many copies as you want without --shard, each as a pipeline with a name of its own',
    },
    provided: 'as long as every message has an id',
    split: `queue ${queue}`,
    format,
    event,
    load: async (opening) => {
      const { openRabbitmq } = await import('./open.ts')
      return await openRabbitmq<B, T>({ ...settings, id, format, event, ...opening })
    },
  })
}
