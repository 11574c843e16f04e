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
  /** The topic, or a function that returns that of a row. */
  readonly topic: string | ((row: Row) => string)
  /** A row's key: rows with the same key go to the same partition, in order. Without it partitions take turns. */
  readonly key?: (row: Row) => string | Uint8Array
  /** The compression of records, `none` by default. */
  readonly compression?: KafkaCompression
  /** How user and password are sent, if the address has them: `plain` by default. */
  readonly sasl?: KafkaSasl
  /** For `kafkas:`: certificates, as `tls.connect` takes them. */
  readonly tls?: TlsOptions
}

const OPTIONS = ['topic', 'key', 'payload', 'headers', 'compression', 'sasl', 'tls'] as const
const COMPRESSIONS: readonly KafkaCompression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']

/**
 * Publishes rows into topics of Kafka, one record per row. Needs the package `@platformatic/kafka`.
 *
 * - **At least once**: every record is acknowledged by all in-sync replicas before an epoch is committed, and what came
 *   after the last commit is sent again after a crash. A `key`, or an id in the row, lets consumers recognize
 *   duplicates.
 * - **Order** within a partition is that of the rows; keys go to the same partitions as with other clients of Kafka.
 * - **Continues** when a partition has moved; and from the last commit when the connection breaks, an answer times out
 *   (30 s, and longer for large requests), or the topic does not exist, as it may be created: for the run's `retryMs`,
 *   then SINK_UNREACHABLE. Servers with automatic topic creation create it.
 * - **Rejected**: rows that cannot become a record, and records that the topic does not accept, such as too large ones,
 *   become dead letters.
 *
 * @param url - `kafka://host`, `kafkas://user:password@host:9093`, or several such servers of one cluster
 * @throws {SluiceError} CONFIG_INVALID for invalid options, or if the package is not installed; SINK_LOST if a retry
 *   may help, SINK_UNREACHABLE for wrong credentials
 * @throws {RangeError} for an unknown choice
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
    throw optionInvalid('kafkaSink', 'topic', topic, 'the name of a topic, or a function that returns it')
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
    refuses: (to: string) => (isTopic(to) ? undefined : `${JSON.stringify(to)} is not a topic`),
    load: async () => {
      const { KafkaPublisher } = await import('./publisher.ts')
      const { mayPass } = await import('./errors.ts')
      return { mayPass, connect: (signal) => KafkaPublisher.open(place, compression, signal) }
    },
  })
}
