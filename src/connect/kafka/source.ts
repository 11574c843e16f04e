// The source of records of a Kafka topic, read by their offsets.

import type { ConnectionOptions as TlsOptions } from 'node:tls'
import { aFunction, anything, type Checks, checkOptions, choice, integer, milliseconds } from '../../base/options.ts'
import type { LineFormat } from '../format.ts'
import type { ToEvent } from '../kits/broker/body.ts'
import { liveSource } from '../kits/broker/source.ts'
import { optionInvalid } from '../kits/config.ts'
import type { Source } from '../source.ts'
import { isTopic, type KafkaSasl, kafkaPlace } from './address.ts'
import type { KafkaMeta } from './meta.ts'

export type { KafkaSasl } from './address.ts'
export type { KafkaMeta } from './meta.ts'

export interface KafkaSourceOptions<B, T> {
  /** The topic. All of its partitions are read. */
  readonly topic: string
  /** A consumer group to which progress is reported, for tools that show lag. It must have no other consumers. */
  readonly group?: string
  /** Where the first run begins: at the `start` of what the topic holds, by default, or at its `end`. */
  readonly begin?: 'start' | 'end'
  /** Makes an event of a record's value and metadata: the value by default. */
  readonly event?: ToEvent<B, KafkaMeta, T>
  /** Makes an event of a record without a value (a tombstone). By default such a record becomes a dead letter. */
  readonly tombstone?: (meta: KafkaMeta) => T
  /** How user and password are sent, if the address has them: `plain` by default. */
  readonly sasl?: KafkaSasl
  /** For `kafkas:`: certificates, as `tls.connect` takes them. */
  readonly tls?: TlsOptions
  /** The most that a compressed batch of records may expand to, 64 MiB by default. */
  readonly maxBatchBytes?: number
  /** Gives up after this long without a connection, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
}

const OPTIONS: Checks<KafkaSourceOptions<unknown, unknown>> = {
  topic: anything,
  group: anything,
  begin: choice('start', 'end'),
  event: aFunction,
  tombstone: aFunction,
  sasl: anything,
  tls: anything,
  maxBatchBytes: integer(1024),
  retryMs: milliseconds(),
}

/**
 * Reads the records of a Kafka topic, in the order of each partition, without end.
 *
 * - **Resumes** after the last committed record of each partition, by its offset: exactly once with a transactional
 *   sink. The servers store nothing for this reader; a `group`, if set, is only informed.
 * - **Gone**: records that were deleted before they were read end the run with POSITION_LOST, and so does a topic that
 *   was created again, as far as the servers tell topics apart (Kafka 3.1 and later).
 * - **Transactions**: only committed records are read.
 * - **Partitions** that are added are read from their start, within half a minute. One without a leader waits, with a
 *   note, and does not hold back the others.
 * - **Demand**: reading pauses while enough is waiting. One answer of each server (4 MiB) may come on top of that.
 * - **Reconnects** when no server, or the leader of a partition, can be reached, for `retryMs`, with a back-off.
 * - **Origins** name partition and topic, and have the offset.
 *
 * Needs the package `@platformatic/kafka`.
 *
 * @param url - `kafka://host`, `kafkas://user:password@host:9093`, or several such servers of one cluster
 * @throws {SluiceError} CONFIG_INVALID for invalid options; then SOURCE_UNREADABLE, SOURCE_CORRUPT, SOURCE_LIMIT,
 *   POSITION_LOST
 * @throws {RangeError} for invalid numbers and choices
 * @example
 * const orders = kafkaSource('kafka://localhost', json(), { topic: 'orders' })
 * orders.title // => 'topic orders of kafka://localhost:9092'
 * @see https://kafka.apache.org/documentation/#protocol
 */
export function kafkaSource<B, T = B>(
  url: string | URL | readonly (string | URL)[],
  format: LineFormat<B>,
  options: KafkaSourceOptions<B, T>,
): Source<T> {
  checkOptions('kafkaSource', options, OPTIONS)
  const { topic, group, begin = 'start', event, tombstone, sasl, tls } = options
  const { maxBatchBytes = 64 * 1024 * 1024, retryMs = 60_000 } = options
  const place = kafkaPlace('kafkaSource', url, { sasl, tls })
  if (!isTopic(topic)) throw optionInvalid('kafkaSource', 'topic', topic, 'the name of a topic')
  if (group !== undefined && (typeof group !== 'string' || group === '')) {
    throw optionInvalid('kafkaSource', 'group', group, 'the name of a group')
  }
  const title = `topic ${topic} of ${place.shown}`
  const settings = { place, title, topic, group, begin, retryMs, maxBatchBytes, format, event, tombstone }
  return liveSource<T>({
    kind: 'kafka',
    title,
    sharing: {
      how: 'one reader takes all partitions',
      copies: 'start one copy without --shard: a second one would load every record again',
    },
    provided: 'as long as the topic keeps the records',
    split: `kafka ${topic}`,
    format,
    event,
    load: async (opening) => {
      const { openKafka } = await import('./open.ts')
      return await openKafka<B, T>({ ...settings, ...opening })
    },
  })
}
