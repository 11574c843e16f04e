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
   * The fields of a row's entry, with a list of texts for repeated names: `data` with the row as JSON by default, as
   * `redisStreamSource` reads it.
   */
  readonly fields?: (row: Row) => NamedTexts
  /** The approximate maximum length of the stream: unlimited by default. */
  readonly maxLength?: number
}

const OPTIONS = ['stream', 'fields', 'maxLength']

/**
 * Adds rows to a stream of Redis, one entry per row. Needs the package `redis`.
 *
 * - **Exactly once**: the rows of an epoch are staged under keys beside the stream, and added by one script once the
 *   epoch is committed: all, and only once, whatever ends the process. This holds as long as Redis keeps what it has
 *   confirmed (`appendonly yes`, `appendfsync always`); staged rows that it lost end the run with SINK_MISMATCH.
 * - **Continues** from the last commit when the connection breaks, or an answer times out (30 s, and longer for large
 *   requests): for the run's `retryMs`, then SINK_UNREACHABLE.
 * - **Alone**: only one pipeline of a given name may add to a stream. Another one, with its own store, removes what the
 *   first has staged; that one then ends with SINK_MISMATCH, and nothing is lost silently.
 * - **Order** is that of the rows.
 * - **Rejected**: rows for which `fields` returns nothing, or that JSON cannot represent, become dead letters.
 * - **Cluster**: keys are named so that they are on the same node as the stream.
 *
 * @param url - `redis://user:password@host:6379`, `rediss://…`
 * @throws {SluiceError} CONFIG_INVALID for invalid options, or if `redis` is not installed; SINK_LOST if a retry may
 *   help, SINK_UNREACHABLE for wrong credentials; SINK_MISMATCH
 * @throws {RangeError} for an invalid length
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
      // Loaded on demand: programs and threads without a server start sooner.
      const { StageWriter } = await import('./writer.ts')
      return await StageWriter.open<Row>({ address, title, stream, maxLength, fields }, opening)
    },
  }
}
