// The sink that publishes rows into streams of NATS.

import { checkFunctions, checkKeys } from '../../base/check.ts'
import { brokerAddress } from '../live/address.ts'
import type { MessageOptions } from '../publish/message.ts'
import type { PlainSink } from '../sink.ts'

export interface NatsPublishOptions<Row> extends MessageOptions<Row> {
  /** The subject, or a function that gives that of a row. A stream takes it. */
  readonly subject: string | ((row: Row) => string)
  /** What a message is known by (`Nats-Msg-Id`): a stream drops one that it has, for as long as its duplicate window. */
  readonly id?: (row: Row) => string
}

const OPTIONS = ['subject', 'payload', 'headers', 'id']
/** Parts between dots, without blanks and wildcards. */
const SUBJECT = /^[^\s.*>\0]+(\.[^\s.*>\0]+)*$/

/**
 * Publishes rows into streams of NATS (JetStream). Needs the packages `@nats-io/transport-node` and `@nats-io/jetstream`.
 *
 * - **At least once**: every message is confirmed by its stream before an epoch is committed, and what came after the last
 *   commit is sent again after a crash. With `id`, once, as long as a run goes on within the stream's duplicate window (two
 *   minutes by default).
 * - **Refused** are rows of which no message can be made, and messages that are longer than the server takes: dead letters.
 *   A subject that no stream takes stops the run with SINK_UNREACHABLE, as a stream may come.
 *
 * @param url - `nats://host`, `nats://user:password@host:4222`, `tls://token@host`
 * @throws {SluiceError} CONFIG_INVALID for an address that is none, or if a package is not installed; then SINK_UNREACHABLE
 * @example
 * const sink = natsPublish<{ id: number; country: string }>('nats://localhost', {
 *   subject: ({ country }) => `orders.${country}`,
 *   id: ({ id }) => String(id),
 * })
 * checkpointed(sink, { store: 'state.db' }).title // => 'subjects of nats://localhost:4222'
 */
export function natsPublish<Row>(url: string | URL, options: NatsPublishOptions<Row>): PlainSink<Row> {
  checkKeys('natsPublish', options, OPTIONS)
  const address = brokerAddress('natsPublish', url, { nats: 4222, tls: 4222 })
  const { subject, id, payload, headers } = options
  checkFunctions({ id, payload, headers })
  const shown = address.shown
  const rules = {
    step: 'nats',
    shown,
    to: subject,
    id,
    ...(payload === undefined ? {} : { payload }),
    ...(headers === undefined ? {} : { headers }),
    refuses: (to: string) => (SUBJECT.test(to) ? undefined : `${JSON.stringify(to)} is no subject`),
  }
  return {
    kind: 'nats',
    title: typeof subject === 'function' ? `subjects of ${shown}` : `subject ${subject} of ${shown}`,
    guarantee: 'at-least-once',
    open: async (opening) => {
      // Not before they are needed: programs and threads without a server start sooner.
      const { PublishWriter } = await import('../publish/writer.ts')
      const { NatsPublisher } = await import('../nats/publisher.ts')
      return await PublishWriter.open<Row>(
        { ...rules, connect: (signal) => NatsPublisher.open(address, signal) },
        opening,
      )
    },
  }
}
