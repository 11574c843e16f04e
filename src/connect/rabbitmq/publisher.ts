// Publishes to RabbitMQ, which confirms messages and returns unroutable ones.

import type { ConfirmChannel, Message } from 'amqplib'
import { orClose } from '../../base/closing.ts'
import { messageOf } from '../../base/errors.ts'
import type { Outgoing } from '../kits/broker/message.ts'
import type { Publisher } from '../kits/broker/publish-writer.ts'
import { gathered } from '../kits/text/named-texts.ts'
import { openLink, type RabbitLink, type RabbitSettings, watch } from './client.ts'
import { hasHeaders } from './protocol/headers.ts'

export interface RabbitPublishSettings extends RabbitSettings {
  readonly exchange: string
  readonly contentType: string | undefined
}

export class RabbitPublisher implements Publisher {
  readonly #settings: RabbitPublishSettings
  readonly #link: RabbitLink
  readonly #channel: ConfirmChannel
  /** Messages under way, and what becomes of them. */
  #sending: { readonly messages: readonly Outgoing[]; readonly refused: Map<number, string> } | undefined
  /** Fails what is under way. */
  #fail: (error: Error) => void = () => {}
  #failure: Error | undefined

  private constructor(settings: RabbitPublishSettings, link: RabbitLink, channel: ConfirmChannel) {
    this.#settings = settings
    this.#link = link
    this.#channel = channel
    channel.on('return', (message) => this.#returned(message))
    watch(link, channel, (error) => this.#lost(error))
  }

  static async open(settings: RabbitPublishSettings, signal: AbortSignal): Promise<RabbitPublisher> {
    const link = await openLink(settings, signal)
    return await orClose(link, async () => {
      const channel = await link.model.createConfirmChannel()
      // Reported to whoever waits for an answer.
      channel.on('error', () => {})
      if (settings.exchange !== '') await channel.checkExchange(settings.exchange)
      return new RabbitPublisher(settings, link, channel)
    })
  }

  async publish(messages: readonly Outgoing[]): Promise<ReadonlyMap<number, string>> {
    if (this.#failure !== undefined) throw this.#failure
    const { exchange, contentType } = this.#settings
    const refused = new Map<number, string>()
    this.#sending = { messages, refused }
    await new Promise<void>((resolve, reject) => {
      this.#fail = reject
      let missing = messages.length
      const done = (): void => {
        missing -= 1
        if (missing === 0) resolve()
      }
      for (const [at, { to, bytes, id, headers }] of messages.entries()) {
        const properties = {
          persistent: true,
          mandatory: true,
          ...(contentType === undefined ? {} : { contentType }),
          ...(id === undefined ? {} : { messageId: id }),
          ...(headers.length === 0 ? {} : { headers: gathered(headers) }),
        }
        try {
          this.#channel.publish(exchange, to, Buffer.from(bytes), properties, (error) => {
            // A full queue, or a lost node: not because of the message.
            if (error !== null && error !== undefined) reject(new Error(`the broker did not accept message ${at + 1}`))
            done()
          })
        } catch (error) {
          // What the protocol cannot represent; nothing of it was sent.
          if (!(error instanceof RangeError)) throw error
          refused.set(at, messageOf(error))
          done()
        }
      }
    })
    return refused
  }

  async close(): Promise<void> {
    this.#failure ??= new Error('the connection is closed')
    await this.#link.close(this.#channel)
  }

  /** It does not say which message. Messages with the same routing have the same fate. */
  #returned({ fields, properties, content }: Message): void {
    const { messages, refused } = this.#sending ?? { messages: [], refused: new Map() }
    const at = messages.findIndex(({ to, bytes, id, headers }, one) => {
      if (refused.has(one) || to !== fields.routingKey || id !== properties.messageId) return false
      return hasHeaders(properties.headers, headers) && content.equals(bytes)
    })
    if (at === -1) return this.#lost(new Error('the broker returned a message that was not sent'))
    refused.set(at, `no queue is bound for the routing key ${JSON.stringify(fields.routingKey)}`)
  }

  #lost(error: Error): void {
    this.#failure ??= error
    this.#fail(error)
  }
}
