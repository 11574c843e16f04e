// The stream of elements between an engine and this worker: of all bundles at once, in both directions.

import type { GrpcClient, GrpcStream, Metadata } from '../wire/client.ts'
import type { Messages } from '../wire/messages.ts'
import { DATA } from '../wire/names.ts'
import { Inbox } from './inbox.ts'

/** Bundles whose late data is known to be unwanted. */
const MOST_ENDED = 10_000

export class DataStream {
  readonly #messages: Messages
  readonly #stream: GrpcStream
  /** Instruction → its data. Data may come before its instruction. */
  readonly #inboxes = new Map<string, Inbox>()
  /** Instructions that are over, the oldest first. */
  readonly #ended = new Set<string>()
  #error: unknown
  /** Resolves when the engine has ended the stream. */
  readonly done: Promise<void>

  constructor(client: GrpcClient, messages: Messages, metadata: Metadata) {
    this.#messages = messages
    this.#stream = client.open(DATA, metadata)
    this.done = this.#read()
    this.done.catch(() => {}) // Told to every bundle that waits for data.
  }

  inboxOf(instruction: string): Inbox {
    let inbox = this.#inboxes.get(instruction)
    if (inbox === undefined) {
      inbox = new Inbox()
      if (this.#error !== undefined) inbox.fail(this.#error)
      if (this.#ended.has(instruction)) inbox.close()
      else this.#inboxes.set(instruction, inbox)
    }
    return inbox
  }

  /** The instruction is over, however it ended. */
  end(instruction: string): void {
    this.#inboxes.get(instruction)?.close()
    this.#inboxes.delete(instruction)
    this.#ended.add(instruction)
    const [oldest] = this.#ended
    if (this.#ended.size > MOST_ENDED && oldest !== undefined) this.#ended.delete(oldest)
  }

  /** Sends elements of a bundle; resolves when there is room for more. */
  async send(instruction: string, transform: string, data: Uint8Array, isLast: boolean): Promise<void> {
    const { write, ElementsSchema } = this.#messages
    const part = { instructionId: instruction, transformId: transform, data, isLast }
    await this.#stream.send(write(ElementsSchema, { data: [part] }))
  }

  async #read(): Promise<void> {
    const { read, ElementsSchema } = this.#messages
    try {
      for await (const message of this.#stream.messages) {
        const { data, timers } = read(ElementsSchema, message)
        for (const { instructionId, data: part, isLast } of data) await this.inboxOf(instructionId).put(part, isLast)
        for (const { instructionId } of timers) {
          this.inboxOf(instructionId).fail(new TypeError('Cannot handle timers: no stage of this worker has set one'))
        }
      }
      throw new Error('Cannot go on: the engine has ended the stream of elements')
    } catch (error) {
      this.#error = error
      for (const inbox of this.#inboxes.values()) inbox.fail(error)
      throw error
    }
  }
}
