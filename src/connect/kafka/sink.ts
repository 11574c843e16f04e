// The sink that publishes rows into topics of Kafka.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { checkChoice, checkFunctions, checkKeys } from '../../base/check.ts'
import type { MessageOptions } from '../kits/broker/message.ts'
import { brokerSink } from '../kits/broker/sink.ts'
import { optionInvalid } from '../kits/config.ts'
import type { TwoPhaseSink } from '../sink.ts'
import { isTopic, type KafkaSasl, kafkaPlace } from './address.ts'
import type { KafkaCompression } from './publisher.ts'

export type { KafkaCompression } from './publisher.ts'

export interface KafkaSinkOptions<Row> extends MessageOptions<Row> {
  /** The topic, or a function that gives that of a row. */
  readonly topic: string | ((row: Row) => string)
  /** A row's key: rows of one key go to one partition, in their order. Without it partitions take turns. */
  readonly key?: (row: Row) => string | Uint8Array
  /** How records are packed, `none` by default. */
  readonly compression?: KafkaCompression
  /** How user and password are sent, where the address has them: `plain` by default. */
  readonly sasl?: KafkaSasl
  /** For `kafkas:`: certificates, as `tls.connect` takes them. */
  readonly tls?: TlsOptions
}

const OPTIONS = ['topic', 'key', 'payload', 'headers', 'compression', 'sasl', 'tls'] as const
const COMPRESSIONS: readonly KafkaCompression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/**
 * Publishes rows into topics of Kafka, a record for each. Needs the package `@platformatic/kafka`.
 *
 * - **At least once**: every record is confirmed by all replicas before an epoch is committed, and what came after the last
 *   commit is sent again after a crash. A `key`, or an id in the row, lets those who read tell.
 * - **Order** within a partition is that of the rows; keys go to the partitions where other clients of Kafka put them.
 * - **Goes on** where a partition has moved; and from the last commit when the connection breaks, when there is no answer in
 *   time (30 s, and longer for what is large), or when there is no such topic, as one may come: for the run's `retryMs`,
 *   then SINK_UNREACHABLE. Servers that make topics by themselves do.
 * - **Refused** are rows of which no record can be made, and records that the topic does not take, as they are too large:
 *   dead letters.
 *
 * @param url - `kafka://host`, `kafkas://user:password@host:9093`, or several such servers of one cluster
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit, or if the package is not installed; SINK_LOST where
 *   trying again may help, SINK_UNREACHABLE for a user that is refused
 * @throws {RangeError} for choices that there are not
 * @example
 * const sink = kafkaSink<{ id: number; country: string }>('kafka://localhost', {
 *   topic: ({ country }) => `orders.${country}`,
 *   key: ({ id }) => String(id),
 * })
 * checkpointed(sink, { store: 'state.db' }).title // => 'topics of kafka://localhost:9092'
 */
export function kafkaSink<Row>(
  url: string | URL | readonly (string | URL)[],
  options: KafkaSinkOptions<Row>,
): TwoPhaseSink<Row> {
  checkKeys('kafkaSink', options, OPTIONS)
  const { topic, key, payload, headers, compression = 'none', sasl, tls } = options
  const place = kafkaPlace('kafkaSink', url, { sasl, tls })
  if (typeof topic !== 'function' && !isTopic(topic)) {
    throw optionInvalid('kafkaSink', 'topic', topic, 'the name of a topic, or a function that gives it')
  }
  checkChoice('compression', compression, COMPRESSIONS)
  checkFunctions({ key, payload, headers })
  return brokerSink({
    kind: 'kafka',
    title: `${typeof topic === 'function' ? 'topics' : `topic ${topic}`} of ${place.shown}`,
    shown: place.shown,
    to: topic,
    key,
    payload,
    headers,
    refuses: (to: string) => (isTopic(to) ? undefined : `${JSON.stringify(to)} is no topic`),
    load: async () => {
      const { KafkaPublisher } = await import('./publisher.ts')
      const { mayPass } = await import('./errors.ts')
      return { mayPass, connect: (signal) => KafkaPublisher.open(place, compression, signal) }
    },
  })
}
