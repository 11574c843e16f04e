// Opens the reader of a NATS stream, with reconnection.

import type { StreamInfo } from '@nats-io/jetstream'
import { SluiceError } from '../../base/errors.ts'
import { bodies } from '../kits/broker/body.ts'
import { connectReader } from '../kits/broker/connect-reader.ts'
import { SequenceDedup } from '../kits/broker/deduplicator.ts'
import { liveLost, livePosition } from '../kits/broker/push-reader.ts'
import type { ConnectedOpening } from '../kits/broker/source.ts'
import type { SplitReader } from '../source.ts'
import { mayPass } from './client.ts'
import { NatsConnection, type NatsConnectionOptions, type NatsMessage } from './connection.ts'
import type { NatsMeta } from './meta.ts'

export interface NatsOpening<B, T>
  extends ConnectedOpening<B, NatsMeta, T>,
    Pick<NatsConnectionOptions, 'address' | 'stream' | 'subject'> {
  readonly begin: 'start' | 'end'
}

export async function openNats<B, T>(opening: NatsOpening<B, T>): Promise<SplitReader<T>> {
  const { title, begin, from } = opening
  const { count, after } = livePosition(title, from)
  if (after !== undefined && !/^\d{1,15}$/.test(String(after)))
    throw liveLost(title, from, 'it holds no sequence number')
  const known = new SequenceDedup(after === undefined ? {} : { after: String(after) }, (a, b) => Number(a) - Number(b))
  /** Where reading started without a position. */
  let first: number | undefined
  return await connectReader<T, NatsMessage, NatsConnection>(
    {
      ...opening,
      ...bodies(opening, ({ bytes, ...meta }: NatsMessage) => ({ bytes, meta, source: `subject ${meta.subject}` })),
      known,
      idOf: ({ sequence }) => String(sequence),
      count,
    },
    (reader) => ({
      mayPass,
      connect: (signal, onLost) =>
        NatsConnection.open(
          { ...opening, isFull: () => reader.isFull, onMessage: (message) => reader.push(message), onLost },
          signal,
        ),
      async begin(connection) {
        const info = await connection.info()
        const note = checkStands(opening, known.after, info)
        if (note !== undefined) reader.tell(note)
        first ??= begin === 'start' ? 1 : info.state.last_seq + 1
        connection.begin(known.last === undefined ? first : Number(known.last) + 1)
      },
    }),
  )
}

/** Refuses to continue if unread messages are gone; notes it if that is possible. */
function checkStands(
  { title, from, subject }: Pick<NatsOpening<unknown, unknown>, 'title' | 'from' | 'subject'>,
  after: string | undefined,
  { state, config }: StreamInfo,
): string | undefined {
  if (String(config.retention) === 'workqueue') {
    const allowed = 'a stream that keeps what was read'
    const message = `Cannot read ${title}: it is a work queue, and reading by position takes ${allowed}`
    throw new SluiceError('CONFIG_INVALID', message, { key: 'stream', value: config.name, allowed })
  }
  if (after === undefined) return undefined
  const stood = Number(after)
  if (state.last_seq < stood) throw liveLost(title, from, `the stream's last message is number ${state.last_seq}`)
  if (state.first_seq <= stood + 1) return undefined
  const found = `messages up to number ${state.first_seq - 1} were deleted before they were read`
  // Of some subjects nobody knows how many there were.
  if (subject !== undefined) return `${found}, some of ${subject} perhaps among them`
  throw liveLost(title, from, found)
}
