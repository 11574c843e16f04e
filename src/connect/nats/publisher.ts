// Publishes into streams of NATS (JetStream), which confirm what they have stored.

import type { JetStreamClient } from '@nats-io/jetstream'
import type { BrokerAddress } from '../live/address.ts'
import { loadPackage } from '../live/packages.ts'
import type { Outgoing } from '../publish/message.ts'
import type { Publisher } from '../publish/writer.ts'
import { connectNats, type NatsClient } from './client.ts'

/** How long a stream may take to confirm. */
const CONFIRM_MS = 30_000

export class NatsPublisher implements Publisher {
  readonly #client: NatsClient
  readonly #streams: JetStreamClient
  readonly #headers: typeof import('@nats-io/transport-node').headers

  private constructor(
    client: NatsClient,
    streams: JetStreamClient,
    headers: typeof import('@nats-io/transport-node').headers,
  ) {
    this.#client = client
    this.#streams = streams
    this.#headers = headers
  }

  static async open(address: BrokerAddress, signal: AbortSignal): Promise<NatsPublisher> {
    const client = await connectNats(address, signal)
    const { headers } = await import('@nats-io/transport-node')
    const { jetstream } = await loadPackage('@nats-io/jetstream', () => import('@nats-io/jetstream'))
    return new NatsPublisher(client, jetstream(client), headers)
  }

  async publish(messages: readonly Outgoing[]): Promise<ReadonlyMap<number, string>> {
    const refused = new Map<number, string>()
    const most = this.#client.info?.max_payload ?? Number.POSITIVE_INFINITY
    const sent = messages.map(async (message, at) => {
      const { to, bytes, id, headers } = message
      if (bytes.length > most)
        return void refused.set(at, `a message of ${bytes.length} bytes: the server takes ${most}`)
      const given = headers === undefined ? {} : { headers: this.#headersOf(headers) }
      try {
        await this.#streams.publish(to, bytes, {
          timeout: CONFIRM_MS,
          ...(id === undefined ? {} : { msgID: id }),
          ...given,
        })
      } catch (error) {
        // Nobody answers: that is all that the server says.
        const isNobody = error instanceof Error && ['NoRespondersError', 'JetStreamNotEnabled'].includes(error.name)
        throw isNobody
          ? new Error(`no stream takes the subject ${JSON.stringify(to)}, or the server has none (JetStream)`)
          : error
      }
    })
    const settled = await Promise.allSettled(sent)
    for (const one of settled) if (one.status === 'rejected') throw one.reason
    return refused
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  #headersOf(given: Readonly<Record<string, string>>) {
    const headers = this.#headers()
    for (const [name, value] of Object.entries(given)) headers.set(name, value)
    return headers
  }
}
