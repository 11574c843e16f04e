// Publishes into streams of NATS (JetStream), which acknowledge what they have stored.

import type { JetStreamClient } from '@nats-io/jetstream'
import { messageOf } from '../../base/errors.ts'
import type { BrokerAddress } from '../kits/broker/address.ts'
import { answerMs } from '../kits/broker/confirm.ts'
import type { Outgoing } from '../kits/broker/message.ts'
import type { Publisher } from '../kits/broker/publish-writer.ts'
import { loadPackage } from '../kits/package.ts'
import { connectNats, type NatsClient } from './client.ts'

/** Client errors for messages that no server accepts. */
const OF_THE_MESSAGE: readonly string[] = ['InvalidArgumentError', 'InvalidSubjectError', 'PermissionViolationError']
/** Codes of a stream for a message, or headers, that are too large. */
const TOO_LARGE: readonly number[] = [10054, 10097]

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
    const { jetstream } = await loadPackage('@nats-io/jetstream', () => import('@nats-io/jetstream'))
    const client = await connectNats(address, signal)
    const { headers } = await import('@nats-io/transport-node')
    return new NatsPublisher(client, jetstream(client), headers)
  }

  async publish(messages: readonly Outgoing[]): Promise<ReadonlyMap<number, string>> {
    const refused = new Map<number, string>()
    const timeout = answerMs(messages.reduce((sum, { bytes }) => sum + bytes.length, 0))
    const most = this.#client.info?.max_payload ?? Number.POSITIVE_INFINITY
    const sent = messages.map(async (message, at) => {
      const sizeBytes = message.bytes.length
      if (sizeBytes > most) return void refused.set(at, `a message of ${sizeBytes} bytes: the server takes ${most}`)
      try {
        await this.#publish(message, timeout)
      } catch (error) {
        const reason = refusalOf(error)
        if (reason === undefined) throw error
        refused.set(at, reason)
      }
    })
    for (const one of await Promise.allSettled(sent)) if (one.status === 'rejected') throw one.reason
    return refused
  }

  async close(): Promise<void> {
    await this.#client.close()
  }

  async #publish({ to, bytes, id, headers: given }: Outgoing, timeout: number): Promise<void> {
    const headers = this.#headers()
    for (const [name, text] of given) headers.append(name, text)
    const options = { timeout, headers, ...(id === undefined ? {} : { msgID: id }) }
    try {
      await this.#streams.publish(to, bytes, options)
    } catch (error) {
      // No responders: that is all that the server says.
      const isNobody = error instanceof Error && ['NoRespondersError', 'JetStreamNotEnabled'].includes(error.name)
      throw isNobody
        ? new Error(`no stream takes the subject ${JSON.stringify(to)}, or the server has none (JetStream)`)
        : error
    }
  }
}

/** Why a message can never be published; undefined if it is not because of the message. */
function refusalOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const { name, cause, code } = error as Error & { readonly code?: unknown }
  if (TOO_LARGE.includes(code as number)) return `the stream rejects it: ${messageOf(error)}`
  const isOfTheMessage = OF_THE_MESSAGE.includes(name)
  return isOfTheMessage ? messageOf(error) : cause === undefined ? undefined : refusalOf(cause)
}
