// The sink that publishes rows into streams of NATS.

import { checkFunctions, checkKeys } from '../../base/check.ts'
import { brokerAddress } from '../kits/broker/address.ts'
import type { MessageOptions } from '../kits/broker/message.ts'
import { brokerSink } from '../kits/broker/sink.ts'
import type { TwoPhaseSink } from '../sink.ts'

export interface NatsSinkOptions<Row> extends MessageOptions<Row> {
  /** The subject, or a function that returns that of a row. A stream must capture it. */
  readonly subject: string | ((row: Row) => string)
  /** The message id (`Nats-Msg-Id`): a stream drops one that it has, within its duplicate window. */
  readonly id?: (row: Row) => string
}

const OPTIONS = ['subject', 'payload', 'headers', 'id']
/** Tokens between dots, without blanks and wildcards. */
const SUBJECT = /^[^\s.*>\0]+(\.[^\s.*>\0]+)*$/
/** Subjects of the server itself: nothing that comes from data may go there. */
const RESERVED = /^(\$JS|\$SYS|_INBOX)(\.|$)/
/** Servers accept lines of 4 KiB, including everything else in them. */
const SUBJECT_BYTES = 3500

/**
 * Publishes rows into streams of NATS (JetStream). Needs the packages `@nats-io/transport-node` and `@nats-io/jetstream`.
 *
 * - **At least once**: every message is acknowledged by its stream before an epoch is committed, and what came after
 *   the last commit is sent again after a crash. With `id`, once, as long as a run resumes within the stream's
 *   duplicate window (two minutes by default).
 * - **Continues** from the last commit when the connection breaks, an answer times out (30 s, and longer for large
 *   messages), or no stream captures a subject, as one may be created: for the run's `retryMs`, then SINK_UNREACHABLE.
 * - **Rejected**: rows that cannot become a message, messages longer than server or stream accept, subjects that the
 *   user may not publish to, and those of the server itself (`$JS`, `$SYS`, `_INBOX`) become dead letters.
 *
 * @param url - `nats://host`, `nats://user:password@host:4222`, `tls://token@host`
 * @throws {SluiceError} CONFIG_INVALID for an invalid address, or if a package is not installed; SINK_LOST if a retry
 *   may help, SINK_UNREACHABLE for wrong credentials
 * @example
 * const sink = natsSink<{ id: number; country: string }>('nats://localhost', {
 *   subject: ({ country }) => `orders.${country}`,
 *   id: ({ id }) => String(id),
 * })
 * checkpointed(sink, { store: 'state.db' }).title // => 'subjects of nats://localhost:4222'
 */
export function natsSink<Row>(url: string | URL, options: NatsSinkOptions<Row>): TwoPhaseSink<Row> {
  checkKeys('natsSink', options, OPTIONS)
  const address = brokerAddress('natsSink', url, { nats: 4222, tls: 4222 })
  const { subject, id, payload, headers } = options
  checkFunctions({ id, payload, headers })
  const shown = address.shown
  return brokerSink({
    kind: 'nats',
    title: typeof subject === 'function' ? `subjects of ${shown}` : `subject ${subject} of ${shown}`,
    shown,
    to: subject,
    id,
    payload,
    headers,
    refuses: refusalOf,
    load: async () => {
      const { NatsPublisher } = await import('./publisher.ts')
      const { mayPass } = await import('./client.ts')
      return { mayPass, connect: (signal) => NatsPublisher.open(address, signal) }
    },
  })
}

/** Why a subject cannot be published to. */
function refusalOf(to: string): string | undefined {
  const sizeBytes = Buffer.byteLength(to)
  if (sizeBytes > SUBJECT_BYTES) return `a subject of ${sizeBytes} bytes: at most ${SUBJECT_BYTES} are possible`
  if (!SUBJECT.test(to)) return `${JSON.stringify(to)} is not a subject`
  return RESERVED.test(to) ? `${JSON.stringify(to)} is a subject of the server` : undefined
}
