// The source of messages of a NATS stream (JetStream), read by their numbers.

import { checkChoice, checkFunctions, checkKeys, checkMs } from '../../base/check.ts'
import type { LineFormat } from '../format.ts'
import { brokerAddress } from '../kits/broker/address.ts'
import type { ToEvent } from '../kits/broker/body.ts'
import { liveSource } from '../kits/broker/source.ts'
import { optionInvalid } from '../kits/config.ts'
import type { Source } from '../source.ts'
import type { NatsMeta } from './meta.ts'

export type { NatsMeta } from './meta.ts'

export interface NatsSourceOptions<B, T> {
  /** The stream, which must exist. */
  readonly stream: string
  /** Only messages of this subject: `*` stands for one part, `>` for all that follow. */
  readonly subject?: string
  /** Where the first run begins: at the stream's `start`, by default, or at its `end`. */
  readonly begin?: 'start' | 'end'
  /** Makes an event of a message's body and metadata: the body by default. */
  readonly event?: ToEvent<B, NatsMeta, T>
  /** Gives up after this long without a connection, in milliseconds: 60,000 by default. */
  readonly retryMs?: number
}

const OPTIONS = ['stream', 'subject', 'begin', 'event', 'retryMs']

/**
 * Reads the messages of a NATS stream (JetStream), in order, without end.
 *
 * - **Resumes** after the last committed message, by its sequence number: exactly once with a transactional sink. The
 *   server stores nothing for this reader, and needs no acknowledgements; a work queue, which does, is rejected.
 * - **Gone**: messages that the stream's limits deleted before they were read end the run with POSITION_LOST; with
 *   `subject` there is a note instead, as their subjects are unknown.
 * - **Demand**: reading pauses while enough is waiting.
 * - **Reconnects** when the connection breaks, for `retryMs`, with a back-off.
 * - **Origins** name the subject, and count messages over all runs, as the offset.
 *
 * Needs the packages `@nats-io/transport-node` and `@nats-io/jetstream`.
 *
 * @param url - `nats://host`, `nats://user:password@host:4222`, `tls://token@host`
 * @throws {SluiceError} CONFIG_INVALID for invalid options; then SOURCE_UNREADABLE, POSITION_LOST
 * @example
 * const orders = natsSource('nats://localhost', json(), { stream: 'ORDERS', subject: 'orders.eu.>' })
 * orders.title // => 'stream ORDERS (orders.eu.>) of nats://localhost:4222'
 * @see https://docs.nats.io/nats-concepts/jetstream
 */
export function natsSource<B, T = B>(
  url: string | URL,
  format: LineFormat<B>,
  options: NatsSourceOptions<B, T>,
): Source<T> {
  checkKeys('natsSource', options, OPTIONS)
  const address = brokerAddress('natsSource', url, { nats: 4222, tls: 4222 })
  const { stream, subject, begin = 'start', event, retryMs = 60_000 } = options
  if (typeof stream !== 'string' || !/^[^\s.*>\\/]+$/.test(stream)) {
    throw optionInvalid('natsSource', 'stream', stream, 'the name of a stream')
  }
  if (subject !== undefined && (typeof subject !== 'string' || !/^[^\s.]+(\.[^\s.]+)*$/.test(subject))) {
    throw optionInvalid('natsSource', 'subject', subject, 'a subject, with * for one part and > for all that follow')
  }
  checkChoice('begin', begin, ['start', 'end'])
  checkMs('retryMs', retryMs)
  checkFunctions({ event })
  const title = `stream ${stream}${subject === undefined ? '' : ` (${subject})`} of ${address.shown}`
  return liveSource<T>({
    kind: 'nats',
    title,
    sharing: {
      how: 'one reader takes all messages',
      copies: 'start one copy without --shard, or one for each subject, each as a pipeline with a name of its own',
    },
    provided: 'as long as the stream keeps the messages',
    split: `nats ${stream}${subject === undefined ? '' : ` ${subject}`}`,
    format,
    event,
    load: async (opening) => {
      const { openNats } = await import('./open.ts')
      return await openNats<B, T>({ address, title, stream, subject, begin, retryMs, format, event, ...opening })
    },
  })
}
