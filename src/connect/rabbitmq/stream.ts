// Whether a queue is a stream, which is read by offsets: without them nothing that it holds would come.

import type { Channel, ChannelModel } from 'amqplib'
import { messageOf, SluiceError } from '../../base/errors.ts'

/** What a broker says of every queue that is not a stream. */
const OTHER_QUEUE = /invalid arg 'x-stream-offset'|inequivalent arg '(x-queue-type|durable)'/

/** @throws {SluiceError} CONFIG_INVALID for a queue that is a stream */
export async function refuseStream(model: ChannelModel, queue: string): Promise<void> {
  const consumes = async (channel: Channel): Promise<void> => {
    await channel.prefetch(1)
    await channel.consume(queue, () => {}, { arguments: { 'x-stream-offset': 'next' } })
  }
  if (await isRefused(model, consumes)) return
  // A broker that does not look at what it does not know would take that for any queue. It is there: it is compared.
  const declares = async (channel: Channel): Promise<void> => {
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'stream' } })
  }
  if (await isRefused(model, declares)) return
  const allowed = 'a classic or quorum queue'
  const message =
    `Cannot read queue ${queue}: rabbitmq takes ${allowed}, and this one is a stream: ` +
    'bind such a queue to the exchange that the stream gets its messages from'
  throw new SluiceError('CONFIG_INVALID', message, { key: 'queue', value: queue, allowed })
}

/** Whether the broker refuses what only a stream takes. Done on a channel of its own: a refusal ends it. */
async function isRefused(model: ChannelModel, work: (channel: Channel) => Promise<void>): Promise<boolean> {
  const channel = await model.createChannel()
  // It is told by what waits for an answer.
  channel.on('error', () => {})
  try {
    await work(channel)
  } catch (error) {
    if (OTHER_QUEUE.test(messageOf(error))) return true
    throw error
  }
  await channel.close()
  return false
}
