// Writes rows to a broker that confirms each message.

import type { SluiceError } from '../../../base/errors.ts'
import { type Batch, deadLetterAt } from '../../batch.ts'
import type { DeadLetter } from '../../origin.ts'
import type { TwoPhaseSinkOptions, TwoPhaseWriter } from '../../sink.ts'
import { answered, brokerError } from './confirm.ts'
import { type MessageRules, messageOfRow, type Outgoing } from './message.ts'

/** A connection to a broker. */
export interface Publisher {
  /**
   * Sends messages in order, and resolves once the broker has accepted them, with a reason for each rejected one.
   * Throws if it is unknown which it has. It is never awaited forever: `close` may come before it has ended.
   */
  publish(messages: readonly Outgoing[]): Promise<ReadonlyMap<number, string>>
  close(): Promise<void>
}

export interface PublishOptions<Row> extends MessageRules<Row> {
  /** The step of dead letters: `nats`. */
  readonly step: string
  /** The broker, without secrets. */
  readonly shown: string
  readonly connect: (signal: AbortSignal) => Promise<Publisher>
  /** Whether a retry may help after an error. */
  readonly mayPass: (error: unknown) => boolean
}

/** The most that is sent before the broker has confirmed it. */
const MESSAGES = 500
const BYTES = 4 * 1024 * 1024

/**
 * Every row is confirmed before more is taken. A connection that breaks, or gets no answer, ends the writer: it is
 * unknown which messages the broker has, and the next writer sends everything after the last commit again.
 */
export class PublishWriter<Row> implements TwoPhaseWriter<Row> {
  readonly #options: PublishOptions<Row>
  readonly #publisher: Publisher
  readonly #signal: AbortSignal | undefined

  private constructor(options: PublishOptions<Row>, publisher: Publisher, signal: AbortSignal | undefined) {
    this.#options = options
    this.#publisher = publisher
    this.#signal = signal
  }

  static async open<Row>(options: PublishOptions<Row>, { signal }: TwoPhaseSinkOptions): Promise<PublishWriter<Row>> {
    try {
      const publisher = await options.connect(signal ?? new AbortController().signal)
      return new PublishWriter(options, publisher, signal)
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : errorOf(options, error)
    }
  }

  async write(rows: Batch<Row>): Promise<readonly DeadLetter[]> {
    const { step } = this.#options
    const letters: DeadLetter[] = []
    /** Messages of rows with these indices. */
    let [messages, indices, bytes] = [[] as Outgoing[], [] as number[], 0]
    const send = async (): Promise<void> => {
      if (messages.length === 0) return
      for (const [at, reason] of await this.#send(messages, bytes)) {
        letters.push(deadLetterAt(rows, indices[at] as number, step, reason))
      }
      messages = []
      indices = []
      bytes = 0
    }
    for (let at = 0; at < rows.length; at += 1) {
      this.#signal?.throwIfAborted()
      const message = messageOfRow(rows.at(at), this.#options)
      if (typeof message === 'string') {
        letters.push(deadLetterAt(rows, at, step, message))
        continue
      }
      messages.push(message)
      indices.push(at)
      bytes += message.bytes.length
      if (messages.length >= MESSAGES || bytes >= BYTES) await send()
    }
    await send()
    return letters
  }

  prepare(): null {
    return null
  }

  publish(): void {}

  async close(): Promise<void> {
    await this.#publisher.close()
  }

  async #send(messages: readonly Outgoing[], sizeBytes: number): Promise<ReadonlyMap<number, string>> {
    try {
      const publishing = this.#publisher.publish(messages)
      return await answered(publishing, { sizeBytes, signal: this.#signal })
    } catch (error) {
      this.#signal?.throwIfAborted()
      throw errorOf(this.#options, error)
    }
  }
}

function errorOf<Row>({ shown, mayPass }: PublishOptions<Row>, error: unknown): SluiceError {
  return brokerError(error, { act: 'send messages to', sink: shown, mayPass: mayPass(error) })
}
