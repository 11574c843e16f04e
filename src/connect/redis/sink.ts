// The sink that adds rows to a stream of Redis.

import { checkFunctions, checkInteger, checkKeys } from '../../base/check.ts'
import { brokerAddress } from '../kits/broker/address.ts'
import { optionInvalid } from '../kits/config.ts'
import { jsonText } from '../kits/json/line.ts'
import type { NamedTexts } from '../kits/text/named-texts.ts'
import type { TwoPhaseSink } from '../sink.ts'

export interface RedisStreamSinkOptions<Row> {
  /** The stream's key. */
  readonly stream: string
  /**
   * The fields of a row's entry, a list of texts where a name is to come several times: `data` with the row as JSON by
   * default, as `redisStreamSource` reads it.
   */
  readonly fields?: (row: Row) => NamedTexts
  /** Entries that the stream keeps, about: all by default. */
  readonly maxLength?: number
}

const OPTIONS = ['stream', 'fields', 'maxLength']

/**
 * Adds rows to a stream of Redis, an entry for each. Needs the package `redis`.
 *
 * - **Exactly once**: rows of an epoch are staged under names beside the stream, and added by one script once the epoch is
 *   committed: all, and only once, whatever ends the process. That holds as far as Redis keeps what it has confirmed
 *   (`appendonly yes`, `appendfsync always`); staged rows that it lost end the run with SINK_MISMATCH.
 * - **Goes on** from the last commit when the connection breaks, or when there is no answer in time (30 s, and longer for
 *   what is large): for the run's `retryMs`, then SINK_UNREACHABLE.
 * - **Alone**: of pipelines with the same name, one adds to a stream. Another, with a store of its own, removes what the
 *   first has staged; that one then ends with SINK_MISMATCH, and nothing is lost unseen.
 * - **Order** is that of the rows.
 * - **Refused** are rows of which `fields` makes nothing, or that JSON cannot hold: dead letters.
 * - **Cluster**: names are made so that they are where the stream is.
 *
 * @param url - `redis://user:password@host:6379`, `rediss://…`
 * @throws {SluiceError} CONFIG_INVALID for options that do not fit, or if `redis` is not installed; SINK_LOST
 *   where trying again may help, SINK_UNREACHABLE for a user that is refused; SINK_MISMATCH
 * @throws {RangeError} for a length that is none
 * @example
 * const sink = checkpointed(redisStreamSink('redis://:secret@localhost', { stream: 'orders' }), { store: 'state.db' })
 * sink.title // => 'stream orders of redis://localhost:6379'
 * sink.guarantee // => 'exactly-once'
 * @see https://redis.io/docs/latest/develop/data-types/streams/
 */
export function redisStreamSink<Row>(url: string | URL, options: RedisStreamSinkOptions<Row>): TwoPhaseSink<Row> {
  checkKeys('redisStreamSink', options, OPTIONS)
  const address = brokerAddress('redisStreamSink', url, { redis: 6379, rediss: 6379 })
  const { stream, maxLength, fields = (row) => ({ data: jsonText(row) }) } = options
  if (typeof stream !== 'string' || stream === '') {
    throw optionInvalid('redisStreamSink', 'stream', stream, 'the key of a stream')
  }
  checkFunctions({ fields })
  if (maxLength !== undefined) checkInteger('maxLength', maxLength, 1)
  const title = `stream ${stream} of ${address.shown}`
  return {
    kind: 'redis',
    title,
    guarantee: 'exactly-once',
    open: async (opening) => {
      // Not before it is needed: programs and threads without a server start sooner.
      const { StageWriter } = await import('./writer.ts')
      return await StageWriter.open<Row>({ address, title, stream, maxLength, fields }, opening)
    },
  }
}
