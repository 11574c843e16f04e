// Writes rows to a broker that confirms what it has taken.

import type { SluiceError } from '../../base/errors.ts'
import { answered, brokerTrouble } from '../live/answer.ts'
import { type DeadLetter, deadLetter, type Origin, type Traced } from '../origin.ts'
import type { PlainSinkOptions, PlainWriter } from '../sink.ts'
import { type MessageRules, messageOfRow, type Outgoing } from './message.ts'

/** A connection to a broker. */
export interface Publisher {
  /**
   * Sends messages in their order, and resolves once the broker has taken them, with a reason for each that it refuses.
   * Throws where it cannot be told which it has. Nobody waits for it for ever: `close` may come before it has ended.
   */
  publish(messages: readonly Outgoing[]): Promise<ReadonlyMap<number, string>>
  close(): Promise<void>
}

export interface PublishOptions<Row> extends MessageRules<Row> {
  /** What dead letters name: `nats`. */
  readonly step: string
  /** The broker, without secrets. */
  readonly shown: string
  readonly connect: (signal: AbortSignal) => Promise<Publisher>
  /** Whether trying again may help after an error. */
  readonly mayPass: (error: unknown) => boolean
}

/** What goes over before the broker has confirmed it, at most. */
const MESSAGES = 500
const BYTES = 4 * 1024 * 1024

/**
 * Every row is confirmed before more is taken. A connection that breaks, or on which nothing is answered, ends the writer:
 * which messages the broker has is not known, and the next one sends all again that came after the last commit.
 */
export class PublishWriter<Row> implements PlainWriter<Row> {
  readonly #options: PublishOptions<Row>
  readonly #publisher: Publisher
  readonly #signal: AbortSignal | undefined

  private constructor(options: PublishOptions<Row>, publisher: Publisher, signal: AbortSignal | undefined) {
    this.#options = options
    this.#publisher = publisher
    this.#signal = signal
  }

  static async open<Row>(options: PublishOptions<Row>, { signal }: PlainSinkOptions): Promise<PublishWriter<Row>> {
    try {
      const publisher = await options.connect(signal ?? new AbortController().signal)
      return new PublishWriter(options, publisher, signal)
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : troubleOf(options, error)
    }
  }

  async write(events: readonly Traced<Row>[]): Promise<readonly DeadLetter[]> {
    const letters: DeadLetter[] = []
    let [messages, origins, bytes] = [[] as Outgoing[], [] as Origin[], 0]
    const send = async (): Promise<void> => {
      if (messages.length === 0) return
      letters.push(...(await this.#send(messages, origins, bytes)))
      messages = []
      origins = []
      bytes = 0
    }
    for (const { value, origin } of events) {
      this.#signal?.throwIfAborted()
      const message = messageOfRow(value, this.#options)
      if (typeof message === 'string') {
        letters.push(deadLetter(origin, this.#options.step, message))
        continue
      }
      messages.push(message)
      origins.push(origin)
      bytes += message.bytes.length
      if (messages.length >= MESSAGES || bytes >= BYTES) await send()
    }
    await send()
    return letters
  }

  prepare(): null {
    return null
  }

  finish(): void {}

  async close(): Promise<void> {
    await this.#publisher.close()
  }

  async #send(messages: readonly Outgoing[], origins: readonly Origin[], sizeBytes: number): Promise<DeadLetter[]> {
    try {
      const publishing = this.#publisher.publish(messages)
      const refused = await answered(publishing, { sizeBytes, signal: this.#signal })
      return [...refused].map(([at, reason]) => deadLetter(origins[at] as Origin, this.#options.step, reason))
    } catch (error) {
      this.#signal?.throwIfAborted()
      throw troubleOf(this.#options, error)
    }
  }
}

function troubleOf<Row>({ shown, mayPass }: PublishOptions<Row>, error: unknown): SluiceError {
  return brokerTrouble(error, { act: 'send messages to', sink: shown, mayPass: mayPass(error) })
}
