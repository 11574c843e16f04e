// Whether a queue is a stream, which is read by offsets: without them nothing of it would come.

import type { Channel, ChannelModel } from 'amqplib'
import { messageOf, SluiceError } from '../../../base/errors.ts'

/** Properties that differ between a stream and any other queue. */
const OTHER_QUEUE = /inequivalent arg '(x-queue-type|durable)'/

/**
 * @throws {SluiceError} CONFIG_INVALID for a queue that is a stream
 */
export async function refuseStream(model: ChannelModel, queue: string): Promise<void> {
  const refusal = await refusalOf(model, async (channel) => {
    await channel.prefetch(1)
    await channel.consume(queue, () => {}, { arguments: { 'x-stream-offset': 'next' } })
  })
  // Whatever else is wrong is found when it is read.
  if (refusal !== undefined) return
  // Older brokers ignore unknown queue types. The queue exists: it is compared.
  const difference = await refusalOf(model, async (channel) => {
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'stream' } })
  })
  if (OTHER_QUEUE.test(difference ?? '')) return
  const allowed = 'a classic or quorum queue'
  const message =
    `Cannot read queue ${queue}: rabbitmqSource takes ${allowed}, and this one is a stream: ` +
    'bind such a queue to the exchange that the stream gets its messages from'
  throw new SluiceError('CONFIG_INVALID', message, { key: 'queue', value: queue, allowed })
}

/** Why the broker refuses a request; undefined if it does not. On its own channel: a refusal closes it. */
async function refusalOf(model: ChannelModel, work: (channel: Channel) => Promise<void>): Promise<string | undefined> {
  const channel = await model.createChannel()
  // Reported to whoever waits for an answer.
  channel.on('error', () => {})
  try {
    await work(channel)
  } catch (error) {
    return messageOf(error)
  }
  await channel.close()
  return undefined
}
