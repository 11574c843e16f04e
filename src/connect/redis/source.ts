// The source of entries of a Redis stream: read by position, or by a consumer group that gets acknowledgements.

import { checkChoice, checkFunctions, checkKeys, checkMs } from '../../base/check.ts'
import type { LineFormat } from '../format.ts'
import { brokerAddress } from '../kits/broker/address.ts'
import type { ToEvent } from '../kits/broker/body.ts'
import { liveSource } from '../kits/broker/source.ts'
import { optionInvalid } from '../kits/config.ts'
import type { Source } from '../source.ts'
import type { RedisStreamMeta } from './open.ts'

export type { RedisStreamMeta } from './open.ts'

export interface RedisStreamSourceOptions<B, T> {
  /** The stream's key. */
  readonly stream: string
  /**
   * A consumer group, created if it does not exist: for streams whose progress is monitored. Without one, entries are
   * read by position alone.
   */
  readonly group?: string
  /** The consumer's name in the group, `sluice` by default: no two readers may share it. */
  readonly consumer?: string
  /** Where the first run begins: at the stream's `start`, by default, or at its `end`. */
  readonly begin?: 'start' | 'end'
  /** The field that holds the body: `data` by default. An entry without it becomes a dead letter. */
  readonly field?: string
  /** Makes an event of an entry's body and metadata: the body by default. */
  readonly event?: ToEvent<B, RedisStreamMeta, T>
  /** Gives up after this long without a connection, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
}

const OPTIONS = ['stream', 'group', 'consumer', 'begin', 'field', 'event', 'retryMs']

/**
 * Reads the entries of a Redis stream, in order, without end.
 *
 * - **Resumes** after the last committed entry, whatever the state of the group: exactly once with a transactional
 *   sink. Entries that were deleted before they were read end the run with POSITION_LOST; if a stream was trimmed
 *   beyond its position, there is a note instead, as nobody knows what was trimmed.
 * - **Groups**: entries are acknowledged (XACK) once their epoch is committed. Entries of other consumers of the group
 *   are not read, nor are acknowledged ones again if a checkpoint was reset.
 * - **Demand**: reading pauses while enough is waiting.
 * - **Reconnects** when the connection breaks, for `retryMs`, with a back-off.
 * - **Origins** name the stream, and count entries over all runs, as the offset.
 *
 * Needs the package `redis`.
 *
 * @param url - `redis://host`, `rediss://user:password@host:6380/0`
 * @throws {SluiceError} CONFIG_INVALID for invalid options; then SOURCE_UNREADABLE, POSITION_LOST
 * @example
 * const orders = redisStreamSource('redis://localhost', json(), { stream: 'orders' })
 * orders.title // => 'stream orders of redis://localhost:6379'
 * @see https://redis.io/docs/latest/develop/data-types/streams/
 */
export function redisStreamSource<B, T = B>(
  url: string | URL,
  format: LineFormat<B>,
  options: RedisStreamSourceOptions<B, T>,
): Source<T> {
  checkKeys('redisStreamSource', options, OPTIONS)
  const address = brokerAddress('redisStreamSource', url, { redis: 6379, rediss: 6379 })
  const { stream, group, consumer = 'sluice', begin = 'start', field = 'data', event, retryMs = 60_000 } = options
  for (const [key, value] of Object.entries({ stream, consumer, field, ...(group === undefined ? {} : { group }) })) {
    if (typeof value !== 'string' || value === '') throw optionInvalid('redisStreamSource', key, value, 'a name')
  }
  checkChoice('begin', begin, ['start', 'end'])
  checkMs('retryMs', retryMs)
  checkFunctions({ event })
  const title = `stream ${stream} of ${address.shown}`
  const settings = { address, title, stream, group, consumer, begin, field, retryMs, format, event }
  return liveSource<T>({
    kind: 'redis',
    title,
    sharing: {
      how: group === undefined ? 'one reader takes all entries' : 'its group hands each entry to one consumer',
      copies:
        group === undefined
          ? 'start one copy without --shard, or set a group to start as many as you want, each with a consumer and a pipeline name of its own'
          : 'start as many copies as you want without --shard, each with a consumer and a pipeline name of its own',
    },
    provided: 'as long as Redis keeps the entries',
    split: `redis ${stream}`,
    format,
    event,
    load: async (opening) => {
      const { openRedisStream } = await import('./open.ts')
      return await openRedisStream<B, T>({ ...settings, ...opening })
    },
  })
}
