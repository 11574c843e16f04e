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
  /** A group of consumers that is told how far reading is, for those who look at its lag. It has no other consumers. */
  readonly group?: string
  /** Where the first run begins: at the `start` of what the topic holds, by default, or at its `end`. */
  readonly begin?: 'start' | 'end'
  /** Makes an event of a record's value and what came with it: the value by default. */
  readonly event?: ToEvent<B, KafkaMeta, T>
  /** Makes an event of a record without a value (a tombstone). Such a record is a dead letter without this. */
  readonly tombstone?: (meta: KafkaMeta) => T
  /** How user and password are sent, where the address has them: `plain` by default. */
  readonly sasl?: KafkaSasl
  /** For `kafkas:`: certificates, as `tls.connect` takes them. */
  readonly tls?: TlsOptions
  /** The most that a compressed batch of records may become, 64 MiB by default. */
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
 * Reads the records of a Kafka topic, those of each partition in their order, without end.
 *
 * - **Resumes** behind the last record of each partition that was committed, by its offset: exactly once with a
 *   transactional sink. The servers keep nothing for this reader; a `group`, where there is one, is only told.
 * - **Gone**: records that were deleted before they were read end the run with POSITION_LOST, and so does a topic that was
 *   made anew, as far as the servers tell topics apart (Kafka 3.1 and later).
 * - **Transactions**: records are given once their transaction is committed, and none that was taken back.
 * - **Partitions** that are added are read from their start, within half a minute. One that no server leads waits, is told
 *   of as a note, and holds no other back.
 * - **Demand**: nothing more is read while enough waits to be asked for. What one answer may hold (4 MiB) comes on top of
 *   that, for each server.
 * - **Connects** again when no server can be reached, or one that leads a partition, for `retryMs`, by a back-off.
 * - **Origins** name partition and topic, and have the offset.
 *
 * Needs the package `@platformatic/kafka`.
 *
 * @param url - `kafka://host`, `kafkas://user:password@host:9093`, or several such servers of one cluster
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit; then SOURCE_UNREADABLE, SOURCE_CORRUPT, SOURCE_LIMIT,
 *   POSITION_LOST
 * @throws {RangeError} for numbers and choices that do not fit
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
  const place = kafkaPlace('kafka', url, { sasl, tls })
  if (!isTopic(topic)) throw optionInvalid('kafka', 'topic', topic, 'the name of a topic')
  if (group !== undefined && (typeof group !== 'string' || group === '')) {
    throw optionInvalid('kafka', 'group', group, 'the name of a group')
  }
  const title = `topic ${topic} of ${place.shown}`
  const settings = { place, title, topic, group, begin, retryMs, maxBatchBytes, format, event, tombstone }
  return liveSource<T>({
    kind: 'kafka',
    title,
    provided: 'as long as the topic keeps the records',
    split: `kafka ${topic}`,
    load: async (opening) => {
      const { openKafka } = await import('./open.ts')
      return await openKafka<B, T>({ ...settings, ...opening })
    },
  })
}
